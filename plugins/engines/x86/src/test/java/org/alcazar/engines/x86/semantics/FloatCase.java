package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.PhysicalBus;

import java.nio.ByteBuffer;
import java.util.Random;

/**
 * One case of the native oracle: made at random, run here, and compared with what the processor
 * made of it.
 */
final class FloatCase {
    /** Guest address of the memory operand. */
    private static final long OPERAND = 0x10000;

    private static final int STATUS = Bits.STATUS;
    private static final int SEGV = 11;
    private static final int FPE = 8;

    private final ByteBuffer buffer;
    private final int at;

    FloatCase(ByteBuffer buffer, int index) {
        this.buffer = buffer;
        this.at = index * NativeOracle.SIZE;
    }

    static Cpu newCpu() {
        Cpu cpu = new Cpu(0, new ControlBlock(X86.ARCHITECTURE), new PhysicalBus(), CpuModel.MAX);
        cpu.cr0 = Bits.CR0_PE | Bits.CR0_NE;
        cpu.cr4 = Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT;
        cpu.efer = Bits.EFER_LMA;
        for (int s = 0; s < 8; s++) {
            cpu.segmentAttributes[s] = s == X86.CS ? 0xa9b : 0xc93;
            cpu.segmentLimit[s] = 0xffffffffL;
        }
        cpu.mmu.reset();
        return cpu;
    }

    void fill(byte[] code, int length, FloatOperands operands, Random random, String form) {
        buffer.put(at, new byte[NativeOracle.SIZE]);
        for (int i = 0; i < 16; i++) {
            buffer.put(at + i, i < length ? code[i] : (byte) 0x90);
        }
        buffer.putInt(at + NativeOracle.LENGTH, length);
        buffer.putLong(at + NativeOracle.RAX, random.nextLong() >> random.nextInt(64));
        buffer.putLong(at + NativeOracle.RCX, random.nextLong() >> random.nextInt(64));
        buffer.putLong(at + NativeOracle.RDX, random.nextLong() >> random.nextInt(64));
        buffer.putLong(at + NativeOracle.RFLAGS, 0x202 | random.nextInt() & STATUS);
        if (form.startsWith("Sse42.pcmpe") && random.nextInt(4) != 0) {
            // Lengths within the register, or not far beyond, of either sign.
            buffer.putLong(at + NativeOracle.RAX, length(random));
            buffer.putLong(at + NativeOracle.RDX, length(random));
        }
        operands.letters(form.startsWith("Sse42.pcmp"));
        fillState(at + NativeOracle.FX, operands, random);
        int memory = at + NativeOracle.MEMORY;
        for (int i = 0; i < 512; i += 16) {
            long[] v = operands.nextMemory();
            buffer.putLong(memory + i, v[0]);
            buffer.putLong(memory + i + 8, v[1]);
        }
        if (form.contains("fxrstor")) {
            fillState(memory, operands, random);
        } else if (form.contains("ldmxcsr") && !NativeOracle.hasMisalignedMode()) {
            buffer.putInt(memory, buffer.getInt(memory) & ~(1 << 17));
        }
    }

    private static long length(Random random) {
        long length = random.nextInt(41) - 20;
        return random.nextInt(4) == 0 ? length ^ random.nextLong() << 32 : length;
    }

    private void fillState(int fx, FloatOperands operands, Random random) {
        boolean strict = random.nextInt(4) == 0;
        int fcw = 0x40 | random.nextInt(0x1000) & 0xf00 | (strict ? random.nextInt(64) : 63);
        // Nothing pending, or rarely.
        int flags = random.nextInt(64) & (random.nextInt(64) == 0 ? 63 : fcw);
        int fsw = random.nextInt(0x10000) & 0x7f00 | flags | random.nextInt(2) << 6;
        buffer.putShort(fx, (short) fcw);
        buffer.putShort(fx + 2, (short) fsw);
        int tags = random.nextInt(4) == 0 ? random.nextInt(256) : 255;
        if (random.nextInt(2) == 0) {
            // Room for a push.
            tags &= ~(1 << ((fsw >> 11) + 7 & 7));
        }
        buffer.put(fx + 4, (byte) tags);
        int masks = random.nextInt(4) == 0 ? random.nextInt(64) << 7 : 0x1f80;
        int mxcsr = masks | random.nextInt(64);
        if (random.nextBoolean()) {
            mxcsr |= random.nextInt(4) << 13;
        }
        if (random.nextInt(3) == 0) {
            mxcsr |= random.nextInt() & 0x8040;
        }
        if (random.nextInt(4) == 0 && NativeOracle.hasMisalignedMode()) {
            mxcsr |= CpuModel.MXCSR_MM;
        }
        buffer.putInt(fx + 24, mxcsr);
        buffer.putInt(fx + 28, CpuModel.MAX.mxcsrBits());
        for (int i = 0; i < 8; i++) {
            Float80 v = operands.next80();
            buffer.putLong(fx + 32 + 16 * i, v.significand());
            buffer.putShort(fx + 40 + 16 * i, (short) v.signExponent());
        }
        for (int i = 0; i < 16; i++) {
            long[] v = operands.next128();
            buffer.putLong(fx + 160 + 16 * i, v[0]);
            buffer.putLong(fx + 168 + 16 * i, v[1]);
        }
    }

    /** Runs it here, from the state in this buffer. */
    int run(Cpu cpu, SemanticsCall call, Instruction insn) {
        load(cpu);
        cpu.rip = 0x20000 + insn.length;
        try {
            call.run(cpu);
            return 0;
        } catch (CpuFault fault) {
            return switch (fault.vector) {
                case Bits.MF, Bits.XF -> FPE;
                case Bits.UD -> 4;
                default -> SEGV;
            };
        }
    }

    private void load(Cpu cpu) {
        int fx = at + NativeOracle.FX;
        cpu.gpr[0] = buffer.getLong(at + NativeOracle.RAX);
        cpu.gpr[1] = buffer.getLong(at + NativeOracle.RCX);
        cpu.gpr[2] = buffer.getLong(at + NativeOracle.RDX);
        cpu.gpr[6] = OPERAND;
        cpu.gpr[7] = OPERAND;
        cpu.setRflags(buffer.getLong(at + NativeOracle.RFLAGS));
        cpu.fcw = buffer.getShort(fx) & 0xffff;
        X87.setStatusWord(cpu, buffer.getShort(fx + 2));
        cpu.ftw = 0;
        for (int n = 0; n < 8; n++) {
            cpu.ftw |= (buffer.get(fx + 4) >> n & 1) != 0 ? 0 : 3 << 2 * n;
            int i = n - cpu.fpTop & 7;
            cpu.fpSignificand[n] = buffer.getLong(fx + 32 + 16 * i);
            cpu.fpExponent[n] = buffer.getShort(fx + 40 + 16 * i) & 0xffff;
        }
        cpu.mxcsr = buffer.getInt(fx + 24);
        for (int i = 0; i < 32; i++) {
            cpu.xmm[i] = buffer.getLong(fx + 160 + 8 * i);
        }
        for (int i = 0; i < 512; i += 8) {
            HostRam.setLong(OPERAND + i, buffer.getLong(at + NativeOracle.MEMORY + i));
        }
    }

    String describe() {
        int fx = at + NativeOracle.FX;
        StringBuilder s = new StringBuilder();
        s.append(
                String.format(
                        "fcw %04x fsw %04x tags %02x mxcsr %04x",
                        buffer.getShort(fx),
                        buffer.getShort(fx + 2),
                        buffer.get(fx + 4),
                        buffer.getInt(fx + 24)));
        s.append(
                String.format(
                        " rax %x rcx %x rdx %x flags %x",
                        buffer.getLong(at + NativeOracle.RAX),
                        buffer.getLong(at + NativeOracle.RCX),
                        buffer.getLong(at + NativeOracle.RDX),
                        buffer.getLong(at + NativeOracle.RFLAGS)));
        for (int i = 0; i < 3; i++) {
            s.append(
                    String.format(
                            " st%d %04x:%016x",
                            i,
                            buffer.getShort(fx + 40 + 16 * i),
                            buffer.getLong(fx + 32 + 16 * i)));
        }
        for (int i = 0; i < 2; i++) {
            s.append(
                    String.format(
                            " xmm%d %016x_%016x",
                            i,
                            buffer.getLong(fx + 168 + 16 * i),
                            buffer.getLong(fx + 160 + 16 * i)));
        }
        int m = at + NativeOracle.MEMORY;
        s.append(String.format(" mem %016x_%016x", buffer.getLong(m + 8), buffer.getLong(m)));
        return s + "";
    }

    /**
     * What differs between a core's state and the processor's answer, which is in this buffer.
     *
     * @param units units in the last place that x87 results may be off
     */
    String differences(Cpu cpu, int signal, String name, int units) {
        StringBuilder s = new StringBuilder();
        int fx = at + NativeOracle.FX;
        check(s, "signal", signal, buffer.getInt(at + NativeOracle.SIGNAL));
        check(s, "rax", cpu.gpr[0], buffer.getLong(at + NativeOracle.RAX));
        check(s, "rcx", cpu.gpr[1], buffer.getLong(at + NativeOracle.RCX));
        check(s, "rdx", cpu.gpr[2], buffer.getLong(at + NativeOracle.RDX));
        long flags = buffer.getLong(at + NativeOracle.RFLAGS) & STATUS;
        check(s, "rflags", cpu.rflags() & STATUS, flags);
        check(s, "fcw", cpu.fcw, buffer.getShort(fx) & 0xffff);
        int ignored = units == 0 ? 0 : X87.C1;
        check(
                s,
                "fsw",
                X87.statusWord(cpu) & ~ignored,
                buffer.getShort(fx + 2) & 0xffff & ~ignored);
        int tags = 0;
        for (int n = 0; n < 8; n++) {
            tags |= (cpu.ftw >> 2 * n & 3) == 3 ? 0 : 1 << n;
        }
        check(s, "tags", tags, buffer.get(fx + 4) & 0xff);
        check(s, "mxcsr", cpu.mxcsr, buffer.getInt(fx + 24));
        for (int i = 0; i < 8; i++) {
            int n = cpu.fpTop + i & 7;
            long m = buffer.getLong(fx + 32 + 16 * i);
            int e = buffer.getShort(fx + 40 + 16 * i) & 0xffff;
            boolean near = distance(new Float80(m, e), cpu, n) <= units;
            if (!near) {
                check(s, "st" + i + ".exponent", cpu.fpExponent[n], e);
                check(s, "st" + i + ".significand", cpu.fpSignificand[n], m);
            }
        }
        for (int i = 0; i < 32; i++) {
            String half = "xmm" + i / 2 + (i % 2 == 0 ? ".low" : ".high");
            check(s, half, cpu.xmm[i], buffer.getLong(fx + 160 + 8 * i));
        }
        for (int i = 0; i < 512; i += 2) {
            if (isDefined(name, i)) {
                long here = HostRam.getShort(OPERAND + i) & 0xffff;
                check(
                        s,
                        "memory+" + i,
                        here,
                        buffer.getShort(at + NativeOracle.MEMORY + i) & 0xffff);
            }
        }
        return s + "";
    }

    /**
     * Units in the last place between a number and a register, whose exponents differ by one at
     * most.
     */
    private static long distance(Float80 there, Cpu cpu, int n) {
        int step = there.signExponent() - cpu.fpExponent[n];
        long here = cpu.fpSignificand[n];
        long result =
                switch (step) {
                    case 0 -> Math.abs(there.significand() - here);
                    case 1 -> there.significand() - Long.MIN_VALUE - here;
                    case -1 -> here - Long.MIN_VALUE - there.significand();
                    default -> Long.MAX_VALUE;
                };
        return result < 0 ? Long.MAX_VALUE : result;
    }

    /** Instruction pointers and reserved fields of memory images are not compared. */
    private static boolean isDefined(String name, int offset) {
        return switch (name) {
            case "X87State.fnstenv", "X87State.fnsave" -> offset < 6 || offset >= 28;
            case "FxSave.fxsave" ->
                    offset < 6
                            || offset >= 24 && offset < 28
                            || offset >= 32 && offset < 160 && offset % 16 < 10
                            || offset >= 160 && offset < 416;
            default -> true;
        };
    }

    private static void check(StringBuilder s, String what, long here, long there) {
        if (here != there) {
            s.append(' ').append(what).append(' ').append(Long.toHexString(here));
            s.append(" instead of ").append(Long.toHexString(there));
        }
    }
}

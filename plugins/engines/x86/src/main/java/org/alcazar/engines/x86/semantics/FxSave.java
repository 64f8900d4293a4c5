package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** FXSAVE, FXRSTOR and MXCSR (APM volume 2, 11.4.4). */
public final class FxSave {
    private static final int SIZE = 512;
    private static final int REGISTERS = 32;
    private static final int XMM = 160;

    /** Offset of MXCSR; its mask follows. */
    static final int MXCSR = 24;

    private FxSave() {}

    public static void ldmxcsr(Cpu cpu, int v) {
        checkMxcsr(cpu, v);
        cpu.mxcsr = v;
    }

    public static int stmxcsr(Cpu cpu) {
        return cpu.mxcsr;
    }

    static void checkMxcsr(Cpu cpu, int v) {
        if ((v & ~cpu.model.mxcsrBits()) != 0) {
            throw cpu.generalProtection(0);
        }
    }

    private static long address(Cpu cpu, Instruction insn, boolean write) {
        X87State.checkAvailable(cpu);
        // The first byte, then alignment, then the rest.
        Operands.linear(cpu, insn, 1, write);
        return Operands.linearAligned(cpu, insn, SIZE, write);
    }

    /** Whether XMM registers are left out: EFER.FFXSR, for 64-bit code at privilege level 0. */
    private static boolean isFast(Cpu cpu) {
        return (cpu.efer & Bits.EFER_FFXSR) != 0 && cpu.cpl == 0 && cpu.code64();
    }

    public static void fxsave(Cpu cpu, Instruction insn) {
        long la = address(cpu, insn, true);
        probe(cpu, la, SIZE);
        saveX87(cpu, la, insn.operandSize == 8);
        saveMxcsr(cpu, la);
        if (!isFast(cpu)) {
            saveSse(cpu, la);
        }
    }

    public static void fxrstor(Cpu cpu, Instruction insn) {
        long la = address(cpu, insn, false);
        // Both ends first: a page fault must come before any change, and before a wrong MXCSR.
        cpu.mmu.read8(la);
        cpu.mmu.read8(la + SIZE - 1);
        int mxcsr = cpu.mmu.read32(la + MXCSR);
        checkMxcsr(cpu, mxcsr);
        cpu.mxcsr = mxcsr;
        restoreX87(cpu, la, insn.operandSize == 8);
        if (!isFast(cpu)) {
            restoreSse(cpu, la);
        }
    }

    // ---- parts, which XSAVE's legacy region has too; la is that of the region

    /** Raises what writes from here to there would raise; at most two pages. */
    static void probe(Cpu cpu, long la, int bytes) {
        cpu.mmu.probeWrite(la, 1);
        cpu.mmu.probeWrite(la + bytes - 1, 1);
    }

    /**
     * The error pointers are those of a pending exception; without one, zeros are written (APM
     * volume 2, 11.4.4; CPUID's XSAVEERPTR).
     *
     * @param wide 64-bit pointers
     */
    static void saveX87(Cpu cpu, long la, boolean wide) {
        cpu.mmu.write16(la, cpu.fcw);
        cpu.mmu.write16(la + 2, X87.statusWord(cpu));
        cpu.mmu.write16(la + 4, abridgedTags(cpu));
        boolean pending = (cpu.fsw & X87.ES) != 0;
        long mask = !pending ? 0 : wide ? -1L : -1L >>> 16;
        cpu.mmu.write16(la + 6, cpu.fop & 0x7ff & (int) mask);
        cpu.mmu.write64(la + 8, cpu.fip & mask);
        cpu.mmu.write64(la + 16, cpu.fdp & mask);
        for (int i = 0; i < 8; i++) {
            int n = cpu.fpTop + i & 7;
            cpu.mmu.write64(la + REGISTERS + 16 * i, cpu.fpSignificand[n]);
            cpu.mmu.write64(la + REGISTERS + 16 * i + 8, cpu.fpExponent[n] & 0xffff);
        }
    }

    static void saveMxcsr(Cpu cpu, long la) {
        cpu.mmu.write32(la + MXCSR, cpu.mxcsr);
        cpu.mmu.write32(la + MXCSR + 4, cpu.model.mxcsrBits());
    }

    /** XMM registers: 8 of them outside 64-bit mode. */
    static void saveSse(Cpu cpu, long la) {
        int halves = cpu.code64() ? 32 : 16;
        for (int i = 0; i < halves; i++) {
            cpu.mmu.write64(la + XMM + 8 * i, cpu.xmm[i]);
        }
    }

    static void restoreX87(Cpu cpu, long la, boolean wide) {
        cpu.fcw = cpu.mmu.read16(la) & 0x1f3f | 0x40;
        X87.setStatusWord(cpu, cpu.mmu.read16(la + 2));
        int tags = cpu.mmu.read8(la + 4);
        cpu.ftw = 0;
        for (int n = 0; n < 8; n++) {
            cpu.ftw |= (tags & 1 << n) != 0 ? 0 : X87.EMPTY << 2 * n;
        }
        cpu.fop = cpu.mmu.read16(la + 6) & 0x7ff;
        long mask = wide ? -1L : -1L >>> 16;
        cpu.fip = cpu.mmu.read64(la + 8) & mask;
        cpu.fdp = cpu.mmu.read64(la + 16) & mask;
        for (int i = 0; i < 8; i++) {
            int n = cpu.fpTop + i & 7;
            cpu.fpSignificand[n] = cpu.mmu.read64(la + REGISTERS + 16 * i);
            cpu.fpExponent[n] = cpu.mmu.read16(la + REGISTERS + 16 * i + 8);
        }
    }

    static void restoreSse(Cpu cpu, long la) {
        int halves = cpu.code64() ? 32 : 16;
        for (int i = 0; i < halves; i++) {
            cpu.xmm[i] = cpu.mmu.read64(la + XMM + 8 * i);
        }
    }

    /** One bit a register: not empty. */
    private static int abridgedTags(Cpu cpu) {
        int tags = 0;
        for (int n = 0; n < 8; n++) {
            tags |= (cpu.ftw >> 2 * n & 3) == X87.EMPTY ? 0 : 1 << n;
        }
        return tags;
    }
}

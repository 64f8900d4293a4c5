package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** Moves, conversions and conditional moves of general registers (APM volume 3). */
public final class Moves {
    private Moves() {}

    public static int mov8(int v) {
        return v;
    }

    public static int mov16(int v) {
        return v;
    }

    public static int mov32(int v) {
        return v;
    }

    public static long mov64(long v) {
        return v;
    }

    /** Sources come zero-extended. */
    public static int movzx16(int v) {
        return v;
    }

    public static int movsxw16(int v) {
        return v;
    }

    public static int movsxb16(int v) {
        return (byte) v;
    }

    /** Sources come zero-extended. */
    public static int movzx32(int v) {
        return v;
    }

    public static int movsxb32(int v) {
        return (byte) v;
    }

    public static int movsxw32(int v) {
        return (short) v;
    }

    /** Sources come zero-extended. */
    public static long movzx64(int v) {
        return v;
    }

    public static long movsxb64(int v) {
        return (byte) v;
    }

    public static long movsxw64(int v) {
        return (short) v;
    }

    public static int movsxd16(int v) {
        return v;
    }

    /** LEA: gets the offset. */
    public static int lea16(long offset) {
        return (int) offset;
    }

    public static int cmovcc16(int old, int v, boolean condition) {
        return condition ? v : old;
    }

    public static int movbe16(int v) {
        return Short.reverseBytes((short) v);
    }

    public static int movsxd32(int v) {
        return v;
    }

    /** LEA: gets the offset. */
    public static int lea32(long offset) {
        return (int) offset;
    }

    public static int cmovcc32(int old, int v, boolean condition) {
        return condition ? v : old;
    }

    public static int movbe32(int v) {
        return Integer.reverseBytes(v);
    }

    public static long movsxd64(int v) {
        return v;
    }

    /** LEA: gets the offset. */
    public static long lea64(long offset) {
        return offset;
    }

    public static long cmovcc64(long old, long v, boolean condition) {
        return condition ? v : old;
    }

    public static long movbe64(long v) {
        return Long.reverseBytes(v);
    }

    public static int setcc(boolean condition) {
        return condition ? 1 : 0;
    }

    /** XCHG: locked with memory, prefix or not. */
    public static void xchg(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        if (insn.modrm < 0) {
            long a = Operands.gpr(cpu, insn, insn.rm, bytes);
            Operands.setGpr(cpu, insn, insn.rm, bytes, cpu.gpr[0]);
            Memory.setLow(cpu, 0, bytes, a);
            return;
        }
        long value = Operands.gpr(cpu, insn, insn.reg, bytes);
        long old;
        if (insn.memory) {
            long at = Operands.linear(cpu, insn, bytes, true);
            cpu.mmu.probeWrite(at, bytes);
            long seen = Memory.read(cpu, at, bytes);
            do {
                old = seen;
                seen = cpu.mmu.update(at, bytes, old, value);
            } while (seen != old);
        } else {
            old = Operands.readRm(cpu, insn, bytes);
            Operands.writeRm(cpu, insn, bytes, value);
        }
        Operands.setGpr(cpu, insn, insn.reg, bytes, old);
    }

    /** CBW, CWDE, CDQE. */
    public static void cbw(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        Memory.setLow(cpu, 0, bytes, Memory.signed(cpu.gpr[0], bytes / 2));
    }

    /** CWD, CDQ, CQO. */
    public static void cwd(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        Memory.setLow(cpu, 2, bytes, Memory.signed(cpu.gpr[0], bytes) >> 63);
    }

    /** XLAT. */
    public static void xlat(Cpu cpu, Instruction insn) {
        long offset = Memory.trim(cpu.gpr[3] + (cpu.gpr[0] & 0xff), insn.addressSize);
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : 3;
        Memory.setLow(cpu, 0, 1, cpu.mmu.read8(Segments.linear(cpu, segment, offset, 1, false)));
    }

    public static void lahf(Cpu cpu, Instruction insn) {
        cpu.gpr[0] = cpu.gpr[0] & ~0xff00L | (cpu.rflags() & 0xd5 | 2) << 8;
    }

    public static void sahf(Cpu cpu, Instruction insn) {
        boolean overflow = cpu.overflow();
        cpu.setStatus((int) (cpu.gpr[0] >>> 8) & 0xd5);
        cpu.setCarryOverflow(cpu.carry(), overflow);
    }

    /** SALC (undocumented, legacy modes only). */
    public static void salc(Cpu cpu, Instruction insn) {
        Memory.setLow(cpu, 0, 1, cpu.carry() ? 0xff : 0);
    }
}

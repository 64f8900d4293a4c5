package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.state.Cpu;

/** Moves to, from and between XMM registers. */
public final class SseMemory {
    private SseMemory() {}

    /** All 128 bits. */
    public static void load128(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = lo;
        cpu.xmm[2 * dst + 1] = hi;
    }

    /** All 128 bits of XMM reg to memory, or to XMM rm. */
    public static void store128(Cpu cpu, Instruction insn) {
        long lo = cpu.xmm[2 * insn.reg];
        long hi = cpu.xmm[2 * insn.reg + 1];
        if (!insn.memory) {
            load128(cpu, insn.rm, lo, hi);
            return;
        }
        long la =
                insn.row.has(Row.ALIGNED)
                        ? Operands.linearAligned(cpu, insn, 16, true)
                        : Operands.linear(cpu, insn, 16, true);
        if ((la & 0xfff) > 0xff0) {
            cpu.mmu.probeWrite(la, 16);
        }
        cpu.mmu.write64(la, lo);
        cpu.mmu.write64(la + 8, hi);
    }

    /** The low 32 bits; the rest becomes zero. */
    public static void load32(Cpu cpu, int dst, int v) {
        cpu.xmm[2 * dst] = v & 0xffffffffL;
        cpu.xmm[2 * dst + 1] = 0;
    }

    /** The low 32 bits; the rest stays. */
    public static void merge32(Cpu cpu, int dst, int v) {
        cpu.xmm[2 * dst] = cpu.xmm[2 * dst] & 0xffffffff00000000L | v & 0xffffffffL;
    }

    /** The low half; the high one becomes zero. */
    public static void load64(Cpu cpu, int dst, long v) {
        cpu.xmm[2 * dst] = v;
        cpu.xmm[2 * dst + 1] = 0;
    }

    /** The low half; the high one stays. */
    public static void merge64(Cpu cpu, int dst, long v) {
        cpu.xmm[2 * dst] = v;
    }

    /** The high half; the low one stays. */
    public static void mergeHigh(Cpu cpu, int dst, long v) {
        cpu.xmm[2 * dst + 1] = v;
    }

    /** The source's high half to the low one. */
    public static void movhlps(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = hi;
    }

    public static int store32(int v) {
        return v;
    }

    public static long store64(long v) {
        return v;
    }

    public static long storeHigh(long lo, long hi) {
        return hi;
    }

    public static void movd32(Cpu cpu, int dst, int v) {
        load32(cpu, dst, v);
    }

    public static void movd64(Cpu cpu, int dst, long v) {
        load64(cpu, dst, v);
    }

    public static int movdStore32(int v) {
        return v;
    }

    public static long movdStore64(long v) {
        return v;
    }

    public static int movnti32(int v) {
        return v;
    }

    public static long movnti64(long v) {
        return v;
    }

    /** Sign bits of the four lanes. */
    public static int movmskps(long lo, long hi) {
        return (int) (lo >>> 31 & 1 | lo >>> 63 << 1 | (hi >>> 31 & 1) << 2 | hi >>> 63 << 3);
    }

    /** Sign bits of the two lanes. */
    public static int movmskpd(long lo, long hi) {
        return (int) (lo >>> 63 | hi >>> 63 << 1);
    }

    /** Stores the bytes of XMM reg whose mask byte in rm has its top bit set, at DS:rDI. */
    public static void maskmovdqu(Cpu cpu, Instruction insn) {
        int mask = SseInteger.pmovmskb(cpu.xmm[2 * insn.rm], cpu.xmm[2 * insn.rm + 1]);
        maskedStore(cpu, insn, cpu.xmm[2 * insn.reg], cpu.xmm[2 * insn.reg + 1], mask, 16);
    }

    /**
     * Stores single bytes at DS:rDI (or another segment by prefix); none is written if any of the
     * operand faults, in the mask or not.
     */
    static void maskedStore(Cpu cpu, Instruction insn, long lo, long hi, int mask, int bytes) {
        long offset = cpu.gpr[7] & -1L >>> 64 - 8 * insn.addressSize;
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : 3;
        // Eight bytes after the other, each with its own faults.
        long la = Segments.linear(cpu, segment, offset, 8, true);
        cpu.mmu.probeWrite(la, 8);
        long next = la;
        if (bytes == 16) {
            long second = Operands.truncate(offset + 8, insn.addressSize);
            next = Segments.linear(cpu, segment, second, 8, true);
            cpu.mmu.probeWrite(next, 8);
        }
        for (int i = 0; i < bytes; i++) {
            if ((mask & 1 << i) != 0) {
                long half = i < 8 ? lo : hi;
                long at = (i < 8 ? la : next) + (i & 7);
                cpu.mmu.write8(at, (int) (half >>> 8 * (i & 7)) & 0xff);
            }
        }
    }
}

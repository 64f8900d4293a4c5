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
        long la = Operands.linear(cpu, insn, 16, true);
        if (insn.row.has(Row.ALIGNED) && (la & 15) != 0) {
            throw cpu.generalProtection(0);
        }
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
        maskedStore(cpu, insn, cpu.xmm[2 * insn.reg], cpu.xmm[2 * insn.reg + 1], mask);
    }

    /**
     * Stores single bytes at DS:rDI (or another segment by prefix); none is written if any faults.
     */
    static void maskedStore(Cpu cpu, Instruction insn, long lo, long hi, int mask) {
        if (mask == 0) {
            return;
        }
        long offset = cpu.gpr[7] & -1L >>> 64 - 8 * insn.addressSize;
        int first = Integer.numberOfTrailingZeros(mask);
        int last = 31 - Integer.numberOfLeadingZeros(mask);
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : 3;
        long la = Segments.linear(cpu, segment, offset + first, last - first + 1, true);
        cpu.mmu.probeWrite(la, last - first + 1);
        for (int i = first; i <= last; i++) {
            if ((mask & 1 << i) != 0) {
                long half = i < 8 ? lo : hi;
                cpu.mmu.write8(la + i - first, (int) (half >>> 8 * (i & 7)) & 0xff);
            }
        }
    }
}

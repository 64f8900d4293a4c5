package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** Carry-less multiplication (APM volume 4). */
public final class Pclmul {
    private static final long EVERY_FOURTH = 0x1111111111111111L;

    private Pclmul() {}

    public static void pclmulqdq(Cpu cpu, int dst, long lo, long hi, int imm) {
        long x = cpu.xmm[2 * dst + (imm & 1)];
        long y = (imm & 0x10) == 0 ? lo : hi;
        // Reversed factors give the reversed product, whose low half is the high one of this.
        long high = Long.reverse(low(Long.reverse(x), Long.reverse(y))) >>> 1;
        SseInteger.set(cpu, dst, low(x, y), high);
    }

    /**
     * The low half of the product. Factors of which every fourth bit is used multiply as integers:
     * below the top four places at most 15 ones meet, whose sum stays below the next bit kept.
     */
    private static long low(long x, long y) {
        long x0 = x & EVERY_FOURTH;
        long x1 = x & EVERY_FOURTH << 1;
        long x2 = x & EVERY_FOURTH << 2;
        long x3 = x & EVERY_FOURTH << 3;
        long y0 = y & EVERY_FOURTH;
        long y1 = y & EVERY_FOURTH << 1;
        long y2 = y & EVERY_FOURTH << 2;
        long y3 = y & EVERY_FOURTH << 3;
        long z0 = x0 * y0 ^ x1 * y3 ^ x2 * y2 ^ x3 * y1;
        long z1 = x0 * y1 ^ x1 * y0 ^ x2 * y3 ^ x3 * y2;
        long z2 = x0 * y2 ^ x1 * y1 ^ x2 * y0 ^ x3 * y3;
        long z3 = x0 * y3 ^ x1 * y2 ^ x2 * y1 ^ x3 * y0;
        return z0 & EVERY_FOURTH
                | z1 & EVERY_FOURTH << 1
                | z2 & EVERY_FOURTH << 2
                | z3 & EVERY_FOURTH << 3;
    }
}

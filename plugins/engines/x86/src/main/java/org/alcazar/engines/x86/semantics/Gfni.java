package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** Arithmetic on bytes as elements of GF(2^8) (APM volume 4, SDM volume 2). */
public final class Gfni {
    private static final long LOW8 = 0x0101010101010101L;
    private static final long REDUCED = 0x1b;

    private Gfni() {}

    /** Products modulo x^8 + x^4 + x^3 + x + 1, byte by byte. */
    public static long gf2p8mulb(long a, long b) {
        long r = 0;
        long v = a;
        for (int bit = 0; bit < 8; bit++) {
            r ^= v & (b >>> bit & LOW8) * 0xff;
            v = (v & LOW8 * 0x7f) << 1 ^ (v >>> 7 & LOW8) * REDUCED;
        }
        return r;
    }

    /** Each byte times a matrix of 8 by 8 bits, plus the immediate. */
    public static void gf2p8affineqb(Cpu cpu, int dst, long lo, long hi, int imm) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, affine(a, lo, imm), affine(b, hi, imm));
    }

    /** The same with the inverse of each byte. */
    public static void gf2p8affineinvqb(Cpu cpu, int dst, long lo, long hi, int imm) {
        long a = inverse(cpu.xmm[2 * dst]);
        long b = inverse(cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, affine(a, lo, imm), affine(b, hi, imm));
    }

    private static long affine(long v, long matrix, int imm) {
        long r = (imm & 0xff) * LOW8;
        for (int bit = 0; bit < 8; bit++) {
            // Row 0 of the matrix, for bit 0 of the result, is its top byte; x's bit meets its bit.
            long row = (matrix >>> 56 - 8 * bit & 0xff) * LOW8;
            long x = v & row;
            x ^= x >>> 4;
            x ^= x >>> 2;
            x ^= x >>> 1;
            r ^= (x & LOW8) << bit;
        }
        return r;
    }

    /** The power of 254, byte by byte: the inverse, or 0 of 0. */
    private static long inverse(long v) {
        long square = gf2p8mulb(v, v);
        long r = square;
        for (int i = 0; i < 6; i++) {
            square = gf2p8mulb(square, square);
            r = gf2p8mulb(r, square);
        }
        return r;
    }
}

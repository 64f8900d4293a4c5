package org.alcazar.engines.x86.semantics;

/**
 * SSSE3 on 64 bits: the MMX forms, and what the XMM forms do to each half (APM volumes 4 and 5).
 */
public final class Ssse3 {
    private Ssse3() {}

    /** Bytes of a at the places that b names. */
    public static long pshufb(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int which = (int) (b >>> i);
            long v = (which & 0x80) != 0 ? 0 : a >>> 8 * (which & 7) & 0xff;
            r |= v << i;
        }
        return r;
    }

    public static long phaddw(long a, long b) {
        return addWords(a) | addWords(b) << 32;
    }

    public static long phaddd(long a, long b) {
        return addDwords(a) | addDwords(b) << 32;
    }

    public static long phaddsw(long a, long b) {
        return addSaturated(a) | addSaturated(b) << 32;
    }

    public static long phsubw(long a, long b) {
        return subtractWords(a) | subtractWords(b) << 32;
    }

    public static long phsubd(long a, long b) {
        return subtractDwords(a) | subtractDwords(b) << 32;
    }

    public static long phsubsw(long a, long b) {
        return subtractSaturated(a) | subtractSaturated(b) << 32;
    }

    /** Sums of the two pairs of words, in the low half. */
    static long addWords(long v) {
        return v + (v >>> 16) & 0xffff | (v >>> 32) + (v >>> 48) << 16 & 0xffff0000L;
    }

    static long addDwords(long v) {
        return v + (v >>> 32) & 0xffffffffL;
    }

    static long addSaturated(long v) {
        return saturate((short) v + (short) (v >> 16))
                | saturate((short) (v >> 32) + (short) (v >> 48)) << 16;
    }

    static long subtractWords(long v) {
        return v - (v >>> 16) & 0xffff | (v >>> 32) - (v >>> 48) << 16 & 0xffff0000L;
    }

    static long subtractDwords(long v) {
        return v - (v >>> 32) & 0xffffffffL;
    }

    static long subtractSaturated(long v) {
        return saturate((short) v - (short) (v >> 16))
                | saturate((short) (v >> 32) - (short) (v >> 48)) << 16;
    }

    private static long saturate(int v) {
        return Math.clamp(v, -32768, 32767) & 0xffffL;
    }

    /** Unsigned bytes of a times signed bytes of b, neighbours added. */
    public static long pmaddubsw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int even = ((int) (a >>> i) & 0xff) * (byte) (b >>> i);
            int odd = ((int) (a >>> i + 8) & 0xff) * (byte) (b >>> i + 8);
            r |= saturate(even + odd) << i;
        }
        return r;
    }

    public static long psignb(long a, long b) {
        long negative = Mmx.less8(b, 0);
        return Mmx.psubb(a ^ negative, negative) & ~Mmx.pcmpeqb(b, 0);
    }

    public static long psignw(long a, long b) {
        long negative = Mmx.less16(b, 0);
        return Mmx.psubw(a ^ negative, negative) & ~Mmx.pcmpeqw(b, 0);
    }

    public static long psignd(long a, long b) {
        long low = Integer.signum((int) b) * (int) a & 0xffffffffL;
        return low | (long) (Integer.signum((int) (b >> 32)) * (int) (a >> 32)) << 32;
    }

    /** High halves of the products, rounded at bit 14. */
    public static long pmulhrsw(long a, long b) {
        long r = 0;
        for (int i = 0; i < 64; i += 16) {
            int product = (short) (a >>> i) * (short) (b >>> i);
            r |= ((product >> 14) + 1 >> 1 & 0xffffL) << i;
        }
        return r;
    }

    public static long pabsb(long b) {
        long negative = Mmx.less8(b, 0);
        return Mmx.psubb(b ^ negative, negative);
    }

    public static long pabsw(long b) {
        long negative = Mmx.less16(b, 0);
        return Mmx.psubw(b ^ negative, negative);
    }

    public static long pabsd(long b) {
        return Math.abs((int) b) & 0xffffffffL | (long) Math.abs((int) (b >> 32)) << 32;
    }

    /** The low 64 bits of a:b shifted right by bytes. */
    public static long palignr(long a, long b, int imm) {
        int bits = 8 * Math.min(imm & 0xff, 16);
        if (bits >= 64) {
            return bits == 128 ? 0 : a >>> bits - 64;
        }
        return bits == 0 ? b : b >>> bits | a << 64 - bits;
    }
}

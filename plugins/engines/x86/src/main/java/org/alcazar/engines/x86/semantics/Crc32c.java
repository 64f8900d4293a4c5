package org.alcazar.engines.x86.semantics;

/** Remainders by Castagnoli's polynomial 1EDC6F41h, bits reversed, as CRC32 computes them. */
final class Crc32c {
    private static final int POLYNOMIAL = 0x82f63b78;

    /** Remainder of byte i followed by n zero bytes, at 256 * n + i. */
    private static final int[] TABLE = table();

    private Crc32c() {}

    private static int[] table() {
        int[] t = new int[8 * 256];
        for (int i = 0; i < 256; i++) {
            int v = i;
            for (int bit = 0; bit < 8; bit++) {
                v = v >>> 1 ^ POLYNOMIAL & -(v & 1);
            }
            t[i] = v;
        }
        for (int i = 256; i < t.length; i++) {
            t[i] = t[i - 256] >>> 8 ^ t[t[i - 256] & 0xff];
        }
        return t;
    }

    static int update8(int crc, int v) {
        return crc >>> 8 ^ TABLE[(crc ^ v) & 0xff];
    }

    static int update16(int crc, int v) {
        int x = crc ^ v & 0xffff;
        return crc >>> 16 ^ TABLE[256 | x & 0xff] ^ TABLE[x >>> 8 & 0xff];
    }

    static int update32(int crc, int v) {
        return four(crc ^ v, 0);
    }

    static int update64(int crc, long v) {
        return four(crc ^ (int) v, 1024) ^ four((int) (v >>> 32), 0);
    }

    /** Four bytes, followed by as many zero bytes as {@code at} says. */
    private static int four(int x, int at) {
        return TABLE[at + 768 | x & 0xff]
                ^ TABLE[at + 512 | x >>> 8 & 0xff]
                ^ TABLE[at + 256 | x >>> 16 & 0xff]
                ^ TABLE[at | x >>> 24];
    }
}

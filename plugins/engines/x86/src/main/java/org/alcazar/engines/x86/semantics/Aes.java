package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/**
 * AES rounds (FIPS 197; APM volume 4). Column c of the state is dword c of the register, row r its
 * byte r. Tables join substitution and the mixing of one byte into its column.
 */
public final class Aes {
    private static final int POLYNOMIAL = 0x11b;
    private static final byte[] SUBSTITUTE = substitutes();
    private static final byte[] INVERSE = inverses();

    /** What byte x of row 0 contributes to its column after SubBytes and MixColumns. */
    private static final int[] ENCRYPT = columns(SUBSTITUTE, 2, 1, 1, 3);

    /** The same for the inverse round. */
    private static final int[] DECRYPT = columns(INVERSE, 14, 9, 13, 11);

    private Aes() {}

    private static int times(int a, int b) {
        int r = 0;
        for (int bit = 0, v = a; bit < 8; bit++) {
            r ^= (b >> bit & 1) != 0 ? v : 0;
            v = v << 1 ^ ((v & 0x80) != 0 ? POLYNOMIAL : 0);
        }
        return r;
    }

    private static byte[] substitutes() {
        byte[] box = new byte[256];
        // p runs through all powers of 3, q through those of its inverse F6h.
        int p = 1;
        int q = 1;
        do {
            p = times(p, 3);
            q = times(q, 0xf6);
            int wide = q * 0x101;
            box[p] = (byte) (wide ^ wide >> 4 ^ wide >> 5 ^ wide >> 6 ^ wide >> 7 ^ 0x63);
        } while (p != 1);
        box[0] = 0x63;
        return box;
    }

    private static byte[] inverses() {
        byte[] box = new byte[256];
        for (int i = 0; i < 256; i++) {
            box[SUBSTITUTE[i] & 0xff] = (byte) i;
        }
        return box;
    }

    private static int[] columns(byte[] box, int m0, int m1, int m2, int m3) {
        int[] t = new int[256];
        for (int i = 0; i < 256; i++) {
            int v = box[i] & 0xff;
            t[i] = times(v, m0) | times(v, m1) << 8 | times(v, m2) << 16 | times(v, m3) << 24;
        }
        return t;
    }

    public static void aesenc(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        long c0 = mixed(ENCRYPT, a, a >>> 40, b >>> 16, b >>> 56);
        long c1 = mixed(ENCRYPT, a >>> 32, b >>> 8, b >>> 48, a >>> 24);
        long c2 = mixed(ENCRYPT, b, b >>> 40, a >>> 16, a >>> 56);
        long c3 = mixed(ENCRYPT, b >>> 32, a >>> 8, a >>> 48, b >>> 24);
        SseInteger.set(cpu, dst, (c0 | c1 << 32) ^ lo, (c2 | c3 << 32) ^ hi);
    }

    public static void aesenclast(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        long c0 = plain(SUBSTITUTE, a, a >>> 40, b >>> 16, b >>> 56);
        long c1 = plain(SUBSTITUTE, a >>> 32, b >>> 8, b >>> 48, a >>> 24);
        long c2 = plain(SUBSTITUTE, b, b >>> 40, a >>> 16, a >>> 56);
        long c3 = plain(SUBSTITUTE, b >>> 32, a >>> 8, a >>> 48, b >>> 24);
        SseInteger.set(cpu, dst, (c0 | c1 << 32) ^ lo, (c2 | c3 << 32) ^ hi);
    }

    public static void aesdec(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        long c0 = mixed(DECRYPT, a, b >>> 40, b >>> 16, a >>> 56);
        long c1 = mixed(DECRYPT, a >>> 32, a >>> 8, b >>> 48, b >>> 24);
        long c2 = mixed(DECRYPT, b, a >>> 40, a >>> 16, b >>> 56);
        long c3 = mixed(DECRYPT, b >>> 32, b >>> 8, a >>> 48, a >>> 24);
        SseInteger.set(cpu, dst, (c0 | c1 << 32) ^ lo, (c2 | c3 << 32) ^ hi);
    }

    public static void aesdeclast(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        long c0 = plain(INVERSE, a, b >>> 40, b >>> 16, a >>> 56);
        long c1 = plain(INVERSE, a >>> 32, a >>> 8, b >>> 48, b >>> 24);
        long c2 = plain(INVERSE, b, a >>> 40, a >>> 16, b >>> 56);
        long c3 = plain(INVERSE, b >>> 32, b >>> 8, a >>> 48, a >>> 24);
        SseInteger.set(cpu, dst, (c0 | c1 << 32) ^ lo, (c2 | c3 << 32) ^ hi);
    }

    public static void aesimc(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, inverseMixed(lo), inverseMixed(hi));
    }

    /** Substituted words 1 and 3, plain and rotated; the round constant is the immediate. */
    public static void aeskeygenassist(Cpu cpu, int dst, long lo, long hi, int imm) {
        SseInteger.set(cpu, dst, keyWord((int) (lo >>> 32), imm), keyWord((int) (hi >>> 32), imm));
    }

    private static long keyWord(int word, int imm) {
        int v = (int) plain(SUBSTITUTE, word, word >>> 8, word >>> 16, word >>> 24);
        return v & 0xffffffffL | (long) (Integer.rotateRight(v, 8) ^ imm & 0xff) << 32;
    }

    private static long inverseMixed(long v) {
        return inverseMixed((int) v) | inverseMixed((int) (v >>> 32)) << 32;
    }

    private static long inverseMixed(int v) {
        // The tables substitute first: undo that before.
        long s = plain(SUBSTITUTE, v, v >>> 8, v >>> 16, v >>> 24);
        return mixed(DECRYPT, s, s >>> 8, s >>> 16, s >>> 24);
    }

    /** A column of the low bytes of rows 0 to 3. */
    private static long mixed(int[] table, long r0, long r1, long r2, long r3) {
        int v =
                table[(int) r0 & 0xff]
                        ^ Integer.rotateLeft(table[(int) r1 & 0xff], 8)
                        ^ Integer.rotateLeft(table[(int) r2 & 0xff], 16)
                        ^ Integer.rotateLeft(table[(int) r3 & 0xff], 24);
        return v & 0xffffffffL;
    }

    private static long plain(byte[] box, long r0, long r1, long r2, long r3) {
        int v =
                box[(int) r0 & 0xff] & 0xff
                        | (box[(int) r1 & 0xff] & 0xff) << 8
                        | (box[(int) r2 & 0xff] & 0xff) << 16
                        | box[(int) r3 & 0xff] << 24;
        return v & 0xffffffffL;
    }
}

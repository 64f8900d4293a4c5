package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** Steps of SHA-1 and SHA-256 (FIPS 180-4; APM volume 4, SDM volume 2). */
public final class Sha {
    private static final long LOW32 = 0xffffffffL;

    private Sha() {}

    private static long pair(int low, int high) {
        return low & LOW32 | (long) high << 32;
    }

    private static int high(long v) {
        return (int) (v >>> 32);
    }

    /** E after four rounds, added to the top word of the message. */
    public static void sha1nexte(Cpu cpu, int dst, long lo, long hi) {
        int e = Integer.rotateLeft(high(cpu.xmm[2 * dst + 1]), 30);
        SseInteger.set(cpu, dst, lo, hi + ((long) e << 32));
    }

    public static void sha1msg1(Cpu cpu, int dst, long lo, long hi) {
        // Words from the top: W0 to W3 in the destination, W4 and W5 above in the source.
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, a ^ hi, b ^ a);
    }

    public static void sha1msg2(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        int w16 = Integer.rotateLeft(high(b) ^ (int) hi, 1);
        int w17 = Integer.rotateLeft((int) b ^ high(lo), 1);
        int w18 = Integer.rotateLeft(high(a) ^ (int) lo, 1);
        int w19 = Integer.rotateLeft((int) a ^ w16, 1);
        SseInteger.set(cpu, dst, pair(w19, w18), pair(w17, w16));
    }

    /** Four rounds; the immediate chooses function and constant. */
    public static void sha1rnds4(Cpu cpu, int dst, long lo, long hi, int imm) {
        int a = high(cpu.xmm[2 * dst + 1]);
        int b = (int) cpu.xmm[2 * dst + 1];
        int c = high(cpu.xmm[2 * dst]);
        int d = (int) cpu.xmm[2 * dst];
        int e = 0;
        int k =
                switch (imm & 3) {
                    case 0 -> 0x5a827999;
                    case 1 -> 0x6ed9eba1;
                    case 2 -> 0x8f1bbcdc;
                    default -> 0xca62c1d6;
                };
        for (int i = 0; i < 4; i++) {
            int w = (int) ((i < 2 ? hi : lo) >>> 32 * (~i & 1));
            int f =
                    switch (imm & 3) {
                        case 0 -> b & c ^ ~b & d;
                        case 2 -> b & c ^ b & d ^ c & d;
                        default -> b ^ c ^ d;
                    };
            int next = f + Integer.rotateLeft(a, 5) + w + e + k;
            e = d;
            d = c;
            c = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        SseInteger.set(cpu, dst, pair(d, c), pair(b, a));
    }

    public static void sha256msg1(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        int r0 = (int) a + small0(high(a));
        int r1 = high(a) + small0((int) b);
        int r2 = (int) b + small0(high(b));
        int r3 = high(b) + small0((int) lo);
        SseInteger.set(cpu, dst, pair(r0, r1), pair(r2, r3));
    }

    public static void sha256msg2(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        int w16 = (int) a + small1((int) hi);
        int w17 = high(a) + small1(high(hi));
        int w18 = (int) b + small1(w16);
        int w19 = high(b) + small1(w17);
        SseInteger.set(cpu, dst, pair(w16, w17), pair(w18, w19));
    }

    private static int small0(int v) {
        return Integer.rotateRight(v, 7) ^ Integer.rotateRight(v, 18) ^ v >>> 3;
    }

    private static int small1(int v) {
        return Integer.rotateRight(v, 17) ^ Integer.rotateRight(v, 19) ^ v >>> 10;
    }

    /**
     * Two rounds: C, D, G, H in the destination, A, B, E, F in the source, each from the top; the
     * message with its constants in the low half of XMM0.
     */
    public static void sha256rnds2(Cpu cpu, int dst, long lo, long hi, long wk, long unused) {
        int a = high(hi);
        int b = (int) hi;
        int e = high(lo);
        int f = (int) lo;
        int c = high(cpu.xmm[2 * dst + 1]);
        int d = (int) cpu.xmm[2 * dst + 1];
        int g = high(cpu.xmm[2 * dst]);
        int h = (int) cpu.xmm[2 * dst];
        for (int i = 0; i < 2; i++) {
            int s1 = Integer.rotateRight(e, 6) ^ Integer.rotateRight(e, 11);
            s1 ^= Integer.rotateRight(e, 25);
            int t = h + s1 + (e & f ^ ~e & g) + (int) (wk >>> 32 * i);
            int s0 = Integer.rotateRight(a, 2) ^ Integer.rotateRight(a, 13);
            s0 ^= Integer.rotateRight(a, 22);
            h = g;
            g = f;
            f = e;
            e = d + t;
            d = c;
            int next = t + s0 + (a & b ^ a & c ^ b & c);
            c = b;
            b = a;
            a = next;
        }
        SseInteger.set(cpu, dst, pair(f, e), pair(b, a));
    }
}

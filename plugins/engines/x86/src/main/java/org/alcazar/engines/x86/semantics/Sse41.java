package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;

/**
 * SSE4.1 on integers: blends, inserted and extracted elements, sums of differences, minima (APM
 * volume 4). Methods of two {@code long} are lane by lane.
 */
public final class Sse41 {
    private static final long LOW8 = 0x0101010101010101L;
    private static final long LOW32 = 0xffffffffL;

    private Sse41() {}

    // ---- blends: by the top bits of XMM0's elements, or by an immediate

    public static void pblendvb(Cpu cpu, int dst, long lo, long hi, long maskLo, long maskHi) {
        blend(cpu, dst, lo, hi, (maskLo >>> 7 & LOW8) * 0xff, (maskHi >>> 7 & LOW8) * 0xff);
    }

    public static void blendvps(Cpu cpu, int dst, long lo, long hi, long maskLo, long maskHi) {
        blend(cpu, dst, lo, hi, dwordSigns(maskLo), dwordSigns(maskHi));
    }

    public static void blendvpd(Cpu cpu, int dst, long lo, long hi, long maskLo, long maskHi) {
        blend(cpu, dst, lo, hi, maskLo >> 63, maskHi >> 63);
    }

    public static void blendps(Cpu cpu, int dst, long lo, long hi, int imm) {
        blend(cpu, dst, lo, hi, dwords(imm), dwords(imm >> 2));
    }

    public static void blendpd(Cpu cpu, int dst, long lo, long hi, int imm) {
        blend(cpu, dst, lo, hi, -(long) (imm & 1), -(long) (imm >> 1 & 1));
    }

    public static void pblendw(Cpu cpu, int dst, long lo, long hi, int imm) {
        blend(cpu, dst, lo, hi, words(imm), words(imm >> 4));
    }

    private static long dwordSigns(long v) {
        return v >> 63 << 32 | (int) v >> 31 & LOW32;
    }

    private static long dwords(int bits) {
        return -(long) (bits & 1) & LOW32 | -(long) (bits >> 1 & 1) << 32;
    }

    private static long words(int bits) {
        return (bits & 1 | (bits & 2L) << 15 | (bits & 4L) << 30 | (bits & 8L) << 45) * 0xffff;
    }

    private static void blend(Cpu cpu, int dst, long lo, long hi, long maskLo, long maskHi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, a & ~maskLo | lo & maskLo, b & ~maskHi | hi & maskHi);
    }

    public static void ptest(Cpu cpu, long a, long b, long lo, long hi) {
        int zf = (a & lo | b & hi) == 0 ? Bits.ZF : 0;
        cpu.setStatus(zf | ((~a & lo | ~b & hi) == 0 ? Bits.CF : 0));
    }

    // ---- lane by lane

    public static long pmuldq(long a, long b) {
        return (long) (int) a * (int) b;
    }

    public static long pcmpeqq(long a, long b) {
        return a == b ? -1 : 0;
    }

    public static long pmulld(long a, long b) {
        return (int) a * (int) b & LOW32 | (a >>> 32) * (b >>> 32) << 32;
    }

    public static long pminsb(long a, long b) {
        return Mmx.choose(Mmx.less8(a, b), a, b);
    }

    public static long pmaxsb(long a, long b) {
        return Mmx.choose(Mmx.less8(b, a), a, b);
    }

    public static long pminuw(long a, long b) {
        return Mmx.choose(Mmx.below16(a, b), a, b);
    }

    public static long pmaxuw(long a, long b) {
        return Mmx.choose(Mmx.below16(b, a), a, b);
    }

    public static long pminsd(long a, long b) {
        long low = Math.min((int) a, (int) b) & LOW32;
        return low | (long) Math.min((int) (a >> 32), (int) (b >> 32)) << 32;
    }

    public static long pmaxsd(long a, long b) {
        long low = Math.max((int) a, (int) b) & LOW32;
        return low | (long) Math.max((int) (a >> 32), (int) (b >> 32)) << 32;
    }

    public static long pminud(long a, long b) {
        return Math.min(a & LOW32, b & LOW32) | Math.min(a >>> 32, b >>> 32) << 32;
    }

    public static long pmaxud(long a, long b) {
        return Math.max(a & LOW32, b & LOW32) | Math.max(a >>> 32, b >>> 32) << 32;
    }

    // ---- across lanes

    public static void packusdw(Cpu cpu, int dst, long lo, long hi) {
        long a = packed(cpu.xmm[2 * dst]) | packed(cpu.xmm[2 * dst + 1]) << 32;
        SseInteger.set(cpu, dst, a, packed(lo) | packed(hi) << 32);
    }

    private static long packed(long v) {
        return word((int) v) | word((int) (v >> 32)) << 16;
    }

    private static long word(int v) {
        return Math.max(0, Math.min(v, 0xffff));
    }

    /** The smallest word and its place. */
    public static void phminposuw(Cpu cpu, int dst, long lo, long hi) {
        long least = 0xffff;
        int place = 0;
        for (int i = 7; i >= 0; i--) {
            long v = (i < 4 ? lo : hi) >>> 16 * (i & 3) & 0xffff;
            if (v <= least) {
                least = v;
                place = i;
            }
        }
        SseInteger.set(cpu, dst, least | (long) place << 16, 0);
    }

    /**
     * Sums of absolute differences: four bytes of the source with the four bytes from each of eight
     * places of the destination on.
     */
    public static void mpsadbw(Cpu cpu, int dst, long lo, long hi, int imm) {
        long four = (imm & 2) == 0 ? lo : hi;
        four = four >>> 32 * (imm & 1) & LOW32;
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        if ((imm & 4) != 0) {
            a = a >>> 32 | b << 32;
            b >>>= 32;
        }
        long middle = a >>> 32 | b << 32;
        SseInteger.set(cpu, dst, differences(a, four), differences(middle, four));
    }

    private static long differences(long window, long four) {
        long r = 0;
        for (int i = 0; i < 4; i++) {
            r |= Mmx.psadbw(window >>> 8 * i & LOW32, four) << 16 * i;
        }
        return r;
    }

    // ---- single elements

    /** From a register: any of its elements. */
    public static void insertps(Cpu cpu, int dst, long lo, long hi, int imm) {
        long half = (imm & 0x80) == 0 ? lo : hi;
        insertpsMemory(cpu, dst, (int) (half >>> (imm >> 1 & 32)), imm);
    }

    /** From memory, with the elements that the immediate names cleared. */
    public static void insertpsMemory(Cpu cpu, int dst, int v, int imm) {
        pinsrd(cpu, dst, v, imm >> 4);
        cpu.xmm[2 * dst] &= ~dwords(imm);
        cpu.xmm[2 * dst + 1] &= ~dwords(imm >> 2);
    }

    public static void pinsrb(Cpu cpu, int dst, int v, int imm) {
        int half = 2 * dst + (imm >> 3 & 1);
        int shift = 8 * (imm & 7);
        cpu.xmm[half] = cpu.xmm[half] & ~(0xffL << shift) | (v & 0xffL) << shift;
    }

    public static void pinsrd(Cpu cpu, int dst, int v, int imm) {
        int half = 2 * dst + (imm >> 1 & 1);
        int shift = 32 * (imm & 1);
        cpu.xmm[half] = cpu.xmm[half] & ~(LOW32 << shift) | (v & LOW32) << shift;
    }

    public static void pinsrq(Cpu cpu, int dst, long v, int imm) {
        cpu.xmm[2 * dst + (imm & 1)] = v;
    }

    public static int pextrb(long lo, long hi, int imm) {
        return (int) (((imm & 8) == 0 ? lo : hi) >>> 8 * (imm & 7)) & 0xff;
    }

    public static int pextrw(long lo, long hi, int imm) {
        return SseInteger.pextrw(lo, hi, imm);
    }

    public static int pextrd(long lo, long hi, int imm) {
        return (int) (((imm & 2) == 0 ? lo : hi) >>> 32 * (imm & 1));
    }

    public static long pextrq(long lo, long hi, int imm) {
        return (imm & 1) == 0 ? lo : hi;
    }

    public static int extractps(long lo, long hi, int imm) {
        return pextrd(lo, hi, imm);
    }
}

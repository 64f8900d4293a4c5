package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** SSE and SSE2 instructions that move lanes between places: packs, unpacks, shuffles. */
public final class SseShuffle {
    private static final long LOW32 = 0xffffffffL;

    private SseShuffle() {}

    public static void packsswb(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.packsswb(a, b), Mmx.packsswb(lo, hi));
    }

    public static void packuswb(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.packuswb(a, b), Mmx.packuswb(lo, hi));
    }

    public static void packssdw(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.packssdw(a, b), Mmx.packssdw(lo, hi));
    }

    public static void punpcklbw(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        SseInteger.set(cpu, dst, Mmx.punpcklbw(a, (int) lo), Mmx.punpckhbw(a, lo));
    }

    public static void punpckhbw(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.punpcklbw(a, (int) hi), Mmx.punpckhbw(a, hi));
    }

    public static void punpcklwd(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        SseInteger.set(cpu, dst, Mmx.punpcklwd(a, (int) lo), Mmx.punpckhwd(a, lo));
    }

    public static void punpckhwd(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.punpcklwd(a, (int) hi), Mmx.punpckhwd(a, hi));
    }

    public static void punpckldq(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        SseInteger.set(cpu, dst, Mmx.punpckldq(a, (int) lo), Mmx.punpckhdq(a, lo));
    }

    public static void punpckhdq(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, Mmx.punpckldq(a, (int) hi), Mmx.punpckhdq(a, hi));
    }

    public static void punpcklqdq(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst + 1] = lo;
    }

    public static void punpckhqdq(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, cpu.xmm[2 * dst + 1], hi);
    }

    public static void unpcklps(Cpu cpu, int dst, long lo, long hi) {
        punpckldq(cpu, dst, lo, hi);
    }

    public static void unpckhps(Cpu cpu, int dst, long lo, long hi) {
        punpckhdq(cpu, dst, lo, hi);
    }

    public static void unpcklpd(Cpu cpu, int dst, long lo, long hi) {
        punpcklqdq(cpu, dst, lo, hi);
    }

    public static void unpckhpd(Cpu cpu, int dst, long lo, long hi) {
        punpckhqdq(cpu, dst, lo, hi);
    }

    public static void pshufd(Cpu cpu, int dst, long lo, long hi, int imm) {
        long first = select(lo, hi, imm) | select(lo, hi, imm >> 2) << 32;
        long second = select(lo, hi, imm >> 4) | select(lo, hi, imm >> 6) << 32;
        SseInteger.set(cpu, dst, first, second);
    }

    public static void pshuflw(Cpu cpu, int dst, long lo, long hi, int imm) {
        SseInteger.set(cpu, dst, Mmx.pshufw(lo, imm), hi);
    }

    public static void pshufhw(Cpu cpu, int dst, long lo, long hi, int imm) {
        SseInteger.set(cpu, dst, lo, Mmx.pshufw(hi, imm));
    }

    public static void shufps(Cpu cpu, int dst, long lo, long hi, int imm) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        long first = select(a, b, imm) | select(a, b, imm >> 2) << 32;
        long second = select(lo, hi, imm >> 4) | select(lo, hi, imm >> 6) << 32;
        SseInteger.set(cpu, dst, first, second);
    }

    public static void shufpd(Cpu cpu, int dst, long lo, long hi, int imm) {
        long first = cpu.xmm[2 * dst + (imm & 1)];
        SseInteger.set(cpu, dst, first, (imm & 2) == 0 ? lo : hi);
    }

    /** One of four lanes of 32 bits, by the low two bits of {@code which}. */
    private static long select(long lo, long hi, int which) {
        long half = (which & 2) == 0 ? lo : hi;
        return (which & 1) == 0 ? half & LOW32 : half >>> 32;
    }
}

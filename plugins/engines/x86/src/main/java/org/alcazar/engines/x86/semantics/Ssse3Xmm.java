package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/** SSSE3 on XMM registers, where that is not half by half. */
public final class Ssse3Xmm {
    private Ssse3Xmm() {}

    public static void pshufb(Cpu cpu, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        SseInteger.set(cpu, dst, shuffle(a, b, lo), shuffle(a, b, hi));
    }

    private static long shuffle(long a, long b, long places) {
        long r = 0;
        for (int i = 0; i < 64; i += 8) {
            int which = (int) (places >>> i);
            long half = (which & 8) == 0 ? a : b;
            long v = (which & 0x80) != 0 ? 0 : half >>> 8 * (which & 7) & 0xff;
            r |= v << i;
        }
        return r;
    }

    public static void phaddw(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phaddw(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phaddw(lo, hi));
    }

    public static void phaddd(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phaddd(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phaddd(lo, hi));
    }

    public static void phaddsw(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phaddsw(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phaddsw(lo, hi));
    }

    public static void phsubw(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phsubw(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phsubw(lo, hi));
    }

    public static void phsubd(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phsubd(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phsubd(lo, hi));
    }

    public static void phsubsw(Cpu cpu, int dst, long lo, long hi) {
        long a = Ssse3.phsubsw(cpu.xmm[2 * dst], cpu.xmm[2 * dst + 1]);
        SseInteger.set(cpu, dst, a, Ssse3.phsubsw(lo, hi));
    }

    /** The low 128 bits of destination:source shifted right by bytes. */
    public static void palignr(Cpu cpu, int dst, long lo, long hi, int imm) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        int n = Math.min(imm & 0xff, 32);
        int within = n & 7;
        switch (n >> 3) {
            case 0 -> set(cpu, dst, lo, hi, a, within);
            case 1 -> set(cpu, dst, hi, a, b, within);
            case 2 -> set(cpu, dst, a, b, 0, within);
            case 3 -> set(cpu, dst, b, 0, 0, within);
            default -> SseInteger.set(cpu, dst, 0, 0);
        }
    }

    private static void set(Cpu cpu, int dst, long low, long middle, long high, int bytes) {
        long lo = Ssse3.palignr(middle, low, bytes);
        SseInteger.set(cpu, dst, lo, Ssse3.palignr(high, middle, bytes));
    }
}

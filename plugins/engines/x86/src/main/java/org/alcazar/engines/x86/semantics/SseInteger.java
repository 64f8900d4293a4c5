package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/**
 * SSE2 integer instructions that are not lane by lane: shifts, masks, inserted and extracted words.
 */
public final class SseInteger {
    private SseInteger() {}

    /** The count is the low half of the source. */
    public static void psllw(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psllw(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psllw(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psllwI(Cpu cpu, int dst, int imm) {
        psllw(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void pslld(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.pslld(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.pslld(cpu.xmm[2 * dst + 1], lo);
    }

    public static void pslldI(Cpu cpu, int dst, int imm) {
        pslld(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psllq(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psllq(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psllq(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psllqI(Cpu cpu, int dst, int imm) {
        psllq(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psrlw(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psrlw(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psrlw(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psrlwI(Cpu cpu, int dst, int imm) {
        psrlw(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psrld(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psrld(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psrld(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psrldI(Cpu cpu, int dst, int imm) {
        psrld(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psrlq(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psrlq(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psrlq(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psrlqI(Cpu cpu, int dst, int imm) {
        psrlq(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psraw(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psraw(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psraw(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psrawI(Cpu cpu, int dst, int imm) {
        psraw(cpu, dst, imm & 0xff, 0);
    }

    /** The count is the low half of the source. */
    public static void psrad(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = Mmx.psrad(cpu.xmm[2 * dst], lo);
        cpu.xmm[2 * dst + 1] = Mmx.psrad(cpu.xmm[2 * dst + 1], lo);
    }

    public static void psradI(Cpu cpu, int dst, int imm) {
        psrad(cpu, dst, imm & 0xff, 0);
    }

    /** Shifts the whole register left by bytes. */
    public static void pslldqI(Cpu cpu, int dst, int imm) {
        int bits = 8 * Math.min(imm & 0xff, 16);
        long lo = cpu.xmm[2 * dst];
        long hi = cpu.xmm[2 * dst + 1];
        if (bits >= 64) {
            hi = bits == 128 ? 0 : lo << bits - 64;
            lo = 0;
        } else if (bits != 0) {
            hi = hi << bits | lo >>> 64 - bits;
            lo <<= bits;
        }
        set(cpu, dst, lo, hi);
    }

    /** Shifts the whole register right by bytes. */
    public static void psrldqI(Cpu cpu, int dst, int imm) {
        int bits = 8 * Math.min(imm & 0xff, 16);
        long lo = cpu.xmm[2 * dst];
        long hi = cpu.xmm[2 * dst + 1];
        if (bits >= 64) {
            lo = bits == 128 ? 0 : hi >>> bits - 64;
            hi = 0;
        } else if (bits != 0) {
            lo = lo >>> bits | hi << 64 - bits;
            hi >>>= bits;
        }
        set(cpu, dst, lo, hi);
    }

    /** Top bits of the sixteen bytes. */
    public static int pmovmskb(long lo, long hi) {
        return Mmx.pmovmskb(lo) | Mmx.pmovmskb(hi) << 8;
    }

    public static int pextrw(long lo, long hi, int imm) {
        return Mmx.pextrw((imm & 4) == 0 ? lo : hi, imm);
    }

    public static void pinsrw(Cpu cpu, int dst, int v, int imm) {
        int half = 2 * dst + (imm >> 2 & 1);
        cpu.xmm[half] = Mmx.pinsrw(cpu.xmm[half], v, imm);
    }

    static void set(Cpu cpu, int dst, long lo, long hi) {
        cpu.xmm[2 * dst] = lo;
        cpu.xmm[2 * dst + 1] = hi;
    }
}

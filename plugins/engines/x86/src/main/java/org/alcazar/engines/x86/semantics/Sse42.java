package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;

/** SSE4.2: comparison of text and of quadwords (APM volume 4, SDM volume 1, 4.1 of volume 2). */
public final class Sse42 {
    private static final int RAX = 0, RCX = 1, RDX = 2;

    /** Of the immediate: words instead of bytes, signed elements. */
    private static final int WORDS = 1, SIGNED = 2;

    /** Of the immediate: the result is inverted, but only for valid elements of the second text. */
    private static final int NEGATE = 0x10, MASKED = 0x20;

    /**
     * Of the immediate: the last index instead of the first, a mask of elements instead of bits.
     */
    private static final int WIDE = 0x40;

    private Sse42() {}

    public static long pcmpgtq(long a, long b) {
        return a > b ? -1 : 0;
    }

    public static void pcmpestrm(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(cpu.gpr[RAX] << 32 >> 32, imm);
        int nb = length(cpu.gpr[RDX] << 32 >> 32, imm);
        mask(cpu, compare(cpu, a, b, na, lo, hi, nb, imm), imm);
    }

    public static void pcmpestri(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(cpu.gpr[RAX] << 32 >> 32, imm);
        int nb = length(cpu.gpr[RDX] << 32 >> 32, imm);
        index(cpu, compare(cpu, a, b, na, lo, hi, nb, imm), imm);
    }

    /** With REX.W: lengths have 64 bits. */
    public static void pcmpestrmq(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(cpu.gpr[RAX], imm);
        int nb = length(cpu.gpr[RDX], imm);
        mask(cpu, compare(cpu, a, b, na, lo, hi, nb, imm), imm);
    }

    /** With REX.W: lengths have 64 bits. */
    public static void pcmpestriq(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(cpu.gpr[RAX], imm);
        int nb = length(cpu.gpr[RDX], imm);
        index(cpu, compare(cpu, a, b, na, lo, hi, nb, imm), imm);
    }

    public static void pcmpistrm(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(a, b, imm);
        mask(cpu, compare(cpu, a, b, na, lo, hi, length(lo, hi, imm), imm), imm);
    }

    public static void pcmpistri(Cpu cpu, long a, long b, long lo, long hi, int imm) {
        int na = length(a, b, imm);
        index(cpu, compare(cpu, a, b, na, lo, hi, length(lo, hi, imm), imm), imm);
    }

    private static int elements(int imm) {
        return (imm & WORDS) != 0 ? 8 : 16;
    }

    /** The magnitude of an explicit length, at most all elements. */
    private static int length(long v, int imm) {
        int n = elements(imm);
        return v <= -n || v >= n ? n : (int) Math.abs(v);
    }

    /** Elements before the first that is zero. */
    private static int length(long lo, long hi, int imm) {
        boolean words = (imm & WORDS) != 0;
        int bits = words ? 4 : 3;
        long zeros = words ? Mmx.pcmpeqw(lo, 0) : Mmx.pcmpeqb(lo, 0);
        if (zeros != 0) {
            return Long.numberOfTrailingZeros(zeros) >> bits;
        }
        zeros = words ? Mmx.pcmpeqw(hi, 0) : Mmx.pcmpeqb(hi, 0);
        return 64 + Long.numberOfTrailingZeros(zeros) >> bits;
    }

    private static int element(long lo, long hi, int i, int imm) {
        if ((imm & WORDS) != 0) {
            int v = (int) ((i < 4 ? lo : hi) >>> 16 * (i & 3));
            return (imm & SIGNED) != 0 ? (short) v : v & 0xffff;
        }
        int v = (int) ((i < 8 ? lo : hi) >>> 8 * (i & 7));
        return (imm & SIGNED) != 0 ? (byte) v : v & 0xff;
    }

    /** Sets the flags and returns one bit for each element of the second text. */
    private static int compare(Cpu cpu, long a, long b, int na, long lo, long hi, int nb, int imm) {
        int n = elements(imm);
        int result =
                switch (imm >> 2 & 3) {
                    case 0 -> equalAny(a, b, na, lo, hi, nb, imm);
                    case 1 -> ranges(a, b, na, lo, hi, nb, imm);
                    case 2 -> equalEach(a, b, na, lo, hi, nb, imm);
                    default -> equalOrdered(a, b, na, lo, hi, nb, imm);
                };
        if ((imm & NEGATE) != 0) {
            result ^= (1 << ((imm & MASKED) != 0 ? nb : n)) - 1;
        }
        int flags = result != 0 ? Bits.CF : 0;
        flags |= nb < n ? Bits.ZF : 0;
        flags |= na < n ? Bits.SF : 0;
        cpu.setStatus(flags | ((result & 1) != 0 ? Bits.OF : 0));
        return result;
    }

    /** Elements of the second text that are in the set which the first one is. */
    private static int equalAny(long a, long b, int na, long lo, long hi, int nb, int imm) {
        int result = 0;
        for (int i = 0; i < nb; i++) {
            int v = element(lo, hi, i, imm);
            for (int j = 0; j < na; j++) {
                if (element(a, b, j, imm) == v) {
                    result |= 1 << i;
                    break;
                }
            }
        }
        return result;
    }

    /** Elements of the second text between two neighbours of the first. */
    private static int ranges(long a, long b, int na, long lo, long hi, int nb, int imm) {
        int result = 0;
        for (int i = 0; i < nb; i++) {
            int v = element(lo, hi, i, imm);
            for (int j = 0; j + 1 < na; j += 2) {
                if (element(a, b, j, imm) <= v && v <= element(a, b, j + 1, imm)) {
                    result |= 1 << i;
                    break;
                }
            }
        }
        return result;
    }

    /** Elements that are equal, or beyond the end of both texts. */
    private static int equalEach(long a, long b, int na, long lo, long hi, int nb, int imm) {
        int result = 0;
        int least = Math.min(na, nb);
        for (int i = 0; i < least; i++) {
            if (element(a, b, i, imm) == element(lo, hi, i, imm)) {
                result |= 1 << i;
            }
        }
        return result | (1 << elements(imm)) - (1 << Math.max(na, nb));
    }

    /** Places of the second text where the first one starts; it may be cut off by the end. */
    private static int equalOrdered(long a, long b, int na, long lo, long hi, int nb, int imm) {
        int n = elements(imm);
        int result = 0;
        for (int i = 0; i < n; i++) {
            int j = 0;
            int end = Math.min(na, n - i);
            while (j < end && i + j < nb && element(a, b, j, imm) == element(lo, hi, i + j, imm)) {
                j++;
            }
            result |= j == end ? 1 << i : 0;
        }
        return result;
    }

    private static void index(Cpu cpu, int result, int imm) {
        int none = elements(imm);
        int first = result == 0 ? none : Integer.numberOfTrailingZeros(result);
        int last = result == 0 ? none : 31 - Integer.numberOfLeadingZeros(result);
        cpu.gpr[RCX] = (imm & WIDE) != 0 ? last : first;
    }

    private static void mask(Cpu cpu, int result, int imm) {
        if ((imm & WIDE) == 0) {
            SseInteger.set(cpu, 0, result, 0);
        } else if ((imm & WORDS) != 0) {
            SseInteger.set(cpu, 0, words(result), words(result >> 4));
        } else {
            SseInteger.set(cpu, 0, bytes(result), bytes(result >> 8));
        }
    }

    private static long words(int bits) {
        return (bits & 1 | (bits & 2L) << 15 | (bits & 4L) << 30 | (bits & 8L) << 45) * 0xffff;
    }

    private static long bytes(int bits) {
        long r = 0;
        for (int i = 0; i < 8; i++) {
            r |= (bits >> i & 1) * 0xffL << 8 * i;
        }
        return r;
    }
}

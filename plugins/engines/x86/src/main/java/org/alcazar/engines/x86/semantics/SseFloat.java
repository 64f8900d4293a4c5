package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.semantics.FloatStatus.DE;
import static org.alcazar.engines.x86.semantics.FloatStatus.IE;
import static org.alcazar.engines.x86.semantics.FloatStatus.ZE;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;

/**
 * SSE arithmetic by the book (APM volume 1, 4.7 and 4.8), for every rounding mode, denormals and
 * NaNs: what the fast paths leave over. Operands and results are bits, those of binary32 in the low
 * half of a {@code long}.
 */
final class SseFloat {
    static final int ADD = 0;
    static final int SUB = 1;
    static final int MUL = 2;
    static final int DIV = 3;
    static final int MIN = 4;
    static final int MAX = 5;
    static final int SQRT = 6;

    /** A binary interchange format. */
    record Format(int precision, int bias, int fractionBits, long sign, long infinity, long quiet) {
        static final Format SINGLE = new Format(24, 127, 23, 1L << 31, 0x7f800000, 1L << 22);
        static final Format DOUBLE = new Format(53, 1023, 52, 1L << 63, 0x7ffL << 52, 1L << 51);

        long indefinite() {
            return sign | infinity | quiet;
        }

        long magnitude(long v) {
            return v & sign - 1;
        }

        boolean isNan(long v) {
            return magnitude(v) > infinity;
        }

        boolean isSignalling(long v) {
            return isNan(v) && (v & quiet) == 0;
        }

        boolean isInfinite(long v) {
            return magnitude(v) == infinity;
        }

        boolean isZero(long v) {
            return magnitude(v) == 0;
        }

        boolean isNegative(long v) {
            return (v & sign) != 0;
        }

        boolean isDenormal(long v) {
            return (v & infinity) == 0 && magnitude(v) != 0;
        }

        /** Normalised significand, top bit set; not for zero. */
        long significand(long v) {
            long m = v << 64 - fractionBits >>> 1 | ((v & infinity) == 0 ? 0 : 1L << 63);
            return m << Long.numberOfLeadingZeros(m);
        }

        int exponent(long v) {
            int exp = (int) ((v & infinity) >>> fractionBits);
            long fraction = v << 64 - fractionBits >>> 1;
            return exp != 0 ? exp - bias : 1 - bias - Long.numberOfLeadingZeros(fraction);
        }

        long of(Unrounded u) {
            long s = u.negative ? sign : 0;
            if (u.infinite) {
                return s | infinity;
            }
            long fraction = u.high << 1 >>> 64 - fractionBits;
            long exp = u.high < 0 ? (long) (u.exponent + bias) << fractionBits & infinity : 0;
            return s | exp | fraction;
        }

        Unrounded unpack(long v) {
            Unrounded u = new Unrounded();
            u.negative = isNegative(v);
            if (!isZero(v)) {
                u.set(u.negative, exponent(v), significand(v));
            }
            return u;
        }

        long round(Unrounded u, FloatStatus s) {
            u.round(s, precision, 1 - bias, bias, 0);
            return of(u);
        }
    }

    private SseFloat() {}

    static FloatStatus status(Cpu cpu) {
        return FloatStatus.ofMxcsr(cpu.mxcsr);
    }

    /**
     * Enters flags into MXCSR; raises #XF for unmasked ones. Destinations are written after this.
     */
    static void finish(Cpu cpu, FloatStatus s) {
        int flags = s.flags & FloatStatus.ALL;
        if (s.stops()) {
            flags &= FloatStatus.BEFORE;
        }
        cpu.mxcsr |= flags;
        if ((flags & s.unmasked) != 0) {
            boolean told = (cpu.cr4 & Bits.CR4_OSXMMEXCPT) != 0;
            throw cpu.fault(told ? Bits.XF : Bits.UD);
        }
    }

    /** An operand as the operation sees it: zero instead of denormal where MXCSR.DAZ says so. */
    private static long operand(Format f, long v, FloatStatus s) {
        return s.denormalsAreZero && f.isDenormal(v) ? v & f.sign : v;
    }

    private static void noteDenormals(Format f, long a, long b, FloatStatus s) {
        if (f.isDenormal(a) || f.isDenormal(b)) {
            s.raise(DE);
        }
    }

    /** One of the operations above; for SQRT, {@code b} is the operand. */
    static long compute(int op, Format f, long first, long second, FloatStatus s) {
        long a = operand(f, first, s);
        long b = operand(f, second, s);
        return switch (op) {
            case MIN, MAX -> minMax(op == MAX, f, a, b, s);
            case SQRT -> squareRoot(f, b, s);
            default -> {
                if (f.isNan(a) || f.isNan(b)) {
                    yield propagate(f, a, b, s);
                }
                yield switch (op) {
                    case ADD -> add(f, a, b, s);
                    case SUB -> add(f, a, b ^ f.sign, s);
                    case MUL -> multiply(f, a, b, s);
                    default -> divide(f, a, b, s);
                };
            }
        };
    }

    /** The first operand if it is NaN, else the second; quiet. */
    private static long propagate(Format f, long a, long b, FloatStatus s) {
        if (f.isSignalling(a) || f.isSignalling(b)) {
            s.raise(IE);
        }
        return (f.isNan(a) ? a : b) | f.quiet;
    }

    private static long invalid(Format f, FloatStatus s) {
        s.raise(IE);
        return f.indefinite();
    }

    private static long add(Format f, long a, long b, FloatStatus s) {
        if (f.isInfinite(a) && f.isInfinite(b) && a != b) {
            return invalid(f, s);
        }
        noteDenormals(f, a, b, s);
        if (f.isInfinite(a)) {
            return a;
        }
        if (f.isInfinite(b)) {
            return b;
        }
        if (f.isZero(a) && f.isZero(b)) {
            return a == b ? a : s.rounding == FloatStatus.DOWN ? f.sign : 0;
        }
        if (f.isZero(a) || f.isZero(b)) {
            return f.round(f.unpack(f.isZero(a) ? b : a), s);
        }
        Unrounded u =
                new Unrounded()
                        .sum(
                                f.isNegative(a),
                                f.exponent(a),
                                f.significand(a),
                                f.isNegative(b),
                                f.exponent(b),
                                f.significand(b),
                                s.rounding);
        return f.round(u, s);
    }

    private static long multiply(Format f, long a, long b, FloatStatus s) {
        if (f.isInfinite(a) && f.isZero(b) || f.isZero(a) && f.isInfinite(b)) {
            return invalid(f, s);
        }
        noteDenormals(f, a, b, s);
        long sign = (a ^ b) & f.sign;
        if (f.isInfinite(a) || f.isInfinite(b)) {
            return sign | f.infinity;
        }
        if (f.isZero(a) || f.isZero(b)) {
            return sign;
        }
        Unrounded u =
                new Unrounded()
                        .product(
                                f.isNegative(a),
                                f.exponent(a),
                                f.significand(a),
                                f.isNegative(b),
                                f.exponent(b),
                                f.significand(b));
        return f.round(u, s);
    }

    private static long divide(Format f, long a, long b, FloatStatus s) {
        if (f.isInfinite(a) && f.isInfinite(b) || f.isZero(a) && f.isZero(b)) {
            return invalid(f, s);
        }
        long sign = (a ^ b) & f.sign;
        if (f.isZero(b)) {
            s.raise(f.isInfinite(a) ? 0 : ZE);
            return sign | f.infinity;
        }
        noteDenormals(f, a, b, s);
        if (f.isInfinite(a)) {
            return sign | f.infinity;
        }
        if (f.isZero(a) || f.isInfinite(b)) {
            return sign;
        }
        Unrounded u =
                new Unrounded()
                        .quotient(
                                f.isNegative(a),
                                f.exponent(a),
                                f.significand(a),
                                f.isNegative(b),
                                f.exponent(b),
                                f.significand(b));
        return f.round(u, s);
    }

    private static long squareRoot(Format f, long v, FloatStatus s) {
        if (f.isNan(v)) {
            return propagate(f, v, v, s);
        }
        if (f.isZero(v)) {
            return v;
        }
        if (f.isNegative(v)) {
            return invalid(f, s);
        }
        noteDenormals(f, v, v, s);
        if (f.isInfinite(v)) {
            return v;
        }
        return f.round(new Unrounded().squareRoot(f.exponent(v), f.significand(v)), s);
    }

    /** The second operand unless the first is truly the smaller (larger) one. */
    private static long minMax(boolean max, Format f, long a, long b, FloatStatus s) {
        if (f.isNan(a) || f.isNan(b)) {
            s.raise(IE);
            return b;
        }
        noteDenormals(f, a, b, s);
        int order = order(f, a, b);
        return (max ? order > 0 : order < 0) ? a : b;
    }

    /** Of numbers that are no NaN. */
    private static int order(Format f, long a, long b) {
        long x = f.isNegative(a) ? -f.magnitude(a) : f.magnitude(a);
        long y = f.isNegative(b) ? -f.magnitude(b) : f.magnitude(b);
        return Long.compare(x, y);
    }

    /** What {@link #compare} returns where an operand is NaN. */
    static final int UNORDERED = 2;

    /**
     * Negative, 0 or positive, or {@link #UNORDERED}.
     *
     * @param quiet whether quiet NaNs are no invalid operands
     */
    static int compare(Format f, long first, long second, boolean quiet, FloatStatus s) {
        long a = operand(f, first, s);
        long b = operand(f, second, s);
        if (f.isNan(a) || f.isNan(b)) {
            if (!quiet || f.isSignalling(a) || f.isSignalling(b)) {
                s.raise(IE);
            }
            return UNORDERED;
        }
        noteDenormals(f, a, b, s);
        return order(f, a, b);
    }

    /** CMPPS and its relatives: whether the predicate 0 to 7 holds. */
    static boolean holds(int predicate, Format f, long a, long b, FloatStatus s) {
        boolean quiet = (predicate & 3) == 0 || (predicate & 3) == 3;
        int order = compare(f, a, b, quiet, s);
        boolean basic =
                switch (predicate & 3) {
                    case 0 -> order == 0;
                    case 1 -> order < 0;
                    case 2 -> order <= 0;
                    default -> order == UNORDERED;
                };
        return basic != ((predicate & 4) != 0);
    }

    /** Between the two formats. */
    static long convert(Format from, Format to, long v, FloatStatus s) {
        long a = operand(from, v, s);
        boolean negative = from.isNegative(a);
        long sign = negative ? to.sign : 0;
        if (from.isNan(a)) {
            s.raise(from.isSignalling(a) ? IE : 0);
            int shift = to.fractionBits - from.fractionBits;
            long fraction = a & from.quiet - 1;
            fraction = shift > 0 ? fraction << shift : fraction >>> -shift;
            return sign | to.infinity | to.quiet | fraction;
        }
        if (from.isInfinite(a) || from.isZero(a)) {
            return sign | (from.isZero(a) ? 0 : to.infinity);
        }
        noteDenormals(from, a, a, s);
        return to.round(from.unpack(a), s);
    }

    static long ofInteger(Format to, long v, FloatStatus s) {
        if (v == 0) {
            return 0;
        }
        return to.round(new Unrounded().set(v < 0, 63, Math.abs(v)), s);
    }

    /**
     * To a signed integer.
     *
     * @param bits 32 or 64
     * @return the smallest integer, with IE raised, where it does not fit
     */
    static long toInteger(Format f, long v, int bits, boolean truncate, FloatStatus s) {
        long a = operand(f, v, s);
        long indefinite = -1L << bits - 1;
        if (f.isNan(a) || f.isInfinite(a)) {
            s.raise(IE);
            return indefinite;
        }
        if (f.isZero(a)) {
            return 0;
        }
        FloatStatus rounding = s.withRounding(truncate ? FloatStatus.TO_ZERO : s.rounding);
        Unrounded u = f.unpack(a);
        u.roundToInteger(rounding);
        long limit = u.negative ? 1L << bits - 1 : (1L << bits - 1) - 1;
        if (u.infinite || Long.compareUnsigned(u.high, limit) > 0) {
            s.raise(IE);
            return indefinite;
        }
        s.raise(rounding.flags);
        return u.negative ? -u.high : u.high;
    }
}

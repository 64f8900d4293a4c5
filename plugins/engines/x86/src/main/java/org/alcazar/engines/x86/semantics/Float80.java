package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.semantics.FloatStatus.DE;
import static org.alcazar.engines.x86.semantics.FloatStatus.IE;
import static org.alcazar.engines.x86.semantics.FloatStatus.ZE;

/**
 * A number in the x87 double-extended format and its arithmetic, as APM volume 1, chapter 6
 * describes them.
 *
 * @param significand 64 bits with an explicit integer bit
 * @param signExponent sign in bit 15, exponent with a bias of 16383
 */
record Float80(long significand, int signExponent) {
    static final int BIAS = 16383;
    static final int MIN_EXPONENT = -16382;
    static final int MAX_EXPONENT = 16383;

    /** Added to the exponent of results on unmasked underflow (APM volume 1, 6.8.2). */
    static final int WRAP = 24576;

    static final long INTEGER_BIT = 1L << 63;
    static final long QUIET_BIT = 1L << 62;

    /** The default NaN ("real indefinite"). */
    static final Float80 INDEFINITE = new Float80(3L << 62, 0xffff);

    static final Float80 ZERO = new Float80(0, 0);
    static final Float80 ONE = new Float80(INTEGER_BIT, BIAS);

    static Float80 zero(boolean negative) {
        return new Float80(0, negative ? 0x8000 : 0);
    }

    static Float80 infinity(boolean negative) {
        return new Float80(INTEGER_BIT, negative ? 0xffff : 0x7fff);
    }

    /** Binary32 exactly; a signalling NaN stays one. */
    static Float80 ofFloat(int bits) {
        int exp = bits >>> 23 & 0xff;
        return widen(bits < 0, exp, (long) bits << 41 >>> 1, exp == 0xff, 127, exp == 0);
    }

    /** Binary64 exactly; a signalling NaN stays one. */
    static Float80 ofDouble(long bits) {
        int exp = (int) (bits >>> 52) & 0x7ff;
        return widen(bits < 0, exp, bits << 12 >>> 1, exp == 0x7ff, 1023, exp == 0);
    }

    private static Float80 widen(
            boolean negative, int exp, long fraction, boolean top, int bias, boolean bottom) {
        int sign = negative ? 0x8000 : 0;
        if (top) {
            return new Float80(INTEGER_BIT | fraction, sign | 0x7fff);
        }
        if (!bottom) {
            return new Float80(INTEGER_BIT | fraction, sign | exp - bias + BIAS);
        }
        if (fraction == 0) {
            return new Float80(0, sign);
        }
        int shift = Long.numberOfLeadingZeros(fraction);
        return new Float80(fraction << shift, sign | 1 - bias + BIAS - shift);
    }

    static Float80 ofLong(long v) {
        if (v == 0) {
            return ZERO;
        }
        long magnitude = Math.abs(v);
        int shift = Long.numberOfLeadingZeros(magnitude);
        return new Float80(magnitude << shift, (v < 0 ? 0x8000 : 0) | BIAS + 63 - shift);
    }

    /** From a rounded result. */
    static Float80 of(Unrounded u) {
        if (u.infinite) {
            return infinity(u.negative);
        }
        int exp = u.high < 0 ? u.exponent + BIAS & 0x7fff : 0;
        return new Float80(u.high, (u.negative ? 0x8000 : 0) | exp);
    }

    boolean negative() {
        return (signExponent & 0x8000) != 0;
    }

    int biased() {
        return signExponent & 0x7fff;
    }

    boolean isUnsupported() {
        return biased() != 0 && significand >= 0;
    }

    boolean isNan() {
        return biased() == 0x7fff && significand < 0 && significand << 1 != 0;
    }

    boolean isSignalling() {
        return isNan() && (significand & QUIET_BIT) == 0;
    }

    boolean isInfinite() {
        return biased() == 0x7fff && significand == INTEGER_BIT;
    }

    boolean isZero() {
        return biased() == 0 && significand == 0;
    }

    /** Pseudo-denormals included. */
    boolean isDenormal() {
        return biased() == 0 && significand != 0;
    }

    /** Exponent of the normalised value; not for zero. */
    int exponent() {
        int exp = biased();
        return exp == 0 ? MIN_EXPONENT - Long.numberOfLeadingZeros(significand) : exp - BIAS;
    }

    /** Significand of the normalised value. */
    long normalized() {
        return significand << Long.numberOfLeadingZeros(significand);
    }

    Float80 quiet() {
        return new Float80(significand | QUIET_BIT, signExponent);
    }

    Float80 negate() {
        return new Float80(significand, signExponent ^ 0x8000);
    }

    Float80 abs() {
        return new Float80(significand, signExponent & 0x7fff);
    }

    /** Whether operands decide the result alone: NaN or unsupported. */
    static boolean isSpecial(Float80 a, Float80 b) {
        return a.isNan() || b.isNan() || a.isUnsupported() || b.isUnsupported();
    }

    /** Result of an operation for which {@link #isSpecial} holds. */
    static Float80 special(Float80 a, Float80 b, FloatStatus s) {
        if (a.isUnsupported() || b.isUnsupported()) {
            return invalid(s);
        }
        if (a.isSignalling() || b.isSignalling()) {
            s.raise(IE);
        }
        if (!a.isNan()) {
            return b.quiet();
        }
        if (!b.isNan()) {
            return a.quiet();
        }
        if (a.isSignalling() != b.isSignalling()) {
            return a.isSignalling() ? b : a;
        }
        int order = Long.compareUnsigned(a.significand, b.significand);
        boolean first = order > 0 || order == 0 && (b.negative() || !a.negative());
        return (first ? a : b).quiet();
    }

    /** The one operand is NaN or unsupported. */
    static Float80 special(Float80 a, FloatStatus s) {
        return special(a, a, s);
    }

    boolean isSpecial() {
        return isNan() || isUnsupported();
    }

    static Float80 invalid(FloatStatus s) {
        s.raise(IE);
        return INDEFINITE;
    }

    private static void noteDenormals(Float80 a, Float80 b, FloatStatus s) {
        if (a.isDenormal() || b.isDenormal() || s.denormalOperand) {
            s.raise(DE);
        }
    }

    static Float80 add(Float80 a, Float80 b, boolean subtract, FloatStatus s) {
        if (isSpecial(a, b)) {
            return special(a, b, s);
        }
        boolean nb = b.negative() != subtract;
        if (a.isInfinite() && b.isInfinite() && a.negative() != nb) {
            return invalid(s);
        }
        noteDenormals(a, b, s);
        if (a.isInfinite()) {
            return a;
        }
        if (b.isInfinite()) {
            return infinity(nb);
        }
        Unrounded u = new Unrounded();
        if (a.isZero() && b.isZero()) {
            boolean negative = a.negative() == nb ? nb : s.rounding == FloatStatus.DOWN;
            return zero(negative);
        }
        if (a.isZero()) {
            u.set(nb, b.exponent(), b.normalized());
        } else if (b.isZero()) {
            u.set(a.negative(), a.exponent(), a.normalized());
        } else {
            u.sum(
                    a.negative(),
                    a.exponent(),
                    a.normalized(),
                    nb,
                    b.exponent(),
                    b.normalized(),
                    s.rounding);
        }
        return rounded(u, s);
    }

    static Float80 multiply(Float80 a, Float80 b, FloatStatus s) {
        if (isSpecial(a, b)) {
            return special(a, b, s);
        }
        boolean negative = a.negative() != b.negative();
        if (a.isInfinite() && b.isZero() || a.isZero() && b.isInfinite()) {
            return invalid(s);
        }
        noteDenormals(a, b, s);
        if (a.isInfinite() || b.isInfinite()) {
            return infinity(negative);
        }
        if (a.isZero() || b.isZero()) {
            return zero(negative);
        }
        Unrounded u = new Unrounded();
        u.product(
                a.negative(),
                a.exponent(),
                a.normalized(),
                b.negative(),
                b.exponent(),
                b.normalized());
        return rounded(u, s);
    }

    static Float80 divide(Float80 a, Float80 b, FloatStatus s) {
        if (isSpecial(a, b)) {
            return special(a, b, s);
        }
        boolean negative = a.negative() != b.negative();
        if (a.isInfinite() && b.isInfinite() || a.isZero() && b.isZero()) {
            return invalid(s);
        }
        if (a.isInfinite()) {
            noteDenormals(a, b, s);
            return infinity(negative);
        }
        if (b.isZero()) {
            s.raise(ZE);
            return infinity(negative);
        }
        noteDenormals(a, b, s);
        if (a.isZero() || b.isInfinite()) {
            return zero(negative);
        }
        Unrounded u = new Unrounded();
        u.quotient(
                a.negative(),
                a.exponent(),
                a.normalized(),
                b.negative(),
                b.exponent(),
                b.normalized());
        return rounded(u, s);
    }

    static Float80 squareRoot(Float80 a, FloatStatus s) {
        if (a.isSpecial()) {
            return special(a, s);
        }
        if (a.isZero()) {
            return a;
        }
        if (a.negative()) {
            return invalid(s);
        }
        if (a.isDenormal()) {
            s.raise(DE);
        }
        if (a.isInfinite()) {
            return a;
        }
        return rounded(new Unrounded().squareRoot(a.exponent(), a.normalized()), s);
    }

    /** Rounds to the status's precision in the register format. */
    static Float80 rounded(Unrounded u, FloatStatus s) {
        if (s.stops()) {
            return ZERO;
        }
        u.round(s, s.precision, MIN_EXPONENT, MAX_EXPONENT, WRAP);
        return of(u);
    }

    Float80 roundToInteger(FloatStatus s) {
        if (isSpecial()) {
            return special(this, s);
        }
        if (isDenormal()) {
            s.raise(DE);
        }
        if (isInfinite() || isZero() || exponent() >= 63) {
            return this;
        }
        Unrounded u = unpack();
        u.roundToInteger(s);
        if (u.high == 0) {
            return zero(negative());
        }
        u.set(negative(), u.exponent, u.high);
        return of(u);
    }

    Unrounded unpack() {
        return new Unrounded().set(negative(), exponent(), normalized());
    }

    /**
     * To a signed integer.
     *
     * @param bits 16, 32 or 64
     * @return the smallest integer, with IE raised, where it does not fit
     */
    long toInteger(int bits, FloatStatus s) {
        long indefinite = -1L << bits - 1;
        if (isSpecial() || isInfinite()) {
            s.raise(IE);
            return indefinite;
        }
        if (isZero()) {
            return 0;
        }
        FloatStatus rounding = s.withRounding(s.rounding);
        Unrounded u = unpack();
        u.roundToInteger(rounding);
        long limit = negative() ? 1L << bits - 1 : (1L << bits - 1) - 1;
        if (u.infinite || Long.compareUnsigned(u.high, limit) > 0) {
            s.raise(IE);
            return indefinite;
        }
        s.flags |= rounding.flags;
        return negative() ? -u.high : u.high;
    }

    /**
     * To binary32; the result is of no use if the status has an unmasked exception other than
     * precision.
     */
    int toFloat(FloatStatus s) {
        if (isUnsupported()) {
            s.raise(IE);
            return 0xffc00000;
        }
        int sign = negative() ? 1 << 31 : 0;
        if (isNan()) {
            s.raise(isSignalling() ? IE : 0);
            return sign | 0x7fc00000 | (int) (significand << 1 >>> 41);
        }
        if (isInfinite() || isZero()) {
            return sign | (isZero() ? 0 : 0x7f800000);
        }
        Unrounded u = unpack();
        u.round(s, 24, -126, 127, 0);
        int fraction = (int) (u.high >>> 40);
        return u.infinite
                ? sign | 0x7f800000
                : sign | (u.high < 0 ? u.exponent + 127 << 23 : 0) | fraction & 0x7fffff;
    }

    /** To binary64; as {@link #toFloat}. */
    long toDouble(FloatStatus s) {
        if (isUnsupported()) {
            s.raise(IE);
            return 0xfff8L << 48;
        }
        long sign = negative() ? 1L << 63 : 0;
        if (isNan()) {
            s.raise(isSignalling() ? IE : 0);
            return sign | 0x7ff8L << 48 | significand << 1 >>> 12;
        }
        if (isInfinite() || isZero()) {
            return sign | (isZero() ? 0 : 0x7ffL << 52);
        }
        Unrounded u = unpack();
        u.round(s, 53, -1022, 1023, 0);
        long fraction = u.high >>> 11;
        return u.infinite
                ? sign | 0x7ffL << 52
                : sign | (u.high < 0 ? u.exponent + 1023L << 52 : 0) | fraction & -1L >>> 12;
    }

    /**
     * Order of numbers that are no NaN: negative, zero or positive as this is below, equal or above
     * the other.
     */
    int compareTo(Float80 b) {
        if (isZero() && b.isZero()) {
            return 0;
        }
        if (negative() != b.negative()) {
            return negative() ? -1 : 1;
        }
        int order;
        if (isZero() || b.isZero()) {
            order = isZero() ? -1 : 1;
        } else {
            order = Integer.compare(exponent(), b.exponent());
            if (order == 0) {
                order = Long.compareUnsigned(normalized(), b.normalized());
            }
        }
        return negative() ? -order : order;
    }
}

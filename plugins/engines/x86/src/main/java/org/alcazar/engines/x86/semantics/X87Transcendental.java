package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * x87 exponentials, logarithms and trigonometry; computed with more than 100 bits and rounded once.
 */
public final class X87Transcendental {
    /**
     * π/2 as the processor has it, with 66 bits, times 2 to the power of 67: what angles are
     * reduced by.
     */
    private static final long HALF_PI_HIGH = 0xc, HALF_PI_LOW = 0x90fd_aa22_168c_234cL;

    private X87Transcendental() {}

    /** 2^ST(0) - 1, for ST(0) between -1 and 1. */
    public static void f2xm1(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.needTop(cpu)) {
            FloatStatus s = X87.fullStatus(cpu);
            X87.finish(cpu, s, 0, powerMinus1(X87.get(cpu, 0), s));
        }
    }

    private static Float80 powerMinus1(Float80 x, FloatStatus s) {
        if (x.isSpecial()) {
            return Float80.special(x, s);
        }
        if (x.isInfinite()) {
            return x.negative() ? Float80.ONE.negate() : x;
        }
        if (x.isZero()) {
            return x;
        }
        int e = x.exponent();
        if (e >= 0) {
            // Beyond the defined range nothing happens; its ends are exact.
            boolean minusOne = x.equals(Float80.ONE.negate());
            s.raise(FloatStatus.PE);
            return minusOne ? new Float80(Float80.INTEGER_BIT, 0x8000 | Float80.BIAS - 1) : x;
        }
        s.raise(x.isDenormal() ? FloatStatus.DE : 0);
        DoubleDouble m = DoubleDouble.significand(x);
        if (e < -100) {
            return Float80.rounded(m.times(DoubleDouble.LN2).unrounded(x.negative(), e), s);
        }
        DoubleDouble t = (x.negative() ? m.negate() : m).scale(e).times(DoubleDouble.LN2);
        return Float80.rounded(t.expMinus1().unrounded(false, 0), s);
    }

    /** ST(1) * log2(ST(0)) into ST(1); pops. */
    public static void fyl2x(Cpu cpu, Instruction insn) {
        logarithm(cpu, insn, false);
    }

    /** ST(1) * log2(ST(0) + 1) into ST(1); pops. */
    public static void fyl2xp1(Cpu cpu, Instruction insn) {
        logarithm(cpu, insn, true);
    }

    private static void logarithm(Cpu cpu, Instruction insn, boolean plus1) {
        X87.pointers(cpu, insn);
        if (needBoth(cpu)) {
            FloatStatus s = X87.fullStatus(cpu);
            Float80 x = X87.get(cpu, 0);
            Float80 y = X87.get(cpu, 1);
            intoSecond(cpu, s, plus1 ? yLog1(x, y, s) : yLog(x, y, s));
        }
    }

    private static boolean needBoth(Cpu cpu) {
        if (!X87.isEmpty(cpu, 0) && !X87.isEmpty(cpu, 1)) {
            return true;
        }
        if (X87.stackFault(cpu, false)) {
            X87.set(cpu, 1, Float80.INDEFINITE);
            X87.pop(cpu);
        }
        return false;
    }

    private static void intoSecond(Cpu cpu, FloatStatus s, Float80 result) {
        if (X87.finish(cpu, s, 1, result)) {
            X87.pop(cpu);
        }
    }

    private static Float80 yLog(Float80 x, Float80 y, FloatStatus s) {
        if (Float80.isSpecial(x, y)) {
            return Float80.special(x, y, s);
        }
        boolean one = x.compareTo(Float80.ONE) == 0;
        boolean below = x.compareTo(Float80.ONE) < 0;
        if (x.negative() && !x.isZero()
                || (x.isZero() || x.isInfinite()) && y.isZero()
                || one && y.isInfinite()) {
            return Float80.invalid(s);
        }
        boolean negative = y.negative() != below;
        if (!x.isZero()) {
            noteDenormals(x, y, s);
        } else if (!y.isInfinite()) {
            s.raise(FloatStatus.ZE);
        }
        if (x.isZero() || x.isInfinite() || y.isInfinite()) {
            return Float80.infinity(negative);
        }
        if (one || y.isZero()) {
            return Float80.zero(negative);
        }
        return Float80.rounded(product(x, y, s), s);
    }

    private static void noteDenormals(Float80 x, Float80 y, FloatStatus s) {
        if (x.isDenormal() || y.isDenormal()) {
            s.raise(FloatStatus.DE);
        }
    }

    /** y * log2(x) for finite x other than 0 and 1, and finite y other than 0. */
    private static Unrounded product(Float80 x, Float80 y, FloatStatus s) {
        int e = x.exponent();
        if (x.normalized() == Float80.INTEGER_BIT) {
            Float80 log = Float80.ofLong(e);
            Unrounded u =
                    new Unrounded()
                            .product(
                                    y.negative(),
                                    y.exponent(),
                                    y.normalized(),
                                    log.negative(),
                                    log.exponent(),
                                    log.normalized());
            // Exact results count as inexact too.
            s.raise(
                    u.exponent < Float80.MIN_EXPONENT
                            ? FloatStatus.PE | FloatStatus.UE
                            : FloatStatus.PE);
            return u;
        }
        DoubleDouble m = DoubleDouble.significand(x);
        if (m.hi() > 1.4142135623730951) {
            m = m.scale(-1);
            e++;
        }
        DoubleDouble t = m.plus(-1).over(m.plus(1));
        DoubleDouble log = t.twiceArtanh().times(DoubleDouble.LOG2E).plus(e);
        return log.times(DoubleDouble.significand(y)).unrounded(y.negative(), y.exponent());
    }

    private static Float80 yLog1(Float80 x, Float80 y, FloatStatus s) {
        if (Float80.isSpecial(x, y)) {
            return Float80.special(x, y, s);
        }
        boolean minusOneOrBelow = x.compareTo(Float80.ONE.negate()) <= 0;
        if (x.isInfinite() && (x.negative() || y.isZero()) || x.isZero() && y.isInfinite()) {
            return Float80.invalid(s);
        }
        noteDenormals(x, y, s);
        boolean negative = x.negative() != y.negative();
        if (x.isInfinite() || y.isInfinite()) {
            return Float80.infinity(negative);
        }
        if (x.isZero() || y.isZero()) {
            return Float80.zero(negative);
        }
        if (minusOneOrBelow) {
            // Outside of the defined range.
            s.raise(FloatStatus.PE);
            return x;
        }
        int e = x.exponent();
        if (e >= -1) {
            FloatStatus exact = s.withRounding(FloatStatus.NEAREST);
            Float80 sum = Float80.add(x, Float80.ONE, false, exact);
            return yLog(sum, y, s);
        }
        DoubleDouble m = DoubleDouble.significand(x);
        DoubleDouble my = DoubleDouble.significand(y);
        if (e < -110) {
            DoubleDouble tiny = m.times(DoubleDouble.LOG2E).times(my);
            return Float80.rounded(tiny.unrounded(negative, e + y.exponent()), s);
        }
        DoubleDouble v = (x.negative() ? m.negate() : m).scale(e);
        DoubleDouble log = log1(v).times(DoubleDouble.LOG2E);
        return Float80.rounded(log.times(my).unrounded(y.negative(), y.exponent()), s);
    }

    /** ln(1 + v) for magnitudes below one half. */
    private static DoubleDouble log1(DoubleDouble v) {
        DoubleDouble t = v.over(v.plus(2));
        if (Math.abs(t.hi()) <= 0.18) {
            return t.twiceArtanh();
        }
        // 1 + v = (1 + w) * 3/4 or * 4/3.
        boolean big = v.hi() > 0;
        DoubleDouble ratio =
                big
                        ? DoubleDouble.of(4).over(DoubleDouble.of(3))
                        : DoubleDouble.of(3).over(DoubleDouble.of(4));
        DoubleDouble seventh = DoubleDouble.ONE.over(DoubleDouble.of(7));
        DoubleDouble part = seventh.twiceArtanh();
        DoubleDouble w = v.plus(1).over(ratio).plus(-1);
        DoubleDouble rest = w.over(w.plus(2)).twiceArtanh();
        return rest.plus(big ? part : part.negate());
    }

    /** arctan(ST(1) / ST(0)) in its quadrant into ST(1); pops. */
    public static void fpatan(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (needBoth(cpu)) {
            FloatStatus s = X87.fullStatus(cpu);
            intoSecond(cpu, s, arctangent(X87.get(cpu, 1), X87.get(cpu, 0), s));
        }
    }

    private static Float80 arctangent(Float80 y, Float80 x, FloatStatus s) {
        if (Float80.isSpecial(x, y)) {
            return Float80.special(x, y, s);
        }
        noteDenormals(x, y, s);
        boolean negative = y.negative();
        if (y.isZero() || x.isInfinite() && !y.isInfinite()) {
            return x.negative() ? angle(4, negative, s) : Float80.zero(negative);
        }
        if (y.isInfinite()) {
            int quarters = !x.isInfinite() ? 2 : x.negative() ? 3 : 1;
            return angle(quarters, negative, s);
        }
        if (x.isZero()) {
            return angle(2, negative, s);
        }
        boolean steep = y.abs().compareTo(x.abs()) > 0;
        Float80 small = steep ? x : y;
        Float80 large = steep ? y : x;
        DoubleDouble q = DoubleDouble.significand(small).over(DoubleDouble.significand(large));
        int e = small.exponent() - large.exponent();
        if (e < -110 && !steep && !x.negative()) {
            return Float80.rounded(quotient(y, x), s);
        }
        DoubleDouble t = e < -110 ? DoubleDouble.of(0x1p-110) : q.scale(e);
        DoubleDouble a = t.atan();
        if (steep) {
            DoubleDouble half = DoubleDouble.PI.scale(-1);
            a = x.negative() ? half.plus(a) : half.minus(a);
        } else if (x.negative()) {
            a = DoubleDouble.PI.minus(a);
        }
        return Float80.rounded(a.unrounded(negative, 0), s);
    }

    /** y / x where the arctangent is the same but for a trifle. */
    private static Unrounded quotient(Float80 y, Float80 x) {
        Unrounded u = new Unrounded();
        u.quotient(y.negative(), y.exponent(), y.normalized(), false, x.exponent(), x.normalized());
        u.low |= 1;
        return u;
    }

    /** A multiple of π/4. */
    private static Float80 angle(int quarters, boolean negative, FloatStatus s) {
        DoubleDouble a = DoubleDouble.PI.times(quarters).scale(-2);
        return Float80.rounded(a.unrounded(negative, 0), s);
    }

    public static void fsin(Cpu cpu, Instruction insn) {
        trigonometric(cpu, insn, SIN);
    }

    public static void fcos(Cpu cpu, Instruction insn) {
        trigonometric(cpu, insn, COS);
    }

    /** Sine into ST(0), then the cosine is pushed. */
    public static void fsincos(Cpu cpu, Instruction insn) {
        trigonometric(cpu, insn, BOTH);
    }

    /** Tangent into ST(0), then 1 is pushed. */
    public static void fptan(Cpu cpu, Instruction insn) {
        trigonometric(cpu, insn, TAN);
    }

    private static final int SIN = 0;
    private static final int COS = 1;
    private static final int BOTH = 2;
    private static final int TAN = 3;

    private static void trigonometric(Cpu cpu, Instruction insn, int what) {
        X87.pointers(cpu, insn);
        boolean pushes = what >= BOTH;
        cpu.fsw &= ~X87.C2;
        boolean overflow = pushes && !X87.isEmpty(cpu, 7);
        if (X87.isEmpty(cpu, 0) || overflow) {
            missing(cpu, pushes, overflow && !X87.isEmpty(cpu, 0));
            return;
        }
        FloatStatus s = X87.fullStatus(cpu);
        Float80 x = X87.get(cpu, 0);
        if (x.isSpecial() || x.isInfinite()) {
            Float80 nan = x.isInfinite() ? Float80.invalid(s) : Float80.special(x, s);
            if (X87.finish(cpu, s, 0, nan) && pushes) {
                X87.pushOver(cpu, nan);
            }
            return;
        }
        if (!x.isZero() && x.exponent() >= 63) {
            cpu.fsw = cpu.fsw & ~X87.C1 | X87.C2;
            return;
        }
        s.raise(x.isDenormal() ? FloatStatus.DE : 0);
        Angle angle = new Angle(x);
        Float80 first = what == COS ? angle.cos(s) : what == TAN ? angle.tan(s) : angle.sin(s);
        Float80 second = what == BOTH ? angle.cos(s) : Float80.ONE;
        if (X87.finish(cpu, s, 0, first) && pushes) {
            X87.pushOver(cpu, second);
        }
    }

    private static void missing(Cpu cpu, boolean pushes, boolean overflow) {
        if (X87.stackFault(cpu, overflow)) {
            X87.set(cpu, 0, Float80.INDEFINITE);
            if (pushes) {
                X87.pushOver(cpu, Float80.INDEFINITE);
            }
        }
    }

    /** An angle, reduced to a multiple of a right angle and a rest of at most 45 degrees. */
    private static final class Angle {
        private final Float80 x;
        private final boolean tiny;
        private DoubleDouble rest = DoubleDouble.ONE;
        private int quadrant;

        Angle(Float80 x) {
            this.x = x;
            tiny = x.isZero() || x.exponent() < -40;
            if (tiny) {
                return;
            }
            int e = x.exponent();
            DoubleDouble m = DoubleDouble.significand(x).scale(e);
            if (m.hi() <= 0.785) {
                rest = x.negative() ? m.negate() : m;
                return;
            }
            reduce(e);
        }

        /** Exactly, by the processor's value of π/2. */
        private void reduce(int e) {
            long high = 0;
            long low = x.normalized();
            int q = 0;
            // One bit of the quotient after the other; the remainder has 68 bits.
            for (int i = 0; i < e + 4; i++) {
                high = high << 1 | low >>> 63;
                low <<= 1;
                q <<= 1;
                if (reaches(high, low)) {
                    high -= HALF_PI_HIGH + (Long.compareUnsigned(low, HALF_PI_LOW) < 0 ? 1 : 0);
                    low -= HALF_PI_LOW;
                    q++;
                }
            }
            boolean over = reaches(high << 1 | low >>> 63, low << 1);
            if (over) {
                // The distance to the next multiple is less.
                long borrow = Long.compareUnsigned(HALF_PI_LOW, low) < 0 ? 1 : 0;
                high = HALF_PI_HIGH - high - borrow;
                low = HALF_PI_LOW - low;
                q++;
            }
            DoubleDouble exact =
                    DoubleDouble.of(high * 0x1p64)
                            .plus((low >>> 11) * 0x1p11)
                            .plus((double) (low & 0x7ff))
                            .scale(-67);
            rest = over != x.negative() ? exact.negate() : exact;
            quadrant = (x.negative() ? -q : q) & 3;
        }

        private static boolean reaches(long high, long low) {
            return high > HALF_PI_HIGH
                    || high == HALF_PI_HIGH && Long.compareUnsigned(low, HALF_PI_LOW) >= 0;
        }

        Float80 sin(FloatStatus s) {
            return tiny ? nearlyX(s, false) : byQuadrant(quadrant, s);
        }

        Float80 cos(FloatStatus s) {
            if (!tiny) {
                return byQuadrant(quadrant + 1, s);
            }
            return x.isZero() ? Float80.ONE : nearlyOne(s);
        }

        private Float80 byQuadrant(int q, FloatStatus s) {
            DoubleDouble v = (q & 1) != 0 ? rest.cos() : rest.sin();
            return Float80.rounded(v.unrounded((q & 2) != 0, 0), s);
        }

        Float80 tan(FloatStatus s) {
            if (tiny) {
                return nearlyX(s, true);
            }
            DoubleDouble sin = rest.sin();
            DoubleDouble cos = rest.cos();
            boolean odd = (quadrant & 1) != 0;
            DoubleDouble v = odd ? cos.over(sin) : sin.over(cos);
            return Float80.rounded(v.unrounded(odd, 0), s);
        }

        /** x, or the next number above (tangent) or below (sine) where rounding goes there. */
        private Float80 nearlyX(FloatStatus s, boolean above) {
            if (x.isZero()) {
                return x;
            }
            return Float80.rounded(nudged(x, above), s);
        }

        private static Float80 nearlyOne(FloatStatus s) {
            return Float80.rounded(nudged(Float80.ONE, false), s);
        }

        private static Unrounded nudged(Float80 v, boolean above) {
            Unrounded u = v.unpack();
            if (above) {
                u.low = 1;
                return u;
            }
            return u.sum(
                    v.negative(),
                    v.exponent(),
                    v.normalized(),
                    !v.negative(),
                    v.exponent() - 120,
                    Float80.INTEGER_BIT,
                    FloatStatus.NEAREST);
        }
    }
}

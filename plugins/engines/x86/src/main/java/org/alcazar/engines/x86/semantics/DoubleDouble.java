package org.alcazar.engines.x86.semantics;

/**
 * A number as an unevaluated sum of two doubles, good for about 104 bits: what the transcendental
 * functions are computed with.
 *
 * @param hi the number rounded to double
 * @param lo what is missing, at most half a unit in the last place of {@code hi}
 */
record DoubleDouble(double hi, double lo) {
    static final DoubleDouble ONE = new DoubleDouble(1, 0);

    /** ln 2. */
    static final DoubleDouble LN2 = new DoubleDouble(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56);

    /** 1 / ln 2. */
    static final DoubleDouble LOG2E = new DoubleDouble(0x1.71547652b82fep0, 0x1.777d0ffda0d24p-56);

    /** π. */
    static final DoubleDouble PI = new DoubleDouble(0x1.921fb54442d18p1, 0x1.1a62633145c07p-53);

    static DoubleDouble of(double v) {
        return new DoubleDouble(v, 0);
    }

    /** Normalised significand of a number, in [1, 2), exactly. */
    static DoubleDouble significand(Float80 v) {
        long m = v.normalized();
        return new DoubleDouble((m >>> 11) * 0x1p-52, 0).plus((m & 0x7ff) * 0x1p-63);
    }

    private static DoubleDouble fast(double a, double b) {
        double s = a + b;
        return new DoubleDouble(s, b - (s - a));
    }

    DoubleDouble plus(double b) {
        return plus(new DoubleDouble(b, 0));
    }

    DoubleDouble plus(DoubleDouble b) {
        double s = hi + b.hi;
        double v = s - hi;
        double e = (hi - (s - v)) + (b.hi - v);
        double t = lo + b.lo;
        double w = t - lo;
        double f = (lo - (t - w)) + (b.lo - w);
        DoubleDouble first = fast(s, e + t);
        return fast(first.hi, first.lo + f);
    }

    DoubleDouble minus(DoubleDouble b) {
        return plus(b.negate());
    }

    DoubleDouble negate() {
        return new DoubleDouble(-hi, -lo);
    }

    DoubleDouble times(DoubleDouble b) {
        double p = hi * b.hi;
        double e = Math.fma(hi, b.hi, -p);
        return fast(p, e + (hi * b.lo + lo * b.hi));
    }

    DoubleDouble times(double b) {
        return times(new DoubleDouble(b, 0));
    }

    DoubleDouble over(DoubleDouble b) {
        double q1 = hi / b.hi;
        DoubleDouble r = minus(b.times(q1));
        double q2 = r.hi / b.hi;
        r = r.minus(b.times(q2));
        double q3 = r.hi / b.hi;
        return fast(q1, q2).plus(q3);
    }

    /** Times 2 to the power n, which must keep the number in range. */
    DoubleDouble scale(int n) {
        return new DoubleDouble(Math.scalb(hi, n), Math.scalb(lo, n));
    }

    /** Times 2 to the power n, as a result to be rounded; it is marked inexact. Not for zero. */
    Unrounded unrounded(boolean flip, int n) {
        Unrounded u = new Unrounded();
        Float80 a = Float80.ofDouble(Double.doubleToRawLongBits(flip ? -hi : hi));
        if (lo == 0) {
            u.set(a.negative(), a.exponent(), a.normalized());
        } else {
            Float80 b = Float80.ofDouble(Double.doubleToRawLongBits(flip ? -lo : lo));
            u.sum(
                    a.negative(),
                    a.exponent(),
                    a.normalized(),
                    b.negative(),
                    b.exponent(),
                    b.normalized(),
                    FloatStatus.NEAREST);
        }
        u.low |= 1;
        u.exponent += n;
        return u;
    }

    /** sin of this, for magnitudes up to 0.8. */
    DoubleDouble sin() {
        return series(this, 2, 27);
    }

    /** cos of this, for magnitudes up to 0.8. */
    DoubleDouble cos() {
        return series(ONE, 1, 26);
    }

    /** first * (1 - x²/(k(k+1)) * (1 - x²/((k+2)(k+3)) * …)), evaluated from the last factor. */
    private DoubleDouble series(DoubleDouble first, int k, int last) {
        DoubleDouble square = times(this);
        DoubleDouble sum = ONE;
        for (int i = last - (last - k & 1); i >= k; i -= 2) {
            DoubleDouble step = square.over(of((double) i * (i + 1)));
            sum = ONE.minus(step.times(sum));
        }
        return first.times(sum);
    }

    /** e to the power of this, minus 1; for magnitudes up to 0.7. */
    DoubleDouble expMinus1() {
        DoubleDouble sum = ONE;
        for (int i = 28; i >= 2; i--) {
            sum = ONE.plus(over(of(i)).times(sum));
        }
        return times(sum);
    }

    /** Twice the inverse hyperbolic tangent, ln((1+x)/(1-x)); for magnitudes up to 0.18. */
    DoubleDouble twiceArtanh() {
        DoubleDouble square = times(this);
        DoubleDouble sum = DoubleDouble.of(0);
        for (int i = 45; i >= 3; i -= 2) {
            sum = square.times(sum.plus(ONE.over(of(i))));
        }
        return times(2).times(sum.plus(ONE));
    }

    /** arctan of this, between 0 and 1: the library's value and one Newton step. */
    DoubleDouble atan() {
        DoubleDouble guess = of(Math.atan(hi));
        DoubleDouble sin = guess.sin();
        DoubleDouble cos = guess.cos();
        DoubleDouble error = times(cos).minus(sin).over(cos.plus(times(sin)));
        return guess.plus(error);
    }
}

package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** Exact x87 functions of ST(0): sign, root, remainder, scaling, rounding to integer. */
public final class X87Functions {
    private X87Functions() {}

    public static void fchs(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.needTop(cpu)) {
            X87.clearC1(cpu);
            X87.set(cpu, 0, X87.get(cpu, 0).negate());
        }
    }

    public static void fabs(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.needTop(cpu)) {
            X87.clearC1(cpu);
            X87.set(cpu, 0, X87.get(cpu, 0).abs());
        }
    }

    public static void fsqrt(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.needTop(cpu)) {
            FloatStatus s = X87.status(cpu);
            X87.finish(cpu, s, 0, Float80.squareRoot(X87.get(cpu, 0), s));
        }
    }

    public static void frndint(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.needTop(cpu)) {
            FloatStatus s = X87.fullStatus(cpu);
            X87.finish(cpu, s, 0, X87.get(cpu, 0).roundToInteger(s));
        }
    }

    /** Exponent into ST(0), then the significand is pushed. */
    public static void fxtract(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        boolean overflow = !X87.isEmpty(cpu, 7);
        if (X87.isEmpty(cpu, 0) || overflow) {
            if (X87.stackFault(cpu, overflow && !X87.isEmpty(cpu, 0))) {
                X87.set(cpu, 0, Float80.INDEFINITE);
                X87.pushOver(cpu, Float80.INDEFINITE);
            }
            return;
        }
        FloatStatus s = X87.fullStatus(cpu);
        Float80 v = X87.get(cpu, 0);
        Float80 exponent;
        Float80 significand = v;
        if (v.isSpecial()) {
            exponent = Float80.special(v, s);
            significand = exponent;
        } else if (v.isInfinite()) {
            exponent = Float80.infinity(false);
        } else if (v.isZero()) {
            s.raise(FloatStatus.ZE);
            exponent = Float80.infinity(true);
        } else {
            s.raise(v.isDenormal() ? FloatStatus.DE : 0);
            exponent = Float80.ofLong(v.exponent());
            int se = v.signExponent() & 0x8000 | Float80.BIAS;
            significand = new Float80(v.normalized(), se);
        }
        if (X87.finish(cpu, s, 0, exponent)) {
            X87.pushOver(cpu, significand);
        }
    }

    /** ST(0) times 2 to the power of ST(1), which is truncated to an integer. */
    public static void fscale(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (!needBoth(cpu)) {
            return;
        }
        FloatStatus s = X87.fullStatus(cpu);
        X87.finish(cpu, s, 0, scale(X87.get(cpu, 0), X87.get(cpu, 1), s));
    }

    private static Float80 scale(Float80 a, Float80 b, FloatStatus s) {
        if (Float80.isSpecial(a, b)) {
            return Float80.special(a, b, s);
        }
        if (b.isInfinite() && (b.negative() ? a.isInfinite() : a.isZero())) {
            return Float80.invalid(s);
        }
        if (a.isDenormal() || b.isDenormal()) {
            s.raise(FloatStatus.DE);
        }
        if (b.isInfinite()) {
            return b.negative() ? Float80.zero(a.negative()) : Float80.infinity(a.negative());
        }
        if (a.isZero() || a.isInfinite()) {
            return a;
        }
        int n = 0;
        if (!b.isZero() && b.exponent() >= 0) {
            int e = b.exponent();
            n = e > 16 ? 1 << 17 : (int) (b.normalized() >>> 63 - e);
            n = b.negative() ? -n : n;
        }
        Unrounded u = a.unpack();
        u.exponent += n;
        return Float80.rounded(u, s);
    }

    /** Whether ST(0) and ST(1) are there; if not, ST(0) gets the masked response. */
    static boolean needBoth(Cpu cpu) {
        if (!X87.isEmpty(cpu, 0) && !X87.isEmpty(cpu, 1)) {
            return true;
        }
        if (X87.stackFault(cpu, false)) {
            X87.set(cpu, 0, Float80.INDEFINITE);
        }
        return false;
    }

    public static void fprem(Cpu cpu, Instruction insn) {
        remainder(cpu, insn, false);
    }

    public static void fprem1(Cpu cpu, Instruction insn) {
        remainder(cpu, insn, true);
    }

    private static void remainder(Cpu cpu, Instruction insn, boolean nearest) {
        X87.pointers(cpu, insn);
        cpu.fsw &= ~X87.C2;
        if (!needBoth(cpu)) {
            return;
        }
        FloatStatus s = X87.fullStatus(cpu);
        Float80 a = X87.get(cpu, 0);
        Float80 b = X87.get(cpu, 1);
        if (Float80.isSpecial(a, b)) {
            X87.finish(cpu, s, 0, Float80.special(a, b, s));
            return;
        }
        if (a.isInfinite() || b.isZero()) {
            X87.finish(cpu, s, 0, Float80.invalid(s));
            return;
        }
        if (a.isDenormal() || b.isDenormal()) {
            s.raise(FloatStatus.DE);
        }
        if (a.isZero() || b.isInfinite()) {
            Float80 same = a.isZero() ? a : Float80.rounded(a.unpack(), s);
            if (X87.finish(cpu, s, 0, same)) {
                X87.conditions(cpu, 0);
            }
            return;
        }
        Division d = new Division(a, b);
        int codes = d.run(nearest);
        Float80 result = d.rest == 0 ? Float80.zero(a.negative()) : Float80.rounded(d.result(), s);
        if (X87.finish(cpu, s, 0, result)) {
            X87.conditions(cpu, codes);
        }
    }

    /** Long division, bit by bit; at most 63 bits of the quotient in one instruction. */
    private static final class Division {
        private final long divisor;
        private final int distance;
        private int exponent;
        private boolean negative;
        private long rest;
        private long quotient;

        Division(Float80 a, Float80 b) {
            divisor = b.normalized();
            distance = a.exponent() - b.exponent();
            exponent = b.exponent();
            negative = a.negative();
            rest = a.normalized();
        }

        /** The condition codes. */
        int run(boolean nearest) {
            if (distance < 0) {
                exponent += distance;
                if (nearest && distance == -1 && Long.compareUnsigned(rest, divisor) > 0) {
                    // More than half of the divisor: the difference, twice as fine as the divisor's
                    // own exponent.
                    rest = divisor - (rest - divisor);
                    negative = !negative;
                    quotient = 1;
                }
                return codes();
            }
            if (distance < 64) {
                divide(distance);
                if (nearest) {
                    roundQuotient();
                }
                return codes();
            }
            int bits = distance & 31 | 32;
            exponent += distance - bits;
            divide(bits);
            return X87.C2;
        }

        private void divide(int bits) {
            boolean carry = false;
            for (int i = bits; ; i--) {
                quotient <<= 1;
                if (carry || Long.compareUnsigned(rest, divisor) >= 0) {
                    rest -= divisor;
                    quotient |= 1;
                }
                if (i == 0) {
                    return;
                }
                carry = rest < 0;
                rest <<= 1;
            }
        }

        private void roundQuotient() {
            int order = Long.compareUnsigned(rest, divisor - rest);
            if (order > 0 || order == 0 && (quotient & 1) != 0) {
                rest = divisor - rest;
                negative = !negative;
                quotient++;
            }
        }

        private int codes() {
            return ((quotient & 4) != 0 ? X87.C0 : 0)
                    | ((quotient & 2) != 0 ? X87.C3 : 0)
                    | ((quotient & 1) != 0 ? X87.C1 : 0);
        }

        Unrounded result() {
            return new Unrounded().set(negative, exponent, rest);
        }
    }
}

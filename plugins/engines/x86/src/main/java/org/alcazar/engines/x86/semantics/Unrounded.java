package org.alcazar.engines.x86.semantics;

/**
 * The result of an operation before rounding: sign, exponent and 128 bits of significand, of which
 * the lowest also stands for everything below it. The value is {@code high:low / 2^127 *
 * 2^exponent}; zero has both halves zero, every other value has the top bit of {@code high} set.
 * After {@link #round} the significand is in {@code high}, with its top bit clear for denormal
 * results.
 */
final class Unrounded {
    boolean negative;
    int exponent;
    long high;
    long low;

    /** After {@link #round}: the result is infinite. */
    boolean infinite;

    boolean isZero() {
        return (high | low) == 0;
    }

    /** A value with a 64-bit significand, normalised here; zero stays zero. */
    Unrounded set(boolean sign, int exp, long significand) {
        negative = sign;
        low = 0;
        int shift = Long.numberOfLeadingZeros(significand);
        high = shift == 64 ? 0 : significand << shift;
        exponent = exp - shift;
        return this;
    }

    /**
     * a + b; both normalised and not zero. An exact zero gets the sign that the rounding asks for.
     */
    Unrounded sum(boolean na, int ea, long ma, boolean nb, int eb, long mb, int rounding) {
        if (ea < eb || ea == eb && Long.compareUnsigned(ma, mb) < 0) {
            return sum(nb, eb, mb, na, ea, ma, rounding);
        }
        negative = na;
        exponent = ea;
        high = mb;
        low = 0;
        shiftRight(ea - eb);
        if (na == nb) {
            long s = ma + high;
            boolean carry = Long.compareUnsigned(s, ma) < 0;
            high = s;
            if (carry) {
                shiftRight(1);
                high |= Long.MIN_VALUE;
                exponent++;
            }
            return this;
        }
        high = ma - high - (low == 0 ? 0 : 1);
        low = -low;
        if (isZero()) {
            negative = rounding == FloatStatus.DOWN;
            return this;
        }
        normalize();
        return this;
    }

    Unrounded product(boolean na, int ea, long ma, boolean nb, int eb, long mb) {
        negative = na != nb;
        exponent = ea + eb + 1;
        high = Math.unsignedMultiplyHigh(ma, mb);
        low = ma * mb;
        normalize();
        return this;
    }

    Unrounded quotient(boolean na, int ea, long ma, boolean nb, int eb, long mb) {
        negative = na != nb;
        exponent = ea - eb;
        long h = ma >>> 1;
        long l = ma << 63;
        if (Long.compareUnsigned(ma, mb) < 0) {
            exponent--;
            h = ma;
            l = 0;
        }
        high = divide(h, l, mb);
        long rest = l - high * mb;
        low = divide(rest, 0, mb);
        if (low * mb != 0) {
            low |= 1;
        }
        return this;
    }

    /** Square root of a positive normalised value. */
    Unrounded squareRoot(int e, long m) {
        negative = false;
        boolean odd = (e & 1) != 0;
        exponent = e >> 1;
        long radicandHigh = odd ? m : m >>> 1;
        long radicandLow = odd ? 0 : m << 63;
        long root = root(radicandHigh, radicandLow);
        long squareHigh = Math.unsignedMultiplyHigh(root, root);
        long squareLow = root * root;
        long restLow = radicandLow - squareLow;
        long borrow = Long.compareUnsigned(radicandLow, squareLow) < 0 ? 1 : 0;
        long restHigh = radicandHigh - squareHigh - borrow;
        high = root;
        boolean aboveHalf = restHigh != 0 || Long.compareUnsigned(restLow, root) > 0;
        low = aboveHalf ? Long.MIN_VALUE | 1 : (restHigh | restLow) != 0 ? 1 : 0;
        return this;
    }

    /** Floor of the square root of a 128-bit number whose top two bits are not both zero. */
    private static long root(long h, long l) {
        // The number is h * 2^64; a double gives 50 good bits, one Newton step all but the last.
        double estimate = Math.sqrt(unsignedToDouble(h)) * 0x1p32;
        long s = estimate >= 0x1p64 ? -1 : doubleToUnsigned(estimate);
        if (Long.compareUnsigned(h, s) < 0) {
            long q = divide(h, l, s);
            s = (s >>> 1) + (q >>> 1) + (s & q & 1);
        }
        while (isSquareAbove(s, h, l)) {
            s--;
        }
        while (s != -1 && !isSquareAbove(s + 1, h, l)) {
            s++;
        }
        return s;
    }

    private static boolean isSquareAbove(long s, long h, long l) {
        int order = Long.compareUnsigned(Math.unsignedMultiplyHigh(s, s), h);
        return order > 0 || order == 0 && Long.compareUnsigned(s * s, l) > 0;
    }

    private static double unsignedToDouble(long v) {
        return (v >>> 1) * 2.0;
    }

    private static long doubleToUnsigned(double d) {
        return (long) (d * 0.5) << 1 | Long.MIN_VALUE;
    }

    /** (h:l) / d, where d has its top bit set and h is below d: two digits of 32 bits. */
    static long divide(long h, long l, long d) {
        long dh = d >>> 32;
        long dl = d & 0xffffffffL;
        long q1 = digit(h, l >>> 32, dh, dl);
        long rest = (h << 32 | l >>> 32) - q1 * d;
        long q0 = digit(rest, l & 0xffffffffL, dh, dl);
        return (q1 << 32) + q0;
    }

    private static long digit(long h, long next, long dh, long dl) {
        long q = Long.divideUnsigned(h, dh);
        long r = h - q * dh;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * dl, r << 32 | next) > 0) {
            q--;
            r += dh;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }

    private void normalize() {
        if (high == 0) {
            high = low;
            low = 0;
            exponent -= 64;
        }
        int shift = Long.numberOfLeadingZeros(high);
        if (shift != 0) {
            high = high << shift | low >>> 64 - shift;
            low <<= shift;
            exponent -= shift;
        }
    }

    /** Shifts right; ones that fall out stay in the lowest bit. Does not touch the exponent. */
    void shiftRight(int n) {
        if (n == 0) {
            return;
        }
        if (n < 64) {
            long out = low << 64 - n;
            low = high << 64 - n | low >>> n | (out != 0 ? 1 : 0);
            high >>>= n;
        } else if (n < 128) {
            long out = low | (n == 64 ? 0 : high << 128 - n);
            low = high >>> n - 64 | (out != 0 ? 1 : 0);
            high = 0;
        } else {
            low = isZero() ? 0 : 1;
            high = 0;
        }
    }

    /**
     * Rounds to a format.
     *
     * @param precision bits of the significand, the leading one included
     * @param minimum smallest exponent of a normal number
     * @param maximum largest exponent
     * @param wrap what is added to or subtracted from the exponent on an unmasked underflow or
     *     overflow; 0 if there is no result then
     */
    void round(FloatStatus s, int precision, int minimum, int maximum, int wrap) {
        infinite = false;
        if (isZero()) {
            return;
        }
        boolean tiny = exponent < minimum && isTiny(s.rounding, precision, minimum);
        if (tiny && (s.unmasked & FloatStatus.UE) != 0) {
            s.raise(FloatStatus.UE);
            exponent += wrap;
            if (wrap == 0 || exponent >= minimum) {
                cut(s, precision);
            } else {
                s.raise(FloatStatus.PE);
                high = 0;
            }
            return;
        }
        if (tiny && s.flushToZero) {
            s.raise(FloatStatus.UE | FloatStatus.PE);
            high = 0;
            low = 0;
            return;
        }
        if (exponent < minimum) {
            shiftRight(Math.min(200, minimum - exponent));
            exponent = minimum;
        }
        boolean inexact = cut(s, precision);
        if (tiny && inexact) {
            s.raise(FloatStatus.UE);
        }
        if (exponent > maximum) {
            overflow(s, precision, maximum, wrap);
        }
    }

    private void overflow(FloatStatus s, int precision, int maximum, int wrap) {
        s.raise(FloatStatus.OE);
        if ((s.unmasked & FloatStatus.OE) != 0) {
            exponent -= wrap;
            if (wrap == 0 || exponent <= maximum) {
                return;
            }
        }
        s.raise(FloatStatus.PE);
        // Too far even for a wrapped exponent: infinity, however it rounds.
        boolean beyond = (s.unmasked & FloatStatus.OE) != 0;
        infinite =
                beyond
                        || switch (s.rounding) {
                            case FloatStatus.NEAREST -> true;
                            case FloatStatus.DOWN -> negative;
                            case FloatStatus.UP -> !negative;
                            default -> false;
                        };
        if (infinite) {
            s.flags |= FloatStatus.ROUNDED_UP;
        } else {
            s.flags &= ~FloatStatus.ROUNDED_UP;
            high = -1L << 64 - precision;
            exponent = maximum;
        }
    }

    /**
     * Whether the result stays below the smallest normal number when rounded with unlimited
     * exponents.
     */
    private boolean isTiny(int rounding, int precision, int minimum) {
        return exponent < minimum - 1
                || (high | below(precision)) != -1
                || !roundsUp(rounding, precision);
    }

    /** Mask of the bits of {@code high} below the last place. */
    private static long below(int precision) {
        return precision == 64 ? 0 : -1L >>> precision;
    }

    private boolean roundsUp(int rounding, int precision) {
        long mask = below(precision);
        if ((high & mask | low) == 0) {
            return false;
        }
        return switch (rounding) {
            case FloatStatus.NEAREST -> {
                int order = compareToHalf(mask);
                yield order > 0 || order == 0 && (high & mask + 1) != 0;
            }
            case FloatStatus.DOWN -> negative;
            case FloatStatus.UP -> !negative;
            default -> false;
        };
    }

    private int compareToHalf(long mask) {
        if (mask == 0) {
            return Long.compareUnsigned(low, Long.MIN_VALUE);
        }
        int order = Long.compare(high & mask, mask ^ mask >>> 1);
        return order == 0 && low != 0 ? 1 : order;
    }

    /** Rounds the significand; returns whether that lost anything. */
    private boolean cut(FloatStatus s, int precision) {
        s.flags &= ~FloatStatus.ROUNDED_UP;
        long mask = below(precision);
        if ((high & mask | low) == 0) {
            return false;
        }
        boolean up = roundsUp(s.rounding, precision);
        high &= ~mask;
        low = 0;
        s.raise(FloatStatus.PE);
        if (up) {
            s.flags |= FloatStatus.ROUNDED_UP;
            high += mask + 1;
            if (high == 0) {
                high = Long.MIN_VALUE;
                exponent++;
            }
        }
        return true;
    }

    /**
     * Rounds to an integer at the binary point; its magnitude is then in {@code high}, 65 bits and
     * more set {@code infinite}.
     */
    void roundToInteger(FloatStatus s) {
        infinite = exponent > 63;
        if (infinite || isZero()) {
            return;
        }
        shiftRight(Math.min(200, 63 - exponent));
        exponent = 63;
        boolean wasAllOnes = high == -1;
        cut(s, 64);
        infinite = wasAllOnes && exponent != 63;
    }
}

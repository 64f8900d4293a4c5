package org.alcazar.engines.x86.semantics;

/**
 * Rounding control and exception flags of one floating-point operation. Flag bits are those that
 * MXCSR and the x87 status word share.
 */
final class FloatStatus {
    static final int IE = 1;
    static final int DE = 1 << 1;
    static final int ZE = 1 << 2;
    static final int OE = 1 << 3;
    static final int UE = 1 << 4;
    static final int PE = 1 << 5;

    /** All six. */
    static final int ALL = 0x3f;

    /** Those that are found before the result is computed. */
    static final int BEFORE = IE | DE | ZE;

    /** Not an exception: the last rounding went away from zero (x87 condition code C1). */
    static final int ROUNDED_UP = 1 << 9;

    static final int NEAREST = 0;
    static final int DOWN = 1;
    static final int UP = 2;
    static final int TO_ZERO = 3;

    /** NEAREST, DOWN, UP or TO_ZERO. */
    final int rounding;

    /** Bits of significand of x87 results: 24, 53 or 64. */
    final int precision;

    /** Exceptions that are not masked. */
    final int unmasked;

    final boolean flushToZero;
    final boolean denormalsAreZero;

    /** An operand was denormal in the format that it was converted from. */
    boolean denormalOperand;

    int flags;

    private FloatStatus(
            int rounding, int precision, int unmasked, boolean flushToZero, boolean daz) {
        this.rounding = rounding;
        this.precision = precision;
        this.unmasked = unmasked;
        this.flushToZero = flushToZero;
        this.denormalsAreZero = daz;
    }

    /** As an x87 control word says. */
    static FloatStatus ofControlWord(int fcw) {
        return new FloatStatus(fcw >> 10 & 3, precision(fcw), ~fcw & ALL, false, false);
    }

    /** As an x87 control word says, but with full precision. */
    static FloatStatus ofControlWordFull(int fcw) {
        return new FloatStatus(fcw >> 10 & 3, 64, ~fcw & ALL, false, false);
    }

    /** As MXCSR says. */
    static FloatStatus ofMxcsr(int mxcsr) {
        int unmasked = ~(mxcsr >> 7) & ALL;
        boolean ftz = (mxcsr & 1 << 15) != 0 && (unmasked & UE) == 0;
        return new FloatStatus(mxcsr >> 13 & 3, 64, unmasked, ftz, (mxcsr & 1 << 6) != 0);
    }

    /** This one with another rounding and no flags. */
    FloatStatus withRounding(int other) {
        return new FloatStatus(other, precision, unmasked, flushToZero, denormalsAreZero);
    }

    void raise(int exceptions) {
        flags |= exceptions;
    }

    /** Whether an exception that was found before computing is unmasked: no result. */
    boolean stops() {
        return (flags & unmasked & BEFORE) != 0;
    }

    private static int precision(int fcw) {
        return switch (fcw >> 8 & 3) {
            case 0 -> 24;
            case 2 -> 53;
            default -> 64;
        };
    }
}

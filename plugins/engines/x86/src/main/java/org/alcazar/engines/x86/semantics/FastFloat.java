package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.semantics.FloatStatus.PE;

/**
 * Arithmetic with the machine's own operations, for round-to-nearest with all exceptions masked and
 * without special operands or results. Whether a result is inexact is found from the exact error of
 * the operation.
 */
final class FastFloat {
    /** Result of the {@code state} methods: not a case for this class. */
    static final int SLOW = -1;

    /**
     * Bits of MXCSR that must have the reset value for the fast path: rounding, masks, FTZ, DAZ.
     */
    private static final int CONTROL = 0xffc0;

    private static final int DEFAULT = 0x1f80;

    /** Operands from here on leave an error that is a normal number or at least not lost. */
    private static final double ERROR_SAFE = 0x1p-960;

    private FastFloat() {}

    static boolean isDefault(int mxcsr) {
        return (mxcsr & CONTROL) == DEFAULT;
    }

    /** Zero or normal. */
    static boolean isOrdinary(double v) {
        double m = Math.abs(v);
        return m >= Double.MIN_NORMAL && m <= Double.MAX_VALUE || m == 0;
    }

    /** Zero or normal. */
    static boolean isOrdinary(float v) {
        float m = Math.abs(v);
        return m >= Float.MIN_NORMAL && m <= Float.MAX_VALUE || m == 0;
    }

    /** A result that can't come from an underflow: the smallest normal number can, by rounding. */
    static boolean isSafe(double v) {
        double m = Math.abs(v);
        return m > Double.MIN_NORMAL && m <= Double.MAX_VALUE || m == 0;
    }

    /** As for double. */
    static boolean isSafe(float v) {
        float m = Math.abs(v);
        return m > Float.MIN_NORMAL && m <= Float.MAX_VALUE || m == 0;
    }

    /** Neither NaN nor denormal. */
    static boolean isComparable(double v) {
        return Math.abs(v) >= Double.MIN_NORMAL || v == 0;
    }

    /** Neither NaN nor denormal. */
    static boolean isComparable(float v) {
        return Math.abs(v) >= Float.MIN_NORMAL || v == 0;
    }

    static double compute(int op, double x, double y) {
        return switch (op) {
            case SseFloat.ADD -> x + y;
            case SseFloat.SUB -> x - y;
            case SseFloat.MUL -> x * y;
            case SseFloat.DIV -> x / y;
            case SseFloat.MIN -> x < y ? x : y;
            case SseFloat.MAX -> x > y ? x : y;
            default -> Math.sqrt(y);
        };
    }

    static float compute(int op, float x, float y) {
        return switch (op) {
            case SseFloat.ADD -> x + y;
            case SseFloat.SUB -> x - y;
            case SseFloat.MUL -> x * y;
            case SseFloat.DIV -> x / y;
            case SseFloat.MIN -> x < y ? x : y;
            case SseFloat.MAX -> x > y ? x : y;
            default -> (float) Math.sqrt(y);
        };
    }

    /** 0, PE or {@link #SLOW} for a result of {@link #compute}. */
    static int state(int op, double x, double y, double r) {
        if (op == SseFloat.MIN || op == SseFloat.MAX) {
            return isComparable(x) && isComparable(y) ? 0 : SLOW;
        }
        if (!isOrdinary(x) || !isOrdinary(y) || !isSafe(r)) {
            return SLOW;
        }
        double error;
        switch (op) {
            case SseFloat.ADD -> error = sumError(x, y, r);
            case SseFloat.SUB -> error = sumError(x, -y, r);
            case SseFloat.MUL -> {
                if (Math.abs(r) < ERROR_SAFE) {
                    return x == 0 || y == 0 ? 0 : SLOW;
                }
                error = Math.fma(x, y, -r);
            }
            case SseFloat.DIV -> {
                if (Math.abs(x) < ERROR_SAFE || r == 0) {
                    return x == 0 ? 0 : SLOW;
                }
                error = Math.fma(r, y, -x);
            }
            default -> {
                if (Math.abs(y) < ERROR_SAFE) {
                    return y == 0 ? 0 : SLOW;
                }
                error = Math.fma(r, r, -y);
            }
        }
        return error == 0 ? 0 : PE;
    }

    /** 0, PE or {@link #SLOW} for a result of {@link #compute}. */
    static int state(int op, float x, float y, float r) {
        if (op == SseFloat.MIN || op == SseFloat.MAX) {
            return isComparable(x) && isComparable(y) ? 0 : SLOW;
        }
        if (!isOrdinary(x) || !isOrdinary(y) || !isSafe(r)) {
            return SLOW;
        }
        boolean exact;
        switch (op) {
            case SseFloat.ADD -> exact = sumError(x, y, r) == 0;
            case SseFloat.SUB -> exact = sumError(x, -y, r) == 0;
            case SseFloat.MUL -> {
                exact = (double) x * y == r;
                if (r == 0 && !exact) {
                    return SLOW;
                }
            }
            case SseFloat.DIV -> {
                exact = (double) r * y == x;
                if (r == 0 && !exact) {
                    return SLOW;
                }
            }
            default -> exact = (double) r * r == y;
        }
        return exact ? 0 : PE;
    }

    private static double sumError(double x, double y, double r) {
        double v = r - x;
        return (x - (r - v)) + (y - v);
    }

    private static float sumError(float x, float y, float r) {
        float v = r - x;
        return (x - (r - v)) + (y - v);
    }
}

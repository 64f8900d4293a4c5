package org.alcazar.engines.x86.translator;

/**
 * Whether the host's own arithmetic does what the guest's would, and raises no exception but
 * inexactness, which counts no more once MXCSR tells of one. Only round-to-nearest. Infinities and
 * NaNs among operands show in results; denormal ones are looked for apart. A result close to the
 * smallest normal number may come from an underflow. To be inlined.
 */
final class Ordinary {
    private static final long EXPONENT = 0x7ffL << 52;
    private static final int SINGLE_EXPONENT = 0xff << 23;

    private Ordinary() {}

    /** Denormal; of bits, which are at hand. */
    static boolean isTiny(long bits) {
        return (bits & EXPONENT) == 0 && bits << 1 != 0;
    }

    /** Denormal. */
    static boolean isTinySingle(int bits) {
        return (bits & SINGLE_EXPONENT) == 0 && bits << 1 != 0;
    }

    /** Finite, and twice the smallest normal number at least. */
    private static boolean isNormal(double r) {
        int high = (int) (Double.doubleToRawLongBits(r) >>> 32);
        return Integer.compareUnsigned((high << 1) - (2 << 21), 0x7fd << 21) < 0;
    }

    private static boolean isNormal(float r) {
        int bits = Float.floatToRawIntBits(r);
        return Integer.compareUnsigned((bits << 1) - (2 << 24), 0xfd << 24) < 0;
    }

    /** A sum, difference or square root. */
    static boolean isSum(double r) {
        return isNormal(r) || r == 0;
    }

    static boolean isSum(float r) {
        return isNormal(r) || r == 0;
    }

    static boolean isProduct(double r, double x, double y) {
        return isNormal(r) || r == 0 && (x == 0 || y == 0);
    }

    static boolean isProduct(float r, float x, float y) {
        return isNormal(r) || r == 0 && (x == 0 || y == 0);
    }

    static boolean isQuotient(double r, double x) {
        return isNormal(r) || r == 0 && x == 0;
    }

    static boolean isQuotient(float r, float x) {
        return isNormal(r) || r == 0 && x == 0;
    }

    /** A double made a single. */
    static boolean isNarrowed(float r, double x) {
        return isNormal(r) || r == 0 && x == 0;
    }

    /** Neither is NaN. */
    static boolean isOrdered(double x, double y) {
        return x < y || x >= y;
    }

    /** Of numbers, as the instructions have it: zeros are equal. */
    static double min(double x, double y) {
        return x < y ? x : y;
    }

    static double max(double x, double y) {
        return x > y ? x : y;
    }

    static float min(float x, float y) {
        return x < y ? x : y;
    }

    static float max(float x, float y) {
        return x > y ? x : y;
    }

    static float root(float y) {
        return (float) Math.sqrt(y);
    }

    /** CMPPD and its relatives, of numbers that are ordered: all ones if the predicate holds. */
    static long compare(double x, double y, int predicate) {
        boolean holds =
                switch (predicate) {
                    case 0 -> x == y;
                    case 1 -> x < y;
                    case 2 -> x <= y;
                    case 3 -> false;
                    case 4 -> x != y;
                    case 5 -> x >= y;
                    case 6 -> x > y;
                    default -> true;
                };
        return holds ? -1 : 0;
    }

    /** Whether truncation fits 32 bits; not told for the smallest integer. */
    static boolean fitsInt(double x) {
        return Math.abs(x) < 0x1p31;
    }

    static boolean fitsLong(double x) {
        return Math.abs(x) < 0x1p63;
    }
}

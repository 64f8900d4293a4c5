package org.alcazar.engines.x86.oracle;

import java.util.SplittableRandom;

/**
 * Operands in which edges are frequent. They are drawn from pools made once, since a case takes
 * more than a hundred.
 */
final class Values {
    private static final int POOL = 1 << 12;

    private static final int[] EXPONENTS_80 = {
        0, 0, 1, 2, 50, 0x3f80, 0x3fc0, 0x3ffd, 0x3ffe, 0x3fff, 0x3fff, 0x4000, 0x400d, 0x400e,
        0x401d, 0x401e, 0x403d, 0x403e, 0x403f, 0x4040, 0x407e, 0x407f, 0x43fe, 0x43ff, 0x3c00,
        0x3c01, 0x3f81, 0x3f6a, 0x7ffe, 0x7ffd, 0x7fff, 0x7fff
    };
    private static final int[] EXPONENTS_64 = {
        0,
        0,
        1,
        2,
        0x7ff,
        0x7fe,
        0x7fd,
        0x3ff,
        0x400,
        0x3fe,
        0x3ff + 30,
        0x3ff + 31,
        0x3ff + 32,
        0x3ff + 62,
        0x3ff + 63,
        0x3ff + 64,
        0x3ff + 53,
        0x3ff + 127,
        0x3ff + 128,
        0x3ff - 126,
        0x3ff - 127,
        0x3ff - 149,
        0x3ff - 150,
        0x3ff - 22,
        0x200,
        0x5ff
    };
    private static final int[] EXPONENTS_32 = {
        0, 0, 1, 2, 0xff, 0xfe, 0xfd, 0x7f, 0x80, 0x7e, 0x7f + 30, 0x7f + 31, 0x7f + 23, 0x7f + 24,
        0x7f + 63, 0x7f + 62, 0x40, 0xbf, 0x60
    };
    private static final long[] FRACTIONS = {
        0,
        0,
        0,
        -1L,
        1,
        1L << 63,
        1L << 62,
        3L << 62,
        -2L,
        2,
        1L << 40,
        1L << 10,
        1L << 11,
        3L << 10,
        1L << 39,
        3L << 39,
        0xfffff_ffffffff_000L,
        -1L << 40
    };

    private final long[] integers = new long[POOL];
    private final long[] doubles = new long[POOL];
    private final long[] singles = new long[POOL];
    private final long[] significands = new long[POOL];
    private final int[] exponents = new int[POOL];
    private SplittableRandom random = new SplittableRandom(1);

    Values() {
        for (int i = 0; i < POOL; i++) {
            integers[i] = newInteger();
            doubles[i] = newDouble();
            singles[i] = newSingle() << 32 | newSingle() & 0xffff_ffffL;
            newExtended(i);
        }
    }

    /** From here on values come from this source. */
    void use(SplittableRandom source) {
        random = source;
    }

    private long fraction() {
        long f = FRACTIONS[random.nextInt(FRACTIONS.length)];
        return switch (random.nextInt(4)) {
            case 0 -> f;
            case 1 -> f ^ random.nextLong() >>> random.nextInt(64);
            case 2 -> f ^ 1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    private long newInteger() {
        long edge = 1L << random.nextInt(64);
        return switch (random.nextInt(8)) {
            case 0 -> random.nextInt(4) - 1;
            case 1 -> edge;
            case 2 -> edge - 1;
            case 3 -> -edge;
            case 4 -> random.nextInt() >> random.nextInt(32);
            case 5 -> random.nextLong() >>> random.nextInt(64);
            case 6 -> (edge & 0x80808080_80808080L) - 1 ^ random.nextLong() >>> 56;
            default -> random.nextLong();
        };
    }

    private long newDouble() {
        return switch (random.nextInt(8)) {
            case 0 -> Double.doubleToRawLongBits(random.nextInt(2001) - 1000);
            case 1 -> random.nextLong();
            case 2 -> Double.doubleToRawLongBits(random.nextLong() >> random.nextInt(64));
            default ->
                    fraction() >>> 12
                            | (long) EXPONENTS_64[random.nextInt(EXPONENTS_64.length)] << 52
                            | random.nextLong() & Long.MIN_VALUE;
        };
    }

    private long newSingle() {
        return switch (random.nextInt(8)) {
            case 0 -> Float.floatToRawIntBits(random.nextInt(2001) - 1000);
            case 1 -> random.nextInt();
            case 2 -> Float.floatToRawIntBits(random.nextInt() >> random.nextInt(32));
            default ->
                    (int) (fraction() >>> 41)
                            | EXPONENTS_32[random.nextInt(EXPONENTS_32.length)] << 23
                            | random.nextInt() & Integer.MIN_VALUE;
        };
    }

    private void newExtended(int i) {
        int kind = random.nextInt(8);
        int sign = random.nextInt(2) << 15;
        if (kind == 0 && i > 0) {
            // A neighbour of another.
            significands[i] = significands[i - 1] + random.nextInt(5) - 2;
            exponents[i] = exponents[i - 1] ^ sign;
        } else if (kind == 1) {
            long v = random.nextLong() >>> random.nextInt(64) | 1;
            int zeros = Long.numberOfLeadingZeros(v);
            significands[i] = v << zeros;
            exponents[i] = 0x3fff + 63 - zeros | sign;
        } else if (kind == 2) {
            significands[i] = random.nextLong();
            exponents[i] = random.nextInt(0x10000);
        } else {
            int exp =
                    random.nextBoolean()
                            ? 0x3fff - 70 + random.nextInt(140)
                            : EXPONENTS_80[random.nextInt(EXPONENTS_80.length)];
            long f = fraction();
            // Mostly normalised; else denormal, pseudo-denormal or unsupported.
            boolean normal = exp != 0 && random.nextInt(20) != 0;
            significands[i] = normal ? f | 1L << 63 : f & -1L >>> random.nextInt(2);
            exponents[i] = exp | sign;
        }
    }

    long integer() {
        return integers[random.nextInt(POOL)];
    }

    /** Eight bytes of any type, mostly of {@code kind}. */
    long lane(int kind) {
        int at = random.nextInt(POOL);
        return switch (random.nextInt(8) == 0 ? random.nextInt(3) : kind) {
            case 0 -> integers[at];
            case 1 -> doubles[at];
            default -> singles[at];
        };
    }

    /** Puts an 80-bit number at a field of a case. */
    void extended(State to, int field) {
        int at = random.nextInt(POOL);
        to.set64(field, significands[at]);
        to.set16(field + 8, exponents[at]);
    }
}

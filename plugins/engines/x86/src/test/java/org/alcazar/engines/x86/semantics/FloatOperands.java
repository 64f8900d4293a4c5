package org.alcazar.engines.x86.semantics;

import java.util.Random;

/**
 * Random operands in which special values, neighbours of boundaries and near-equal pairs are
 * frequent.
 */
final class FloatOperands {
    private static final int[] EXPONENTS_80 = {
        0, 0, 1, 2, 50, 0x3f80, 0x3fc0, 0x3ffd, 0x3ffe, 0x3fff, 0x3fff, 0x4000, 0x400d, 0x400e,
        0x401d, 0x401e, 0x403d, 0x403e, 0x403f, 0x4040, 0x407e, 0x407f, 0x43fe, 0x43ff, 0x3c00,
        0x3c01, 0x3f81, 0x3f6a, 0x7ffe, 0x7ffd, 0x7fff, 0x7fff
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

    private final Random random;
    private long last64;
    private int last32;
    private boolean letters;
    private Float80 last80 = Float80.ONE;

    FloatOperands(Random random) {
        this.random = random;
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

    Float80 next80() {
        Float80 v;
        int kind = random.nextInt(16);
        if (kind == 0) {
            v =
                    new Float80(
                            last80.significand() + random.nextInt(5) - 2,
                            last80.signExponent() ^ random.nextInt(2) << 15);
        } else if (kind == 1) {
            v = Float80.ofLong(random.nextLong() >> random.nextInt(64));
        } else if (kind == 2) {
            v = Float80.ofDouble(next64());
        } else if (kind == 3) {
            v = Float80.ofFloat(next32());
        } else if (kind == 4) {
            v = new Float80(random.nextLong(), random.nextInt(0x10000));
        } else {
            int exp = EXPONENTS_80[random.nextInt(EXPONENTS_80.length)];
            if (random.nextBoolean()) {
                exp = 0x3fff - 70 + random.nextInt(140);
            }
            long f = fraction();
            // Mostly normalised; else denormal, pseudo-denormal or unsupported.
            f = exp != 0 && random.nextInt(20) != 0 ? f | 1L << 63 : f & -1L >>> random.nextInt(2);
            v = new Float80(f, exp | random.nextInt(2) << 15);
        }
        last80 = v;
        return v;
    }

    long next64() {
        long v;
        int kind = random.nextInt(8);
        if (kind == 0) {
            v = last64 + random.nextInt(5) - 2 ^ (long) random.nextInt(2) << 63;
        } else if (kind == 1) {
            v = Double.doubleToRawLongBits(random.nextInt(2001) - 1000);
        } else if (kind == 2) {
            v = random.nextLong();
        } else {
            int[] exps = {
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
                0x1ff,
                0x200,
                0x5ff,
                0x5fe
            };
            int exp = exps[random.nextInt(exps.length)];
            if (random.nextInt(3) == 0) {
                exp = 0x3ff - 60 + random.nextInt(120);
            }
            v = (long) exp << 52 | fraction() >>> 12 | (long) random.nextInt(2) << 63;
        }
        last64 = v;
        return v;
    }

    int next32() {
        int v;
        int kind = random.nextInt(8);
        if (kind == 0) {
            v = last32 + random.nextInt(5) - 2 ^ random.nextInt(2) << 31;
        } else if (kind == 1) {
            v = Float.floatToRawIntBits(random.nextInt(2001) - 1000);
        } else if (kind == 2) {
            v = random.nextInt();
        } else {
            int[] exps = {
                0, 0, 1, 2, 0xff, 0xfe, 0xfd, 0x7f, 0x80, 0x7e, 0x7f + 30, 0x7f + 31, 0x7f + 32,
                0x7f + 62, 0x7f + 63, 0x7f + 64, 0x7f + 23, 0x3f, 0x40, 0xbf, 0xbe
            };
            int exp = exps[random.nextInt(exps.length)];
            if (random.nextInt(3) == 0) {
                exp = 0x7f - 30 + random.nextInt(60);
            }
            v = exp << 23 | (int) (fraction() >>> 41) | random.nextInt(2) << 31;
        }
        last32 = v;
        return v;
    }

    private long pair32() {
        return next32() & 0xffffffffL | (long) next32() << 32;
    }

    /** Whether most vectors are to be texts of few different letters, with ends. */
    void letters(boolean most) {
        letters = most;
    }

    private long text() {
        long v = 0;
        int unit = random.nextBoolean() ? 8 : 16;
        int sign = random.nextInt(4) == 0 ? 0x80 << unit - 8 : 0;
        for (int i = 0; i < 64; i += unit) {
            int letter = random.nextInt(12) == 0 ? 0 : 'a' + random.nextInt(5);
            v |= (long) (letter | (random.nextBoolean() ? sign : 0)) << i;
        }
        return v;
    }

    private long[] texts() {
        return new long[] {text(), text()};
    }

    /** Two halves of 64 bits: doubles, floats or anything. */
    long[] next128() {
        if (letters && random.nextInt(4) != 0 || random.nextInt(16) == 0) {
            return texts();
        }
        return switch (random.nextInt(3)) {
            case 0 -> new long[] {next64(), next64()};
            case 1 -> new long[] {pair32(), pair32()};
            default -> new long[] {random.nextLong() >> random.nextInt(64), random.nextLong()};
        };
    }

    /** 10 bytes and more of an x87 memory operand. */
    long[] nextMemory() {
        if (letters && random.nextInt(4) != 0) {
            return texts();
        }
        return switch (random.nextInt(5)) {
            case 0 -> new long[] {next64(), next64()};
            case 1 -> new long[] {pair32(), pair32()};
            case 2 -> new long[] {random.nextLong() >> random.nextInt(64), random.nextLong()};
            case 3 -> new long[] {digits(16), digits(2) | (long) random.nextInt(2) << 15};
            default -> {
                Float80 v = next80();
                yield new long[] {v.significand(), v.signExponent() | random.nextLong() << 16};
            }
        };
    }

    private long digits(int n) {
        long v = 0;
        for (int i = 0; i < n; i++) {
            v = v << 4 | random.nextInt(10);
        }
        return v;
    }
}

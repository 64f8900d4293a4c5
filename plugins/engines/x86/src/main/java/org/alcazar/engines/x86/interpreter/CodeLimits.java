package org.alcazar.engines.x86.interpreter;

import java.util.Arrays;

/**
 * Numbers for the limits of code segments, so that a block's key can name the limit that the block
 * was decoded under. A limit that makes room for another one gets a new number when it comes back,
 * and its blocks are decoded anew.
 */
final class CodeLimits {
    private static final int KNOWN = 64;
    private static final int NUMBERS = (1 << 31 - Block.LIMIT_SHIFT) - 1;

    private final long[] limits = new long[KNOWN];
    private final int[] numbers = new int[KNOWN];
    private long last = -1;
    private int lastNumber;
    private int given;

    CodeLimits() {
        Arrays.fill(limits, -1);
    }

    /** A positive number for a limit, another one for every other limit. */
    int number(long limit) {
        if (limit != last) {
            last = limit;
            lastNumber = find(limit);
        }
        return lastNumber;
    }

    private int find(long limit) {
        int slot = (int) (limit ^ limit >>> 6 ^ limit >>> 12) & KNOWN - 1;
        if (limits[slot] != limit) {
            limits[slot] = limit;
            numbers[slot] = given++ % NUMBERS + 1;
        }
        return numbers[slot];
    }
}

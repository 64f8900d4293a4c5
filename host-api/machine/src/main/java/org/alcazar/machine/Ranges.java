package org.alcazar.machine;

import java.util.Arrays;

/**
 * An immutable set of address ranges with a fast membership test, used for intercepts. Replaced as
 * a whole under the pause barrier.
 */
public final class Ranges {
    public static final Ranges NONE = new Ranges(new long[0]);

    /** Everything, unsigned. */
    public static final Ranges ALL = new Ranges(new long[] {0, -1});

    /** First and last address of each range in turn, ascending, unsigned, not overlapping. */
    private final long[] bounds;

    private Ranges(long[] bounds) {
        this.bounds = bounds;
    }

    /**
     * This set with the inclusive range added.
     *
     * @throws IllegalArgumentException if {@code last} lies before {@code first} (unsigned)
     */
    public Ranges with(long first, long last) {
        if (Long.compareUnsigned(last, first) < 0) {
            throw new IllegalArgumentException("0x%x to 0x%x".formatted(first, last));
        }
        long lo = first;
        long hi = last;
        long[] out = new long[bounds.length + 2];
        int n = 0;
        int i = 0;
        for (; i < bounds.length && Long.compareUnsigned(bounds[i + 1], lo) < 0; i += 2) {
            out[n++] = bounds[i];
            out[n++] = bounds[i + 1];
        }
        for (; i < bounds.length && Long.compareUnsigned(bounds[i], hi) <= 0; i += 2) {
            lo = Long.compareUnsigned(bounds[i], lo) < 0 ? bounds[i] : lo;
            hi = Long.compareUnsigned(bounds[i + 1], hi) > 0 ? bounds[i + 1] : hi;
        }
        out[n++] = lo;
        out[n++] = hi;
        for (; i < bounds.length; i++) {
            out[n++] = bounds[i];
        }
        return new Ranges(Arrays.copyOf(out, n));
    }

    /** Whether an address (unsigned) lies in the set. */
    public boolean contains(long address) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (Long.compareUnsigned(address, bounds[i]) < 0) {
                return false;
            }
            if (Long.compareUnsigned(address, bounds[i + 1]) <= 0) {
                return true;
            }
        }
        return false;
    }
}

package org.alcazar.engines.x86.mmu;

import java.util.Arrays;

/**
 * Numbers of regions of linear addresses: a small open-addressed set, exact until it is full, then
 * every region is in it.
 */
final class RegionSet {
    private static final int SLOTS = 4096;
    private static final int MOST = SLOTS / 2;

    /** A number plus 1, or 0. */
    private final long[] slots = new long[SLOTS];

    private int count;

    void add(long region) {
        int at = slot(region);
        if (slots[at] == 0 && count < MOST) {
            slots[at] = region + 1;
            count++;
        }
    }

    boolean has(long region) {
        return count == MOST || slots[slot(region)] != 0;
    }

    void clear() {
        if (count != 0) {
            Arrays.fill(slots, 0);
            count = 0;
        }
    }

    private int slot(long region) {
        int at = (int) (region ^ region >>> 12 ^ region >>> 24) & SLOTS - 1;
        while (slots[at] != 0 && slots[at] != region + 1) {
            at = at + 1 & SLOTS - 1;
        }
        return at;
    }
}

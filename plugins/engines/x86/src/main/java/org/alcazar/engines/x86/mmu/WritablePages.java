package org.alcazar.engines.x86.mmu;

import java.util.Arrays;

/**
 * The only pages that a core's views have tags for writing to, while all that is written by them
 * must be known: a write to another page takes the slow path and puts that page in the place of the
 * oldest one.
 */
public final class WritablePages {
    /** How many there are at most. */
    public static final int MAX = 12;

    private static final long PAGE = -4096;
    private static final long[] NONE = {};

    private final long[][] views = new long[MAX][];
    private final int[] entries = new int[MAX];
    private int oldest;

    /** Pages that were looked up for writing since {@link #forget}. */
    private final long[] lookups = new long[MAX];

    private int lookupCount;

    public WritablePages() {
        Arrays.fill(views, NONE);
    }

    /** An entry of a view is about to get a tag for writing. */
    void add(long[] view, int entry) {
        int free = -1;
        for (int i = 0; i < MAX; i++) {
            if (views[i] == view && entries[i] == entry) {
                return;
            }
            free = views[i] == NONE ? i : free;
        }
        if (free < 0) {
            free = oldest;
            oldest = oldest == MAX - 1 ? 0 : oldest + 1;
            remove(free);
        }
        views[free] = view;
        entries[free] = entry;
    }

    /** Takes a page out. */
    public void remove(int number) {
        views[number][entries[number] + Mmu.WRITE_TAG] = 0;
        views[number] = NONE;
    }

    void lookedUp(long page) {
        lookups[Math.min(lookupCount++, MAX - 1)] = page;
    }

    /** Begins anew to note pages that are looked up for writing. */
    public void forget() {
        lookupCount = 0;
    }

    /**
     * A page that was looked up for writing, host-physical, the last one at the highest number.
     *
     * @return -1 if there were no more
     */
    public long lookup(int number) {
        return number < Math.min(lookupCount, MAX) ? lookups[number] : -1;
    }

    /**
     * Host-physical address of one of the pages, or -1 if there is none with this number.
     *
     * @param tag of {@link Mmu#tag}
     */
    public long page(int number, long tag) {
        long[] view = views[number];
        if (view == NONE) {
            return -1;
        }
        int entry = entries[number];
        long tagged = view[entry + Mmu.WRITE_TAG];
        return (tagged & ~PAGE) == tag ? (tagged & PAGE) + view[entry + Mmu.ADDEND] : -1;
    }
}

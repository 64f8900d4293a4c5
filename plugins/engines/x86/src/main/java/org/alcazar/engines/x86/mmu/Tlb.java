package org.alcazar.engines.x86.mmu;

import java.util.Arrays;

/**
 * What lies behind the MMU's views: one direct-mapped cache of translations of 4 KiB, for all
 * privileges. Generations in the tags make a flush an increment; global pages have a generation of
 * their own. Pieces of large pages are remembered coarsely, so that INVLPG finds all of them.
 */
final class Tlb {
    /** Flags of a translation, in the low bits of its value. */
    static final int USER = 1, WRITABLE = 2, EXECUTABLE = 4, DIRTY = 8, GLOBAL = 16;

    /** Rights by the second level that are known to be there. */
    static final int SECOND_WRITE = 32, SECOND_EXECUTE = 64, SECOND_READ = 128;

    /** Nothing is cached for an address. */
    static final long NONE = -1;

    private static final int ENTRIES = 8192;
    private static final int GENERATIONS = 1 << 11;
    private static final int REGIONS = 1024;
    private static final long PAGE = -4096;

    /** Pairs of tag and value. The tag's low bits: bit 0 global, bits 1 to 11 generation. */
    private final long[] entries = new long[2 * ENTRIES];

    /** Hashed 2 MiB regions with pieces of large pages in the cache. */
    private final boolean[] large = new boolean[REGIONS];

    private boolean anyLarge;

    /** Hashed 1 GiB regions with pieces of 1 GiB pages: INVLPG there flushes all. */
    private final boolean[] huge = new boolean[REGIONS];

    private int local = 1;
    private int global = 1;

    /**
     * Index of a page's pair. Higher bits are mixed in, so that two buffers at a distance of a
     * power of two, which collide in the views, don't collide here too.
     */
    private static int slot(long linear) {
        return ((int) (linear >>> 12 ^ linear >>> 25) & ENTRIES - 1) << 1;
    }

    long find(long linear) {
        int at = slot(linear);
        long tag = entries[at];
        long page = linear & PAGE;
        return tag == (page | (long) local << 1) || tag == (page | (long) global << 1 | 1)
                ? entries[at + 1]
                : NONE;
    }

    /**
     * @param value target page with flags
     * @param pageShift 12, 21, 22 or 30
     */
    void put(long linear, long value, int pageShift) {
        int at = slot(linear);
        boolean isGlobal = (value & GLOBAL) != 0;
        entries[at] = linear & PAGE | (isGlobal ? (long) global << 1 | 1 : (long) local << 1);
        entries[at + 1] = value;
        if (pageShift > 12) {
            anyLarge = true;
            large[region(linear)] = true;
            if (pageShift > 22) {
                huge[(int) (linear >>> 30) & REGIONS - 1] = true;
            }
        }
    }

    void flush(boolean globalsToo) {
        if (++local == GENERATIONS || globalsToo && ++global == GENERATIONS) {
            Arrays.fill(entries, 0);
            local = 1;
            global = 1;
        }
        if (globalsToo && anyLarge) {
            Arrays.fill(large, false);
            anyLarge = false;
            Arrays.fill(huge, false);
        }
    }

    /** Forgets the page of 4 KiB around an address. */
    void drop(long linear) {
        int at = slot(linear);
        if ((entries[at] & PAGE) == (linear & PAGE)) {
            entries[at] = 0;
        }
    }

    /**
     * Log2 of the region around an address that has to be dropped to drop its page: 12 unless it
     * may be in here as pieces of a large page.
     *
     * @param largeShift 21 or 22, the present format's size of large pages
     */
    int dropShift(long linear, int largeShift) {
        if (huge[(int) (linear >>> 30) & REGIONS - 1]) {
            return 30;
        }
        boolean found = large[region(linear)];
        if (largeShift == 22) {
            found |= large[region(linear ^ 1 << 21)];
        }
        return found ? largeShift : 12;
    }

    private static int region(long linear) {
        return (int) (linear >>> 21) & REGIONS - 1;
    }
}

package org.alcazar.engines.x86.mmu;

import java.util.Arrays;

/**
 * What lies behind the MMU's views: one direct-mapped cache of translations of 4 KiB, for all
 * privileges and contexts. A context (PCID; always 0 where there are none) has a generation, which
 * its tags bear, so that a flush is an increment; global pages have a generation of their own.
 * Where pieces of large pages are is remembered, so that INVLPG finds all of them.
 */
final class Tlb {
    /** Flags of a translation, in the low bits of its value. */
    static final int USER = 1, WRITABLE = 2, EXECUTABLE = 4, DIRTY = 8, GLOBAL = 16;

    /** Rights by the second level that are known to be there. */
    static final int SECOND_WRITE = 32, SECOND_EXECUTE = 64, SECOND_READ = 128;

    /** Where the protection key is, four bits. */
    static final int KEY_SHIFT = 8;

    /** Nothing is cached for an address. */
    static final long NONE = -1;

    private static final int ENTRIES = 8192;
    private static final int GENERATIONS = 1 << 11;
    private static final int CONTEXTS = 4096;
    private static final long PAGE = -4096;

    /** Pairs of tag and value. The tag's low bits: bit 0 global, bits 1 to 11 generation. */
    private final long[] entries = new long[2 * ENTRIES];

    /** 2 MiB regions with pieces of large pages in the cache. */
    private final RegionSet large = new RegionSet();

    /** 1 GiB regions with pieces of 1 GiB pages: INVLPG there flushes all. */
    private final RegionSet huge = new RegionSet();

    /** By context its generation; what lies below {@link #oldest} was flushed. */
    private final int[] contexts = new int[CONTEXTS];

    private int context;
    private int salt;
    private int oldest = 1;

    /** The highest generation of any context. */
    private int newest = 1;

    /** Generation of the present context. */
    private int local = 1;

    private int global = 1;

    Tlb() {
        contexts[0] = local;
    }

    /**
     * Index of a page's pair. Higher bits are mixed in, so that two buffers at a distance of a
     * power of two, which collide in the views, don't collide here too.
     *
     * @param salt of the context, 0 for global pages
     */
    private static int slot(long linear, int salt) {
        return (((int) (linear >>> 12 ^ linear >>> 25) ^ salt) & ENTRIES - 1) << 1;
    }

    /** Spreads the same addresses of different contexts; 0 for context 0. */
    private static int salt(int context) {
        return context * 0x2545;
    }

    long find(long linear) {
        int at = slot(linear, salt);
        long tag = entries[at];
        long page = linear & PAGE;
        if (tag == (page | (long) local << 1) || tag == (page | (long) global << 1 | 1)) {
            return entries[at + 1];
        }
        return salt == 0 ? NONE : findGlobal(page);
    }

    private long findGlobal(long page) {
        int at = slot(page, 0);
        return entries[at] == (page | (long) global << 1 | 1) ? entries[at + 1] : NONE;
    }

    /**
     * @param value target page with flags
     * @param pageShift 12, 21, 22 or 30
     */
    void put(long linear, long value, int pageShift) {
        boolean isGlobal = (value & GLOBAL) != 0;
        int at = slot(linear, isGlobal ? 0 : salt);
        entries[at] = linear & PAGE | (isGlobal ? (long) global << 1 | 1 : (long) local << 1);
        entries[at + 1] = value;
        if (pageShift > 12) {
            large.add(linear >>> 21);
            if (pageShift > 22) {
                huge.add(linear >>> 30);
            }
        }
    }

    /**
     * Makes a context the present one.
     *
     * @param keep false to forget what is there of it
     */
    void select(int number, boolean keep) {
        context = number;
        salt = salt(number);
        int known = contexts[number];
        local = keep && known >= oldest ? known : renew(number);
    }

    /** Forgets all of a context but its global pages. */
    void flushContext(int number) {
        if (number == context) {
            local = renew(number);
        } else {
            contexts[number] = 0;
        }
    }

    /** Forgets all contexts. */
    void flush(boolean globalsToo) {
        oldest = newest + 1;
        if (globalsToo && ++global == GENERATIONS) {
            wipe();
        }
        local = renew(context);
        if (globalsToo) {
            large.clear();
            huge.clear();
        }
    }

    private int renew(int number) {
        if (++newest == GENERATIONS) {
            wipe();
        }
        contexts[number] = newest;
        return newest;
    }

    /** Numbers have run out. */
    private void wipe() {
        Arrays.fill(entries, 0);
        Arrays.fill(contexts, 0);
        oldest = 1;
        newest = 1;
        global = 1;
    }

    /** Forgets the page of 4 KiB around an address, of a context and if it is global. */
    void drop(long linear, int number) {
        clear(linear & PAGE, slot(linear, salt(number)));
        clear(linear & PAGE, slot(linear, 0));
    }

    private void clear(long page, int at) {
        if ((entries[at] & PAGE) == page) {
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
        if (huge.has(linear >>> 30)) {
            return 30;
        }
        boolean found = large.has(linear >>> 21);
        if (largeShift == 22) {
            found |= large.has((linear ^ 1 << 21) >>> 21);
        }
        return found ? largeShift : 12;
    }
}

package org.alcazar.hosts.l4;

import org.alcazar.host.HostMemory;

/**
 * Flexpages as X.2 (4.1) puts them into a word: a region whose size is a power of two and whose
 * start is a multiple of the size. The size's logarithm is in bits 4 to 9, rights are in bits 0 to
 * 2; the rest is the start.
 */
final class Flexpage {
    static final int READ = 4;
    static final int WRITE = 2;
    static final int EXECUTE = 1;
    static final int ALL = READ | WRITE | EXECUTE;

    /** No page. */
    static final long NIL = 0;

    /** A whole address space. */
    static final long COMPLETE = 1 << 4;

    /** The smallest page there is. */
    static final int LEAST_SHIFT = HostMemory.PAGE_SHIFT;

    /** The largest one: addresses have 63 bits, so that they are never negative. */
    static final int GREATEST_SHIFT = 62;

    private Flexpage() {}

    static long of(long start, int shift, int rights) {
        return start | (long) shift << 4 | rights;
    }

    static long start(long page) {
        return page & -1024;
    }

    static int shift(long page) {
        return (int) (page >>> 4) & 0x3f;
    }

    static int rights(long page) {
        return (int) page & ALL;
    }

    static long bytes(long page) {
        return 1L << shift(page);
    }

    /** Whether it is a page between the least and the greatest, aligned to its size. */
    static boolean proper(long page) {
        int shift = shift(page);
        return shift >= LEAST_SHIFT
                && shift <= GREATEST_SHIFT
                && (page & 8) == 0
                && page >= 0
                && (start(page) & (1L << shift) - 1) == 0;
    }

    /**
     * Logarithm of the largest flexpage that starts at an address and ends within so many bytes.
     *
     * @param address a multiple of the page size
     * @param bytes at least a page
     */
    static int largest(long address, long bytes) {
        int fits = 63 - Long.numberOfLeadingZeros(bytes);
        int aligned = address == 0 ? GREATEST_SHIFT : Long.numberOfTrailingZeros(address);
        return Math.min(Math.min(fits, aligned), GREATEST_SHIFT);
    }

    static String describe(long page) {
        int rights = rights(page);
        return "0x%x+2^%d %s%s%s"
                .formatted(
                        start(page),
                        shift(page),
                        (rights & READ) != 0 ? "r" : "-",
                        (rights & WRITE) != 0 ? "w" : "-",
                        (rights & EXECUTE) != 0 ? "x" : "-");
    }
}

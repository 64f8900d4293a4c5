package org.alcazar.machine;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The authority on what a guest's physical memory is: ranges of it, where in host-physical space
 * they lie, and the rights to them. Paging modes build tables from it; engines that take slots read
 * it. It changes only under the pause barrier; look-ups allocate nothing.
 */
public final class GuestPhysicalMap {
    /**
     * One range, whole pages.
     *
     * @param start guest-physical
     * @param host host-physical: RAM, or a window of the bus
     * @param rights of {@link Rights}; accesses without a right exit with ACCESS
     * @param ram whether it is memory that belongs to the guest and is saved with it
     */
    public record Range(long start, long bytes, long host, int rights, boolean ram) {
        public long end() {
            return start + bytes;
        }
    }

    private volatile Range[] ranges = {};
    private final BitSet dirty = new BitSet();
    private boolean logging;
    private volatile Pager pager = (address, rights) -> false;
    private final RamPages.Listener dirtyListener = this::logWrite;

    /**
     * Adds a range.
     *
     * @throws IllegalArgumentException if it is not whole pages, reaches beyond the address space
     *     or overlaps another
     */
    public synchronized void add(Range range) {
        if (((range.start | range.bytes | range.host) & HostMemory.PAGE_SIZE - 1) != 0
                || range.bytes <= 0
                || range.start < 0
                || range.end() <= 0) {
            throw new IllegalArgumentException("not whole pages: " + range);
        }
        List<Range> all = new ArrayList<>(Arrays.asList(ranges));
        for (Range other : all) {
            if (range.start < other.end() && other.start < range.end()) {
                throw new IllegalArgumentException(range + " overlaps " + other);
            }
        }
        all.add(range);
        all.sort(Comparator.comparingLong(Range::start));
        ranges = all.toArray(Range[]::new);
        if (logging) {
            forEachRamPage(range, page -> RamPages.mark(page, RamPages.LOGGED));
        }
    }

    /**
     * Removes the range that starts at {@code start}. @throws IllegalArgumentException if there is
     * none
     */
    public synchronized void remove(long start) {
        Range[] left = Arrays.stream(ranges).filter(r -> r.start != start).toArray(Range[]::new);
        if (left.length == ranges.length) {
            throw new IllegalArgumentException("no range at " + Long.toHexString(start));
        }
        Range gone = ranges[find(start)];
        if (logging && gone.ram) {
            dirty.clear(number(gone.start), number(gone.end()));
            forEachRamPage(gone, page -> RamPages.unmark(page, RamPages.LOGGED));
        }
        ranges = left;
    }

    /** All ranges, ascending. */
    public List<Range> ranges() {
        return List.of(ranges);
    }

    /** Index of the range around a guest-physical address, or -1. */
    public int find(long address) {
        Range[] all = ranges;
        for (int i = 0; i < all.length; i++) {
            if (address >= all[i].start && address < all[i].end()) {
                return i;
            }
        }
        return -1;
    }

    /** The range at an index that {@link #find} gave. */
    public Range range(int index) {
        return ranges[index];
    }

    /** Host-physical address behind a guest-physical one, or -1. */
    public long toHost(long address) {
        int i = find(address);
        return i < 0 ? -1 : ranges[i].host + (address - ranges[i].start);
    }

    /** The same for a whole stretch of guest RAM that is contiguous on the host, or -1. */
    public long toHost(long address, long bytes) {
        int i = find(address);
        return i < 0 || !ranges[i].ram || bytes < 0 || ranges[i].end() - address < bytes
                ? -1
                : ranges[i].host + (address - ranges[i].start);
    }

    /**
     * What a paging table may say of a page now.
     *
     * @return host-physical address of the page with the {@link Rights} that can be used as they
     *     are in the lowest bits; -1 if there is no range, or the page is not there
     */
    public long page(long address) {
        int i = find(address);
        return i < 0 ? -1 : entry(ranges[i], address & -HostMemory.PAGE_SIZE);
    }

    private static long entry(Range range, long address) {
        return range.host + (address - range.start) | range.rights;
    }

    /**
     * The same once the {@link Pager} has done what it can for the wanted rights: brought the page
     * in, or given this guest a copy of its own. What the range's rights forbid stays forbidden.
     * The caller holds no lock that a paging mode's {@code changed} takes.
     *
     * @param rights wanted
     * @throws HostRefusal if the host has no memory for it
     */
    public long provide(long address, int rights) throws HostRefusal {
        long found = page(address);
        if ((found & rights) == rights && found >= 0 || !pager.provide(address, rights)) {
            return found;
        }
        return page(address);
    }

    /**
     * As {@link #page} for a large page.
     *
     * @param bytes a power of two
     * @return that of its first page if the aligned piece of so many bytes around the address is
     *     RAM, aligned and in one piece on the host, too, with the same rights throughout; else -1
     */
    public long uniform(long address, long bytes) {
        int i = find(address);
        long start = address & -bytes;
        if (i < 0 || !ranges[i].ram || start < ranges[i].start || start + bytes > ranges[i].end()) {
            return -1;
        }
        long first = entry(ranges[i], start);
        return (first & bytes - HostMemory.PAGE_SIZE) == 0 ? first : -1;
    }

    /** Whoever keeps pages apart, shares them or takes them away. */
    public void pager(Pager serving) {
        pager = serving;
    }

    /**
     * Makes rights to pages usable that are not: what keeps a guest's pages on files, shares them
     * with others or watches them.
     */
    @FunctionalInterface
    public interface Pager {
        /**
         * @return whether something has changed: look again
         * @throws HostRefusal if the host has no memory for it
         */
        boolean provide(long address, int rights) throws HostRefusal;
    }

    /**
     * Starts to log writes to RAM. The caller holds the pause barrier and then invalidates the
     * engine's translations, so that every page's first write is seen.
     */
    public synchronized void startDirtyLog() {
        dirty.clear();
        if (!logging) {
            logging = true;
            RamPages.addListener(dirtyListener);
        }
        forEachRamPage(page -> RamPages.mark(page, RamPages.LOGGED));
    }

    /**
     * Guest page numbers written since the start or the last drain; their logging starts anew. Same
     * duties for the caller as in {@link #startDirtyLog}.
     */
    public synchronized BitSet drainDirtyLog() {
        BitSet out = (BitSet) dirty.clone();
        dirty.clear();
        out.stream()
                .forEach(page ->
                        RamPages.mark(
                                toHost((long) page << HostMemory.PAGE_SHIFT), RamPages.LOGGED));
        return out;
    }

    public synchronized void stopDirtyLog() {
        if (logging) {
            logging = false;
            RamPages.removeListener(dirtyListener);
            forEachRamPage(page -> RamPages.unmark(page, RamPages.LOGGED));
        }
    }

    private static int number(long address) {
        return Math.toIntExact(address >>> HostMemory.PAGE_SHIFT);
    }

    private void forEachRamPage(LongConsumer action) {
        for (Range range : ranges) {
            forEachRamPage(range, action);
        }
    }

    private static void forEachRamPage(Range range, LongConsumer action) {
        for (long p = 0; range.ram && p < range.bytes; p += HostMemory.PAGE_SIZE) {
            action.accept(range.host + p);
        }
    }

    private synchronized void logWrite(long page, int flags) {
        if ((flags & RamPages.LOGGED) == 0) {
            return;
        }
        for (Range range : ranges) {
            if (range.ram && page >= range.host && page < range.host + range.bytes) {
                dirty.set(number(range.start + page - range.host));
                RamPages.unmark(page, RamPages.LOGGED);
            }
        }
    }
}

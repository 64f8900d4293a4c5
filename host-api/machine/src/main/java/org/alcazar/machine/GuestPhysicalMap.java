package org.alcazar.machine;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The authority on what a guest's physical memory is: ranges of it, where in host-physical space
 * they lie, and the rights to them. Paging modes build tables from it; engines that take slots read
 * it. Ranges change only under the pause barrier; look-ups allocate nothing.
 *
 * <p>A range of RAM begins in one piece on the host. Once something is to be done with single pages
 * of it (sharing, swapping, …) it is <i>paged</i>: each page has a {@link PageEntry}. Entries are
 * changed by the {@link Pager} alone, under its lock, at any time; they are read without a lock.
 */
public final class GuestPhysicalMap {
    /** Host address of a range that is paged: beyond any memory, so that its use throws. */
    public static final long PAGED = Long.MIN_VALUE;

    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);
    private static final long[] NO_ENTRIES = {};

    /**
     * One range, whole pages.
     *
     * @param start guest-physical
     * @param host host-physical: RAM, or a window of the bus; {@link #PAGED} if each page has its
     *     own place
     * @param rights of {@link Rights}; accesses without a right exit with ACCESS
     * @param ram whether it is memory that belongs to the guest and is saved with it
     */
    public record Range(long start, long bytes, long host, int rights, boolean ram) {
        public long end() {
            return start + bytes;
        }

        /** Whether {@link #host} says nothing, and the map has to be asked for each page. */
        public boolean paged() {
            return host == PAGED;
        }
    }

    /**
     * @param entries one for each page; none where the range is in one piece
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Slot(Range range, long[] entries) {
        long entry(long address) {
            return (long) ENTRY.getAcquire(entries, index(address));
        }

        int index(long address) {
            return (int) (address - range.start >>> HostMemory.PAGE_SHIFT);
        }

        /** Host address with the rights that can be used now; -1 if it is not there. */
        long page(long address) {
            long page = address & -HostMemory.PAGE_SIZE;
            if (!range.paged()) {
                return range.host + (page - range.start) | range.rights;
            }
            long entry = entry(page);
            if (!PageEntry.isPresent(entry)) {
                return -1;
            }
            return PageEntry.host(entry)
                    | (PageEntry.isWritable(entry) ? range.rights : range.rights & ~Rights.WRITE);
        }
    }

    /** Changes one entry of many. */
    @FunctionalInterface
    public interface EntryChange {
        /**
         * @param address guest-physical address of the page
         */
        long apply(long address, long entry);
    }

    private volatile Slot[] slots = {};
    private final BitSet dirty = new BitSet();

    /** While logging: number of the guest page that alone has a host page, in paged ranges. */
    private final Map<Long, Integer> logged = new HashMap<>();

    private boolean logging;
    private volatile boolean smallPages;
    private volatile Pager pager = (address, rights) -> false;
    private final RamPages.Listener dirtyListener = this::logWrite;

    /**
     * Adds a range in one piece.
     *
     * @throws IllegalArgumentException if it is not whole pages, reaches beyond the address space
     *     or overlaps another
     */
    public synchronized void add(Range range) {
        if ((range.host & HostMemory.PAGE_SIZE - 1) != 0 || range.host < 0) {
            throw new IllegalArgumentException("not whole pages: " + range);
        }
        add(new Slot(range, NO_ENTRIES));
    }

    /**
     * Adds a paged range of RAM, all of whose entries are {@link PageEntry#ABSENT}.
     *
     * @throws IllegalArgumentException as {@link #add(Range)} does
     */
    public synchronized void addPaged(long start, long bytes, int rights) {
        Range range = new Range(start, bytes, PAGED, rights, true);
        add(new Slot(range, new long[number(Math.max(0, bytes))]));
    }

    private void add(Slot slot) {
        Range range = slot.range;
        if (((range.start | range.bytes) & HostMemory.PAGE_SIZE - 1) != 0
                || range.bytes <= 0
                || range.start < 0
                || range.end() <= 0) {
            throw new IllegalArgumentException("not whole pages: " + range);
        }
        List<Slot> all = new ArrayList<>(Arrays.asList(slots));
        for (Slot other : all) {
            if (range.start < other.range.end() && other.range.start < range.end()) {
                throw new IllegalArgumentException(range + " overlaps " + other.range);
            }
        }
        all.add(slot);
        all.sort(Comparator.comparingLong(other -> other.range.start));
        slots = all.toArray(Slot[]::new);
        if (logging) {
            watch(slot);
        }
    }

    /**
     * Removes the range that starts at {@code start}. @throws IllegalArgumentException if there is
     * none
     */
    public synchronized void remove(long start) {
        Slot[] left = Arrays.stream(slots).filter(s -> s.range.start != start).toArray(Slot[]::new);
        if (left.length == slots.length) {
            throw new IllegalArgumentException("no range at " + Long.toHexString(start));
        }
        Slot gone = slots[find(start)];
        if (logging && gone.range.ram) {
            dirty.clear(number(gone.range.start), number(gone.range.end()));
            unwatch(gone);
        }
        slots = left;
    }

    /**
     * Gives each page of a range of RAM its own entry; where they lie stays. By the pager, at any
     * time: nobody sees a difference. Nothing if it is paged already.
     *
     * @param index that {@link #find} gave
     * @throws IllegalArgumentException if the range is no RAM
     */
    public synchronized void split(int index) {
        Slot old = slots[index];
        if (!old.range.ram) {
            throw new IllegalArgumentException("no RAM: " + old.range);
        }
        if (old.range.paged()) {
            return;
        }
        long[] entries = new long[number(old.range.bytes)];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = old.range.host + ((long) i << HostMemory.PAGE_SHIFT) | PageEntry.PRESENT;
        }
        Range range = new Range(old.range.start, old.range.bytes, PAGED, old.range.rights, true);
        Slot[] all = slots.clone();
        all[index] = new Slot(range, entries);
        slots = all;
        if (logging) {
            forEachOwned(all[index], (address, page) -> logged.put(page, number(address)));
        }
    }

    /** All ranges, ascending. */
    public List<Range> ranges() {
        return Arrays.stream(slots).map(Slot::range).toList();
    }

    /** Index of the range around a guest-physical address, or -1. */
    public int find(long address) {
        return find(slots, address);
    }

    /** For who looks into the slot too: ranges come and go while others look. */
    private static int find(Slot[] all, long address) {
        for (int i = 0; i < all.length; i++) {
            Range range = all[i].range;
            if (address >= range.start && address < range.end()) {
                return i;
            }
        }
        return -1;
    }

    /** The range at an index that {@link #find} gave. */
    public Range range(int index) {
        return slots[index].range;
    }

    /**
     * Whether the guest has some host-physical page at several addresses, by ranges in one piece
     * that overlap on the host.
     */
    public boolean isAliased(long host) {
        int found = 0;
        for (Slot slot : slots) {
            Range range = slot.range;
            found +=
                    !range.paged() && host >= range.host && host - range.host < range.bytes ? 1 : 0;
        }
        return found > 1;
    }

    /** Bytes from an address on, of so many, that lie in one range, or in none. */
    public long stretch(long address, long bytes) {
        for (Slot slot : slots) {
            long bound = address < slot.range.start ? slot.range.start : slot.range.end();
            if (address < bound) {
                long left = bound - address;
                return left < 0 ? bytes : Math.min(bytes, left); // an address far below zero
            }
        }
        return bytes;
    }

    /** Host-physical address behind a guest-physical one, or -1 if there is none now. */
    public long toHost(long address) {
        long page = page(address);
        return page < 0 ? -1 : page & -HostMemory.PAGE_SIZE | address & HostMemory.PAGE_SIZE - 1;
    }

    /**
     * The same for a whole stretch of a range of RAM that is in one piece, where it stays; -1 of a
     * paged range.
     */
    public long inOnePiece(long address, long bytes) {
        Slot[] all = slots;
        int i = find(all, address);
        if (i < 0 || bytes < 0) {
            return -1;
        }
        Range range = all[i].range;
        return !range.ram || range.host < 0 || range.end() - address < bytes
                ? -1
                : range.host + (address - range.start);
    }

    /**
     * The same for a whole stretch of guest RAM that is there and contiguous on the host, or -1.
     * For reading: what is written there may be another guest's.
     */
    public long toHost(long address, long bytes) {
        return toHost(address, bytes, false);
    }

    /**
     * The same for reading or writing.
     *
     * @param write whether it must be this guest's alone; rights bind the guest, not the caller
     */
    public long toHost(long address, long bytes, boolean write) {
        Slot[] all = slots;
        int i = find(all, address);
        if (i < 0 || bytes < 0) {
            return -1;
        }
        Slot slot = all[i];
        if (!slot.range.ram || slot.range.end() - address < bytes) {
            return -1;
        }
        if (slot.range.paged()) {
            return toHost(slot, address, bytes, write);
        }
        return slot.range.host + (address - slot.range.start);
    }

    private static long toHost(Slot slot, long address, long bytes, boolean write) {
        long first = slot.entry(address);
        long wanted = PageEntry.PRESENT;
        long looked = wanted | (write ? PageEntry.SHARED : 0);
        long host = PageEntry.host(first);
        int last = slot.index(address + Math.max(bytes, 1) - 1);
        for (int i = slot.index(address); i <= last; i++) {
            long entry = (long) ENTRY.getAcquire(slot.entries, i);
            if ((entry & looked) != wanted || PageEntry.host(entry) != host) {
                return -1;
            }
            host += HostMemory.PAGE_SIZE;
        }
        return PageEntry.host(first) | address & HostMemory.PAGE_SIZE - 1;
    }

    /**
     * What a paging table may say of a page now.
     *
     * @return host-physical address of the page with the {@link Rights} that can be used as they
     *     are in the lowest bits; -1 if there is no range, or the page is not there
     */
    public long page(long address) {
        Slot[] all = slots;
        int i = find(all, address);
        return i < 0 ? -1 : all[i].page(address);
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
        if (found >= 0 && (found & rights) == rights || find(address) < 0) {
            return found;
        }
        // Whether this thread or another has changed something meanwhile: what counts is there now.
        pager.provide(address, rights);
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
        Slot[] all = slots;
        int i = find(all, address);
        if (i < 0 || smallPages && bytes > HostMemory.PAGE_SIZE) {
            return -1;
        }
        Slot slot = all[i];
        long start = address & -bytes;
        if (!slot.range.ram || start < slot.range.start || start + bytes > slot.range.end()) {
            return -1;
        }
        long first = slot.page(start);
        if (first < 0 || (first & bytes - HostMemory.PAGE_SIZE) != 0) {
            return -1;
        }
        if (slot.range.paged()) {
            for (long at = HostMemory.PAGE_SIZE; at < bytes; at += HostMemory.PAGE_SIZE) {
                if (slot.page(start + at) != first + at) {
                    return -1;
                }
            }
        }
        return first;
    }

    /**
     * Says whether tables are to have small pages only from now on, so that each is seen by itself.
     * Who wants those that there are to be cut tells the paging mode of changes.
     */
    public void smallPages(boolean only) {
        smallPages = only;
    }

    // For the pager

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
         * @return whether something has changed
         * @throws HostRefusal if the host has no memory for it
         */
        boolean provide(long address, int rights) throws HostRefusal;
    }

    /** The entry of a page of RAM; -1 if there is no RAM. */
    public long entry(long address) {
        Slot[] all = slots;
        int i = find(all, address);
        if (i < 0 || !all[i].range.ram) {
            return -1;
        }
        Slot slot = all[i];
        return slot.range.paged()
                ? slot.entry(address)
                : (slot.page(address) & -HostMemory.PAGE_SIZE) | PageEntry.PRESENT;
    }

    /**
     * Changes the entry of a page in a paged range. The caller has filled the page before and tells
     * the paging mode afterwards.
     *
     * @throws IllegalArgumentException if no paged range is there
     */
    public synchronized void set(long address, long entry) {
        Slot[] all = slots;
        int i = find(all, address);
        if (i < 0 || !all[i].range.paged()) {
            throw new IllegalArgumentException("no paged range at " + Long.toHexString(address));
        }
        long page = address & -HostMemory.PAGE_SIZE;
        set(all[i], page, all[i].entry(page), entry);
    }

    /** Changes all entries of paged ranges from their start on, as {@link #set} does one. */
    public synchronized void change(EntryChange change) {
        for (Slot slot : slots) {
            long address = slot.range.start;
            for (long old : slot.entries) {
                long entry = change.apply(address, old);
                if (entry != old) {
                    set(slot, address, old, entry);
                }
                address += HostMemory.PAGE_SIZE;
            }
        }
    }

    /**
     * Marks all pages of a paged range that are there {@link PageEntry#SHARED}, in this map and in
     * another that gets the same entries. In the barrier; quick, for the guest waits.
     *
     * @param with has a paged range of the same size at the same index, and nothing in it
     * @return the entries that the other one has now, to be read only
     */
    public synchronized long[] share(int index, GuestPhysicalMap with) {
        Slot slot = slots[index];
        if (logging) {
            unwatch(slot);
        }
        long[] entries = slot.entries;
        long[] others = with.slots[index].entries;
        if (others.length != entries.length) {
            throw new IllegalArgumentException(
                    entries.length + " entries for " + others.length + " pages");
        }
        for (int i = 0; i < entries.length; i++) {
            // Without a branch: the flag is next to PRESENT.
            long entry = entries[i] | (entries[i] & PageEntry.PRESENT) << 1;
            entries[i] = entry;
            // Who watches this one's writes does not watch the other's.
            others[i] = entry & ~PageEntry.PROTECTED | others[i] & PageEntry.PROTECTED;
        }
        VarHandle.fullFence();
        return others;
    }

    /** A copy of the entries of a paged range, by its index. */
    public synchronized long[] entries(int index) {
        return slots[index].entries.clone();
    }

    private void set(Slot slot, long address, long old, long entry) {
        ENTRY.setRelease(slot.entries, slot.index(address), entry);
        if (!logging) {
            return;
        }
        if (PageEntry.isOwned(old)) {
            logged.remove(PageEntry.host(old));
            RamPages.unmark(PageEntry.host(old), RamPages.LOGGED);
        }
        int number = number(address);
        if (PageEntry.isOwned(entry)) {
            logged.put(PageEntry.host(entry), number);
            if (!dirty.get(number)) {
                RamPages.mark(PageEntry.host(entry), RamPages.LOGGED);
            }
        } else if (PageEntry.isForgotten(entry)) {
            dirty.set(number); // it reads as zero now
        }
    }

    // The dirty log

    /**
     * Starts to log writes to RAM. The caller holds the pause barrier and then invalidates the
     * engine's translations, so that every page's first write is seen.
     */
    public synchronized void startDirtyLog() {
        dirty.clear();
        logged.clear();
        if (!logging) {
            logging = true;
            RamPages.addListener(dirtyListener);
        }
        for (Slot slot : slots) {
            watch(slot);
        }
    }

    /** Whether writes are logged. */
    public synchronized boolean isDirtyLogged() {
        return logging;
    }

    /**
     * Guest page numbers written since the start or the last drain; their logging starts anew. Same
     * duties for the caller as in {@link #startDirtyLog}.
     */
    public synchronized BitSet drainDirtyLog() {
        BitSet out = dirtyPages();
        dirty.clear();
        out.stream()
                .forEach(page -> {
                    long entry = entry((long) page << HostMemory.PAGE_SHIFT);
                    if (entry != -1 && PageEntry.isOwned(entry)) {
                        RamPages.mark(PageEntry.host(entry), RamPages.LOGGED);
                    }
                });
        return out;
    }

    /** The same without a new start: for those who only look. */
    public synchronized BitSet dirtyPages() {
        return (BitSet) dirty.clone();
    }

    public synchronized void stopDirtyLog() {
        if (logging) {
            logging = false;
            RamPages.removeListener(dirtyListener);
            for (Slot slot : slots) {
                unwatch(slot);
            }
            logged.clear();
        }
    }

    private static int number(long address) {
        return Math.toIntExact(address >>> HostMemory.PAGE_SHIFT);
    }

    private void watch(Slot slot) {
        boolean paged = slot.range.paged();
        forEachOwned(
                slot,
                (address, page) -> {
                    RamPages.mark(page, RamPages.LOGGED);
                    if (paged) {
                        logged.put(page, number(address));
                    }
                });
    }

    private void unwatch(Slot slot) {
        forEachOwned(
                slot,
                (address, page) -> {
                    RamPages.unmark(page, RamPages.LOGGED);
                    logged.remove(page);
                });
    }

    private interface PageAction {
        void on(long address, long page);
    }

    /** Pages that nobody else has: only those are ever written. */
    private static void forEachOwned(Slot slot, PageAction action) {
        Range range = slot.range;
        for (long p = 0; range.ram && p < range.bytes; p += HostMemory.PAGE_SIZE) {
            long address = range.start + p;
            if (!range.paged()) {
                action.on(address, range.host + p);
            } else if (PageEntry.isOwned(slot.entry(address))) {
                action.on(address, PageEntry.host(slot.entry(address)));
            }
        }
    }

    private synchronized void logWrite(long page, int flags) {
        if ((flags & RamPages.LOGGED) == 0) {
            return;
        }
        Integer alone = logged.get(page);
        if (alone != null) {
            dirty.set(alone);
            RamPages.unmark(page, RamPages.LOGGED);
        }
        for (Slot slot : slots) {
            Range range = slot.range;
            if (range.ram
                    && !range.paged()
                    && page >= range.host
                    && page < range.host + range.bytes) {
                dirty.set(number(range.start + page - range.host));
                RamPages.unmark(page, RamPages.LOGGED);
            }
        }
    }
}

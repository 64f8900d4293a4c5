package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.PageEntry;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The host pages that guests' RAM lies in, of all VMs, each with a count of the VMs' pages that use
 * it. The host gives and takes extents: one stays charged to the VM that it was taken for until
 * nobody uses any page of it, and free pages of it go to that VM only.
 */
final class Frames {
    /** Pages that are taken from the host at once. */
    static final int CHUNK = 64;

    /** Contiguous pages of the host, and who uses them. */
    private static final class Extent {
        final PageExtent pages;
        final Piece of;

        /** Of each page; empty as long as each has one user. */
        int[] users = {};

        /** Pages without users, as long as users are counted; and how many they are. */
        final BitSet free = new BitSet();

        long unused;

        Extent(PageExtent pages, Piece of) {
            this.pages = pages;
            this.of = of;
        }

        static Extent whole(PageExtent pages) {
            return new Extent(pages, new Piece(pages, 1));
        }

        int index(long page) {
            return (int) (page - pages.address() >>> HostMemory.PAGE_SHIFT);
        }

        boolean has(long page) {
            return page >= pages.address() && page - pages.address() < pages.bytes();
        }

        int[] counted() {
            if (users.length == 0) {
                users = new int[Math.toIntExact(pages.pages())];
                java.util.Arrays.fill(users, 1);
            }
            return users;
        }
    }

    /** What the host gave, and how many extents of it are not given back yet. */
    private static final class Piece {
        final PageExtent pages;
        int left;

        Piece(PageExtent pages, int left) {
            this.pages = pages;
            this.left = left;
        }
    }

    private final HostMemory memory;
    private final TreeMap<Long, Extent> extents = new TreeMap<>();

    /** Extents with free pages, by owner. */
    private final Map<String, LinkedHashSet<Extent>> free = new HashMap<>();

    /** Where the last page was found: the next is often near. */
    private Extent last = Extent.whole(new PageExtent("", 0, 0));

    Frames(HostMemory memory) {
        this.memory = memory;
    }

    /**
     * Takes contiguous pages, zeroed, with one user each.
     *
     * @throws HostRefusal if the host has no such extent
     */
    PageExtent take(PageRequest request) throws HostRefusal {
        PageExtent taken = memory.allocate(request);
        synchronized (this) {
            extents.put(taken.address(), Extent.whole(taken));
        }
        return taken;
    }

    /**
     * Takes contiguous pages, zeroed, and makes several extents of them, with one user for each
     * page; what lies between goes back with the last of them.
     *
     * @param offsets of the extents, in bytes, ascending
     * @param bytes of the extents
     * @throws HostRefusal if the host has no such extent
     */
    List<PageExtent> take(PageRequest request, long[] offsets, long[] bytes) throws HostRefusal {
        PageExtent taken = memory.allocate(request);
        Piece piece = new Piece(taken, offsets.length);
        List<PageExtent> out = new ArrayList<>();
        synchronized (this) {
            for (int i = 0; i < offsets.length; i++) {
                PageExtent part =
                        new PageExtent(
                                taken.owner(),
                                taken.address() + offsets[i],
                                bytes[i] >> HostMemory.PAGE_SHIFT);
                extents.put(part.address(), new Extent(part, piece));
                out.add(part);
            }
        }
        return out;
    }

    /**
     * Takes a page with one user. What it holds is whatever it held last.
     *
     * @return its host-physical address
     * @throws HostRefusal if the host has no page
     */
    synchronized long take(String owner) throws HostRefusal {
        LinkedHashSet<Extent> with = free.computeIfAbsent(owner, name -> new LinkedHashSet<>());
        if (with.isEmpty()) {
            with.add(chunk(owner));
        }
        Extent extent = with.getFirst();
        return use(extent, extent.free.nextSetBit(0));
    }

    /**
     * The same, and that page if it is free: one that comes back to its old place leaves memory in
     * large pieces.
     */
    synchronized long take(String owner, long wish) throws HostRefusal {
        Map.Entry<Long, Extent> entry = extents.floorEntry(wish);
        if (entry != null && entry.getValue().has(wish)) {
            Extent extent = entry.getValue();
            if (extent.pages.owner().equals(owner) && extent.free.get(extent.index(wish))) {
                return use(extent, extent.index(wish));
            }
        }
        return take(owner);
    }

    private long use(Extent extent, int index) {
        extent.free.clear(index);
        extent.unused--;
        extent.users[index] = 1;
        LinkedHashSet<Extent> with = free.get(extent.pages.owner());
        if (extent.unused == 0 && with != null) {
            with.remove(extent);
        }
        return extent.pages.address() + ((long) index << HostMemory.PAGE_SHIFT);
    }

    /** Fresh pages, without users. */
    private Extent chunk(String owner) throws HostRefusal {
        PageExtent taken;
        try {
            taken = memory.allocate(PageRequest.of(owner, CHUNK));
        } catch (HostRefusal e) {
            taken = memory.allocate(PageRequest.of(owner, 1)); // the last ones are as good
        }
        Extent extent = Extent.whole(taken);
        extents.put(taken.address(), extent);
        extent.users = new int[(int) taken.pages()];
        extent.free.set(0, (int) taken.pages());
        extent.unused = taken.pages();
        return extent;
    }

    /** The users of its pages are counted from now on. */
    synchronized void count(PageExtent whole) {
        around(whole.address()).counted();
    }

    /** One more uses a page. */
    synchronized void share(long page) {
        Extent extent = around(page);
        extent.counted()[extent.index(page)]++;
    }

    /**
     * One more uses each page that is there. A guest waits for it: no call in the loop while pages
     * are of one extent.
     */
    synchronized void share(long[] entries) {
        long base = 0;
        long bytes = 0;
        int[] users = {};
        for (long entry : entries) {
            if ((entry & PageEntry.PRESENT) == 0) {
                continue;
            }
            long at = (entry & -HostMemory.PAGE_SIZE) - base;
            if (at < 0 || at >= bytes) {
                Extent extent = around(PageEntry.host(entry));
                base = extent.pages.address();
                bytes = extent.pages.bytes();
                users = extent.counted();
                at = PageEntry.host(entry) - base;
            }
            users[(int) (at >>> HostMemory.PAGE_SHIFT)]++;
        }
    }

    /** How many use a page. */
    synchronized int users(long page) {
        Extent extent = around(page);
        return extent.users.length == 0 ? 1 : extent.users[extent.index(page)];
    }

    /** One less uses a page. */
    synchronized void release(long page) {
        releaseHere(page);
    }

    /**
     * One less uses each of some pages. What nobody uses any more goes back to the host: whole
     * extents, and in others what lies behind the pages.
     *
     * @param pages their addresses, which are put in order
     * @param count how many of them
     */
    synchronized void release(long[] pages, int count) {
        java.util.Arrays.sort(pages, 0, count);
        long first = 0;
        long end = 0;
        for (int i = 0; i < count; i++) {
            Extent extent = around(pages[i]);
            if (!releaseHere(pages[i])) {
                if (extent.unused == extent.pages.pages() && extent.has(first)) {
                    end = first; // it has gone as a whole
                }
                continue;
            }
            if (pages[i] != end || !extent.has(first)) {
                discard(first, end);
                first = pages[i];
            }
            end = pages[i] + HostMemory.PAGE_SIZE;
        }
        discard(first, end);
    }

    private void discard(long first, long end) {
        if (first < end) {
            memory.discard(first, end - first >> HostMemory.PAGE_SHIFT);
        }
    }

    /** Whether the page is free now, in an extent that stays. */
    private boolean releaseHere(long page) {
        Extent extent = around(page);
        int index = extent.index(page);
        if (--extent.counted()[index] > 0) {
            return false;
        }
        extent.free.set(index);
        extent.unused++;
        LinkedHashSet<Extent> with =
                free.computeIfAbsent(extent.pages.owner(), name -> new LinkedHashSet<>());
        if (extent.unused < extent.pages.pages()) {
            with.add(extent);
            return true;
        }
        with.remove(extent);
        if (with.isEmpty()) {
            free.remove(extent.pages.owner());
        }
        drop(extent);
        return false;
    }

    /** Gives an extent back whose pages were never counted. */
    synchronized void release(PageExtent whole) {
        Extent extent = around(whole.address());
        if (extent.users.length != 0) {
            throw new IllegalStateException("pages of " + whole + " have users of their own");
        }
        drop(extent);
    }

    private void drop(Extent extent) {
        extents.remove(extent.pages.address());
        last = Extent.whole(new PageExtent("", 0, 0));
        if (--extent.of.left == 0) {
            memory.free(extent.of.pages);
        } else {
            memory.discard(extent.pages.address(), extent.pages.pages());
        }
    }

    /** Whether no page is in use. */
    synchronized boolean isEmpty() {
        return extents.isEmpty();
    }

    private Extent around(long page) {
        if (!last.has(page)) {
            Map.Entry<Long, Extent> entry = extents.floorEntry(page);
            if (entry == null || !entry.getValue().has(page)) {
                throw new IllegalArgumentException("no page of guests: " + Long.toHexString(page));
            }
            last = entry.getValue();
        }
        return last;
    }
}

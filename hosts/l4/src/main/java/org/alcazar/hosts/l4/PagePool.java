package org.alcazar.hosts.l4;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.RamPages;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The pages of one native program, taken from the host as they are needed, up to a limit. */
final class PagePool implements AutoCloseable {
    /** Taken from the host at once. */
    private static final int CHUNK = 64;

    /** No page. */
    static final long NONE = 0;

    private final HostMemory memory;
    private final String owner;
    private final List<PageExtent> extents = new ArrayList<>();
    private final LinkedHashSet<Long> returned = new LinkedHashSet<>();
    private final Set<Long> kept = new HashSet<>();
    private long left;
    private long fresh;
    private long freshPages;

    /**
     * An empty pool.
     *
     * @param limit pages that it may take
     */
    PagePool(HostMemory memory, String owner, long limit) {
        this.memory = memory;
        this.owner = owner;
        left = limit;
    }

    /** A zeroed page, or {@link #NONE}. Not with the kernel's lock held. */
    long take() {
        if (!returned.isEmpty()) {
            long again = returned.removeFirst();
            RamPages.fill(again, HostMemory.PAGE_SIZE, (byte) 0);
            return again;
        }
        if (freshPages == 0 && !grow()) {
            return NONE;
        }
        freshPages--;
        long page = fresh;
        fresh += HostMemory.PAGE_SIZE;
        return page;
    }

    private boolean grow() {
        for (long pages = Math.min(CHUNK, left); pages > 0; pages >>= 1) {
            try {
                PageExtent extent = memory.allocate(PageRequest.of(owner, pages));
                extents.add(extent);
                left -= pages;
                fresh = extent.address();
                freshPages = pages;
                return true;
            } catch (HostRefusal e) {
                // Fewer, then.
            }
        }
        return false;
    }

    /** The same, for the kernel's own use: no thread ever has it mapped through the database. */
    long keep() {
        long page = take();
        if (page != NONE) {
            kept.add(page);
        }
        return page;
    }

    /** A page that nobody uses any more. */
    void give(long page) {
        kept.remove(page);
        returned.add(page);
    }

    /**
     * Takes back the pages that no thread has mapped any more.
     *
     * @return whether there were any
     */
    boolean reclaim(MicroKernel kernel) {
        int before = returned.size();
        for (PageExtent extent : extents) {
            long end = extent.address() + extent.bytes();
            Set<Long> mapped = kernel.with(d -> d.derived(extent.address(), end));
            for (long page = extent.address(); page < end; page += HostMemory.PAGE_SIZE) {
                boolean untouched =
                        page >= fresh && page < fresh + (freshPages << HostMemory.PAGE_SHIFT);
                if (!untouched && !kept.contains(page) && !mapped.contains(page)) {
                    returned.add(page);
                }
            }
        }
        return returned.size() > before;
    }

    @Override
    public void close() {
        extents.forEach(memory::free);
        extents.clear();
        returned.clear();
        kept.clear();
        freshPages = 0;
        left = 0;
    }
}

package org.alcazar.hosts.l4;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;

import java.util.ArrayList;
import java.util.List;

/**
 * The tables that hardware walks for a native program's space: x86-64, four levels (AMD64 APM
 * volume 2, 5.3). They are filled from the mapping database when a thread faults and never hold
 * more than it does.
 */
final class PageTables implements AddressSpace.Tables {
    private static final int LEVELS = 4;
    private static final long PRESENT = 1;
    private static final long WRITE = 1 << 1;
    private static final long USER = 1 << 2;

    /** Accessed and dirty: nobody asks for them, so the walker need not set them. */
    private static final long TOUCHED = 1 << 5 | 1 << 6;

    private static final long NO_EXECUTE = 1L << 63;
    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    private final PagePool pool;
    private final Runnable changed;
    private final List<Long> pages = new ArrayList<>();
    private final long root;

    /**
     * Empty tables.
     *
     * @param root a zeroed page
     * @param changed called when something that hardware may remember is gone; with the kernel's
     *     lock held
     */
    PageTables(PagePool pool, long root, Runnable changed) {
        this.pool = pool;
        this.root = root;
        this.changed = changed;
        pages.add(root);
    }

    /** Host-physical address of the top table. */
    long root() {
        return root;
    }

    private static long slot(long table, long address, int level) {
        return table + (address >>> 12 + 9 * (level - 1) & 0x1ff) * 8;
    }

    /**
     * Enters a page. Not with the kernel's lock held.
     *
     * @return whether there was memory for the tables
     */
    boolean set(long address, long page, int rights) {
        long table = root;
        for (int level = LEVELS; level > 1; level--) {
            long slot = slot(table, address, level);
            long entry = HostRam.getLong(slot);
            if ((entry & PRESENT) == 0) {
                long next = pool.keep();
                if (next == PagePool.NONE) {
                    return false;
                }
                pages.add(next);
                entry = next | PRESENT | WRITE | USER | TOUCHED;
                HostRam.setLong(slot, entry);
            }
            table = entry & ADDRESS;
        }
        long entry = page | PRESENT | USER | TOUCHED;
        entry |= (rights & Flexpage.WRITE) != 0 ? WRITE : 0;
        entry |= (rights & Flexpage.EXECUTE) == 0 ? NO_EXECUTE : 0;
        HostRam.setLong(slot(table, address, 1), entry);
        return true;
    }

    /** Forgets a page. */
    void clear(long address) {
        long table = root;
        for (int level = LEVELS; level > 1; level--) {
            long entry = HostRam.getLong(slot(table, address, level));
            if ((entry & PRESENT) == 0) {
                return;
            }
            table = entry & ADDRESS;
        }
        long slot = slot(table, address, 1);
        if (HostRam.getLong(slot) != 0) {
            HostRam.setLong(slot, 0);
            changed.run();
        }
    }

    @Override
    public void enter(Mapping mapping) {
        remove(mapping);
    }

    @Override
    public void remove(Mapping mapping) {
        for (long at = 0; at < mapping.bytes(); at += HostMemory.PAGE_SIZE) {
            clear(mapping.at + at);
        }
    }

    /** Gives the tables back; no core walks them any more. */
    void release() {
        pages.forEach(pool::give);
        pages.clear();
    }
}

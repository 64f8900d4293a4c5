package org.alcazar.engines.x86.api;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Rights;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Four-level page tables in long-mode format (APM volume 2, 5.3), in host pages that are charged to
 * an owner: what a VMM builds for nested walks (15.25). All entries have US set, as nested walks
 * are user accesses. Not thread-safe.
 */
public final class LongModeTables implements AutoCloseable {
    /** Level of a leaf: 1 maps 4 KiB, 2 maps 2 MiB, 3 maps 1 GiB. */
    public static final int MAX_LEAF_LEVEL = 3;

    private static final int LEVELS = 4;

    private static final int ENTRIES = 512;

    /** Bits of the addresses that so many levels translate. */
    private static final int REACH = 48;

    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    private static final long TABLE = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US | Bits.PTE_A;

    /** Table pages are taken from the host so many at a time. */
    private static final int CHUNK = 16;

    private final HostMemory memory;
    private final String owner;
    private final List<PageExtent> chunks = new ArrayList<>();
    private long freeTable;
    private int freeTables;
    private long taken;
    private final long root;

    /**
     * @throws HostRefusal if the host has no page for the root
     */
    public LongModeTables(HostMemory memory, String owner) throws HostRefusal {
        this.memory = memory;
        this.owner = owner;
        root = newTable();
    }

    /** Host-physical address of the top table. */
    public long root() {
        return root;
    }

    /** Bytes that a leaf of a level maps. */
    public static long leafBytes(int level) {
        return HostMemory.PAGE_SIZE << 9 * (level - 1);
    }

    /**
     * Enters the largest page around {@code address} that lies whole, aligned and with the same
     * rights throughout in the map and on the host.
     *
     * @param maxLevel highest leaf level to use
     * @return end of the mapped page, guest-physical
     * @throws HostRefusal if the host has no page for a table; what was mapped stays
     * @throws IllegalArgumentException if the map has no page there, or the address is beyond what
     *     four levels reach
     */
    public long map(GuestPhysicalMap map, long address, int maxLevel) throws HostRefusal {
        long found = map.page(address);
        if (found < 0 || address >>> REACH != 0) {
            throw new IllegalArgumentException(
                    "no page at 0x%x below 2^%d".formatted(address, REACH));
        }
        int level = Math.min(maxLevel, ends(address));
        while (level > 1 && map.uniform(address, leafBytes(level)) < 0) {
            level--;
        }
        if (level > 1) {
            found = map.uniform(address, leafBytes(level));
        }
        long bits =
                Bits.PTE_P
                        | Bits.PTE_US
                        | ((found & Rights.WRITE) != 0 ? Bits.PTE_RW : 0)
                        | ((found & Rights.EXECUTE) != 0 ? 0 : Bits.PTE_NX)
                        | (level > 1 ? Bits.PTE_PS : 0);
        HostRam.setLong(
                slot(table(address, level), address, level), found & -HostMemory.PAGE_SIZE | bits);
        return (address & -leafBytes(level)) + leafBytes(level);
    }

    /** Level of the first entry on the way that points to no table. */
    private int ends(long address) {
        long table = root;
        int level = LEVELS;
        long entry = HostRam.getLong(slot(table, address, level));
        while ((entry & Bits.PTE_P) != 0 && !isLeaf(entry, level)) {
            table = entry & ADDRESS;
            level--;
            entry = HostRam.getLong(slot(table, address, level));
        }
        return level;
    }

    /** The table of a level on the way to an address, made where it is missing. */
    private long table(long address, int leafLevel) throws HostRefusal {
        long table = root;
        for (int level = LEVELS; level > leafLevel; level--) {
            long slot = slot(table, address, level);
            long entry = HostRam.getLong(slot);
            if ((entry & Bits.PTE_P) == 0 || isLeaf(entry, level)) {
                entry = newTable() | TABLE;
                HostRam.setLong(slot, entry);
            }
            table = entry & ADDRESS;
        }
        return table;
    }

    /**
     * Clears what maps the range. Tables stay; a large page that the range is only a part of is cut
     * into smaller ones where the host has a page for that, and goes whole where it has none. The
     * caller invalidates the engine's translations.
     */
    public void clear(long start, long bytes) {
        long end = start + bytes;
        long address = start;
        while (address < end) {
            int level = LEVELS;
            long slot = slot(root, address, level);
            long entry = HostRam.getLong(slot);
            while ((entry & Bits.PTE_P) != 0
                    && !isWhole(address, end, level)
                    && (!isLeaf(entry, level) || level > 1 && cut(slot, level))) {
                level--;
                slot = slot(HostRam.getLong(slot) & ADDRESS, address, level);
                entry = HostRam.getLong(slot);
            }
            if ((entry & Bits.PTE_P) != 0) {
                clear(slot, entry, level);
            }
            address = (address & -leafBytes(level)) + leafBytes(level);
        }
    }

    /** Whether all that an entry of a level maps is to go. */
    private static boolean isWhole(long address, long end, int level) {
        return (address & leafBytes(level) - 1) == 0 && end - address >= leafBytes(level);
    }

    /** Clears an entry, or all leaves below it. */
    private static void clear(long slot, long entry, int level) {
        if (isLeaf(entry, level)) {
            HostRam.setLong(slot, 0);
        } else if (level == 2) {
            HostRam.fill(entry & ADDRESS, HostMemory.PAGE_SIZE, (byte) 0);
        } else {
            for (int i = 0; i < ENTRIES; i++) {
                long at = (entry & ADDRESS) + i * Long.BYTES;
                if ((HostRam.getLong(at) & Bits.PTE_P) != 0) {
                    clear(at, HostRam.getLong(at), level - 1);
                }
            }
        }
    }

    /** Has a table of smaller leaves do what a leaf does. */
    private boolean cut(long slot, int level) {
        long table;
        try {
            table = newTable();
        } catch (HostRefusal e) {
            return false;
        }
        long leaf = HostRam.getLong(slot);
        long smaller = level == 2 ? leaf & ~Bits.PTE_PS : leaf;
        for (int i = 0; i < ENTRIES; i++) {
            HostRam.setLong(table + i * Long.BYTES, smaller + i * leafBytes(level - 1));
        }
        // Walkers come at any time: the table is whole before they find it.
        VarHandle.releaseFence();
        HostRam.setLong(slot, table | TABLE);
        return true;
    }

    /** Takes leaves that walks have used. */
    @FunctionalInterface
    public interface Leaves {
        /**
         * @param address what the leaf maps, from here on
         * @param bytes that it maps
         * @param dirty whether there was a write, too
         */
        void used(long address, long bytes, boolean dirty);
    }

    /**
     * Tells which leaves have their accessed bits set, and clears these with the dirty bits. Nobody
     * walks meanwhile; the caller invalidates the engine's translations, which set no bits.
     */
    public void drainAccessed(Leaves sink) {
        drain(root, LEVELS, 0, sink);
    }

    private static void drain(long table, int level, long start, Leaves sink) {
        for (int i = 0; i < ENTRIES; i++) {
            long at = table + i * Long.BYTES;
            long entry = HostRam.getLong(at);
            long address = start + i * leafBytes(level);
            if ((entry & Bits.PTE_P) == 0) {
                continue;
            }
            if (!isLeaf(entry, level)) {
                drain(entry & ADDRESS, level - 1, address, sink);
            } else if ((entry & Bits.PTE_A) != 0) {
                sink.used(address, leafBytes(level), (entry & Bits.PTE_D) != 0);
                HostRam.setLong(at, entry & ~(Bits.PTE_A | Bits.PTE_D));
            }
        }
    }

    private static boolean isLeaf(long entry, int level) {
        return level == 1 || level <= MAX_LEAF_LEVEL && (entry & Bits.PTE_PS) != 0;
    }

    private static long slot(long table, long address, int level) {
        return table + (address >>> HostMemory.PAGE_SHIFT + 9 * (level - 1) & 511) * Long.BYTES;
    }

    /** A zeroed page: fresh pages of a host read as zero. */
    private long newTable() throws HostRefusal {
        if (freeTables == 0) {
            PageExtent chunk;
            try {
                chunk = memory.allocate(PageRequest.of(owner, CHUNK));
            } catch (HostRefusal e) {
                chunk = memory.allocate(PageRequest.of(owner, 1)); // the last ones are as good
            }
            chunks.add(chunk);
            freeTable = chunk.address();
            freeTables = (int) chunk.pages();
            taken += freeTables;
        }
        long table = freeTable;
        freeTable += HostMemory.PAGE_SIZE;
        freeTables--;
        return table;
    }

    /** Pages in use for tables. */
    public long pages() {
        return taken - freeTables;
    }

    /** Gives all table pages back; nobody walks them any more. */
    @Override
    public void close() {
        chunks.forEach(memory::free);
        chunks.clear();
        taken = 0;
        freeTables = 0;
    }
}

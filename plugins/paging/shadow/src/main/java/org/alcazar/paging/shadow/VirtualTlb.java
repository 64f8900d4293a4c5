package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.RamPages;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;
import org.jspecify.annotations.Nullable;

/**
 * Strategy {@code vtlb}: each core has tables of its own that hold what a TLB without bounds would,
 * so they are emptied when the guest flushes, and nothing of the guest's is watched (Intel SDM
 * volume 3 of 2007, 26.3: the virtual TLB).
 */
class VirtualTlb extends Shadows {
    VirtualTlb(
            GuestPhysicalMap map,
            Engine engine,
            Tables tables,
            CoreState[] cores,
            Counts counts,
            AccessLog log) {
        super(map, engine, tables, cores, counts, log);
    }

    @Override
    void state(CoreState core) throws HostRefusal {
        flush(core);
        root(core);
        counts.rootsBuilt++;
    }

    @Override
    void root(CoreState core) throws HostRefusal {
        if (core.ownRoot == Tables.NONE) {
            reserve(core);
            core.ownRoot = tables.allocate(core.mode.top, null, 0);
        }
        tables.level[core.ownRoot] = core.mode.top;
        setRoot(core, core.ownRoot);
    }

    /** Empties a core's tables, on its own thread: nobody else walks them. */
    final void flush(CoreState core) {
        counts.flushes++;
        while (core.ownTables != Tables.NONE) {
            int table = core.ownTables;
            core.ownTables = tables.link[table];
            note(table);
            tables.release(table);
        }
        if (core.ownRoot != Tables.NONE) {
            tables.wipe(core.ownRoot);
        }
    }

    private void note(int table) {
        for (int i = 0; log.isOn() && tables.live[table] != 0 && i < Tables.ENTRIES; i++) {
            if (tables.isLeaf(table, i)) {
                log.note(tables.page(table, i), tables.level[table], tables.get(table, i));
            }
        }
    }

    /** Empties all cores' tables, which may be walked until the engine is invalidated. */
    final void flushAll() {
        for (CoreState core : cores) {
            if (core.ownRoot != Tables.NONE) {
                tables.wipe(core.ownRoot);
            }
            while (core.ownTables != Tables.NONE) {
                int table = core.ownTables;
                core.ownTables = tables.link[table];
                note(table);
                tables.retire(table);
            }
        }
        counts.flushes++;
    }

    @Override
    void page(CoreState core, long linear) {
        GuestMode mode = core.mode;
        if (core.root == Tables.NONE || !mode.paging) {
            return;
        }
        int table = core.root;
        for (int level = mode.top; ; level--) {
            int index = Tables.index(linear, level);
            if (tables.source(table, index) == 0) {
                return;
            }
            int child = tables.child(table, index);
            boolean end = child == Tables.NONE || endsAt(mode, level, tables.source(table, index));
            if (end) {
                drop(table, index);
                if (mode.format.entryBytes() == 4 && level == 1) {
                    // The other half of a page of 4 MiB.
                    drop(table, index ^ 1);
                }
                return;
            }
            table = child;
        }
    }

    /** Whether the guest's page is in pieces below. */
    private static boolean endsAt(GuestMode mode, int level, long source) {
        return level < mode.format.levels()
                && level < 3
                && source != Tables.NO_ENTRY
                && mode.format.isLarge(level, source);
    }

    private void drop(int table, int index) {
        if (tables.source(table, index) != 0) {
            int below = tables.child(table, index);
            if (below == Tables.NONE) {
                log.note(tables.page(table, index), tables.level[table], tables.get(table, index));
            }
            tables.clear(table, index);
            counts.zaps++;
        }
    }

    @Override
    void contexts(CoreState core) {
        flush(core);
    }

    @Override
    boolean changed(long start, long bytes) {
        flushAll();
        return true;
    }

    @Override
    void reserve(CoreState core) throws HostRefusal {
        boolean emptied = false;
        while (tables.free() < FILL) {
            HostRefusal why = tables.grow();
            if (why == null) {
                continue;
            }
            if (emptied) {
                throw why;
            }
            emptied = true;
            counts.reclaimed += tables.inUse();
            flushAll();
            invalidate();
        }
    }

    @Override
    boolean track(CoreState core) {
        return true;
    }

    @Override
    boolean isTable(long gpa) {
        return false;
    }

    @Override
    boolean hasTables(long gpa, int level) {
        return false;
    }

    @Override
    boolean staysTable(CoreState core) {
        return false;
    }

    @Override
    int child(CoreState core, int table, int index, long from, int level, long guestTable) {
        return next(core, table, index, from, level, guestTable < 0 ? null : core.mode, 0);
    }

    @Override
    int part(CoreState core, int table, int index, long from, int level, long start) {
        return next(core, table, index, from, level, null, start);
    }

    private int next(
            CoreState core,
            int table,
            int index,
            long from,
            int level,
            @Nullable GuestMode mode,
            long start) {
        int old = tables.child(table, index);
        if (old != Tables.NONE && tables.isFrom(table, index, from) && tables.base[old] == start) {
            return old;
        }
        int made = tables.allocate(level, mode == null ? null : mode.format, start);
        tables.link[made] = core.ownTables;
        core.ownTables = made;
        return made;
    }

    @Override
    void point(int table, int index, long entry, long from, int child) {
        if (tables.isLeaf(table, index)) {
            log.note(tables.page(table, index), tables.level[table], tables.get(table, index));
        }
        tables.set(table, index, entry, from, child);
    }

    @Override
    void leaf(int table, int index, long entry, long from, long gpa) {
        long kept = 0;
        if (tables.isLeaf(table, index)) {
            long old = tables.get(table, index);
            if (tables.page(table, index) == gpa) {
                kept = old & (Bits.PTE_A | Bits.PTE_D);
            } else {
                log.note(tables.page(table, index), tables.level[table], old);
            }
        }
        tables.set(table, index, entry | kept, from, Tables.NONE);
    }

    /** Nothing is {@link RamPages#TABLE} here. */
    @Override
    void written(long host) {}

    @Override
    void drain(AccessSink sink) {
        for (CoreState core : cores) {
            for (int t = core.ownTables; t != Tables.NONE; t = tables.link[t]) {
                drain(t, sink);
            }
            if (core.ownRoot != Tables.NONE) {
                drain(core.ownRoot, sink);
            }
        }
    }

    final void drain(int table, AccessSink sink) {
        for (int i = 0; i < Tables.ENTRIES; i++) {
            if (!tables.isLeaf(table, i) || (tables.get(table, i) & Bits.PTE_A) == 0) {
                continue;
            }
            long old = tables.clearBits(table, i, Bits.PTE_A | Bits.PTE_D);
            long bytes = 1L << Tables.shift(tables.level[table]);
            sink.accessed(tables.page(table, i), bytes, (old & Bits.PTE_D) != 0);
        }
    }

    @Override
    void close() {}
}

package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Rights;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;
import org.jspecify.annotations.Nullable;

/**
 * Strategies {@code cache} and {@code sync}: a shadow belongs to a table of the guest, is shared by
 * all that lead there, and stays while the guest switches roots. Guest tables are write-protected;
 * after each write the entries that were made from changed ones are dropped. Under {@code sync} a
 * table of the lowest level that is written is let go up to the guest's next flush.
 *
 * <p>A core whose tables can't be tracked, as they are on a device, has a virtual TLB up to its
 * next flush.
 */
final class CachedTables extends Shadows {
    /** Writes in a row, without a use of the table, after which it is none any more. */
    private static final int FLOOD = 4;

    /** Tables out of step at most: each is compared at each flush. */
    private static final int LOOSE = 64;

    /** Flushes that a table out of step is not written before it is protected again. */
    private static final int QUIET = 4;

    private static final int DIRECT = -1;

    private final boolean sync;
    private final Links links;
    private final GuestTables guests;

    /** Tables for parts of pages, by {@link #partKey}. */
    private final LongIntMap parts = new LongIntMap();

    /** By table: its guest table or {@link #DIRECT}, and what else tells it from others. */
    private final int[] guest;

    private final int[] role;
    private final int[] quadrant;
    private final long[] partKey;

    /** Which tables can be given up, and where the clock's hand is. */
    private final boolean[] kept;

    private int hand;
    private final Own own;

    /** A virtual TLB was filled since the last invalidation. */
    private boolean ownUsed;

    CachedTables(
            GuestPhysicalMap map,
            Engine engine,
            Tables tables,
            CoreState[] cores,
            Counts counts,
            AccessLog log,
            boolean sync) {
        super(map, engine, tables, cores, counts, log);
        this.sync = sync;
        links = new Links(tables, log);
        // A walk may name five before it finds that they have changed.
        guests = new GuestTables(tables.limit + FILL, LOOSE);
        guest = new int[tables.limit];
        role = new int[tables.limit];
        quadrant = new int[tables.limit];
        partKey = new long[tables.limit];
        kept = new boolean[tables.limit];
        own = new Own();
    }

    /** The virtual TLB of cores whose tables can't be tracked. */
    private final class Own extends VirtualTlb {
        Own() {
            super(
                    CachedTables.this.map,
                    CachedTables.this.engine,
                    CachedTables.this.tables,
                    CachedTables.this.cores,
                    CachedTables.this.counts,
                    CachedTables.this.log);
        }

        @Override
        void reserve(CoreState core) throws HostRefusal {
            CachedTables.this.reserve(core);
        }

        @Override
        boolean isTable(long gpa) {
            return CachedTables.this.isTable(gpa);
        }

        @Override
        boolean hasTables(long gpa, int level) {
            return CachedTables.this.hasTables(gpa, level);
        }
    }

    // ---- the guest's flushes

    @Override
    void state(CoreState core) throws HostRefusal {
        if (core.untracked) {
            own.flush(core);
            core.untracked = false;
        }
        if (sync) {
            synchronize();
        }
        if (core.narrowTable != Tables.NONE) {
            for (int i = 0; i < 4; i++) {
                clear(core.narrowTable, i);
            }
        }
        findRoot(core);
    }

    /**
     * Something becomes reachable for a core that was not: what other cores have not flushed yet
     * must not show there.
     */
    private void compareLoose() {
        for (int i = guests.looseCount() - 1; i >= 0; i--) {
            compare(guests.loose(i));
        }
    }

    @Override
    void root(CoreState core) throws HostRefusal {
        compareLoose();
        findRoot(core);
    }

    private void findRoot(CoreState core) throws HostRefusal {
        reserve(core);
        GuestMode mode = core.mode;
        if (core.untracked) {
            own.root(core);
        } else if (!mode.paging) {
            setRoot(core, findPart(0, mode.top, 0));
        } else if (mode.longMode) {
            int number = guestTable(mode.root, mode.top);
            if (number == GuestTables.NONE) {
                untrack(core);
                return;
            }
            int free = tables.free();
            setRoot(core, findShadow(number, mode.format, mode.top, mode.role, 0));
            if (tables.free() == free) {
                counts.rootsReused++;
            } else {
                counts.rootsBuilt++;
            }
        } else {
            narrow(core);
        }
    }

    /** A core's own top tables, for its four pointers are registers, or none. */
    private void narrow(CoreState core) {
        if (core.narrowRoot == Tables.NONE) {
            core.narrowRoot = make(3, null, 0);
            core.narrowTable = make(2, null, 0);
            links.point(
                    core.narrowRoot,
                    0,
                    tables.address(core.narrowTable) | OPEN,
                    Tables.NO_ENTRY,
                    core.narrowTable);
        }
        setRoot(core, core.narrowRoot);
    }

    @Override
    void untrack(CoreState core) throws HostRefusal {
        counts.untracked++;
        core.untracked = true;
        core.root = Tables.NONE;
        own.flush(core);
        root(core);
    }

    @Override
    void page(CoreState core, long linear) {
        if (core.untracked) {
            own.page(core, linear);
        } else if (sync && core.root != Tables.NONE) {
            int table = core.root;
            for (int level = core.mode.top; level > 0 && table != Tables.NONE; level--) {
                table = tables.child(table, Tables.index(linear, level));
            }
            if (table != Tables.NONE && guest[table] != DIRECT && !guests.inStep(guest[table])) {
                counts.syncs++;
                compare(guest[table]);
            }
        }
    }

    @Override
    void contexts(CoreState core) {
        if (core.untracked) {
            own.contexts(core);
        }
        if (sync) {
            synchronize();
        }
    }

    /** Compares all tables out of step; those that are quiet are protected again. */
    private void synchronize() {
        boolean room = guests.looseCount() < LOOSE / 2;
        int tight = 0;
        for (int i = guests.looseCount() - 1; i >= 0; i--) {
            int number = guests.loose(i);
            counts.syncs++;
            boolean changed = compare(number);
            guests.quiet[number] = changed ? 0 : guests.quiet[number] + 1;
            if (guests.quiet[number] >= QUIET || !room && !changed) {
                tight++;
            }
        }
        if (tight == 0) {
            return;
        }
        for (int i = guests.looseCount() - 1; i >= 0; i--) {
            int number = guests.loose(i);
            if (guests.quiet[number] >= QUIET || !room && guests.quiet[number] > 0) {
                tighten(number);
            }
        }
    }

    /** Protects a table again. */
    private void tighten(int number) {
        guests.tighten(number);
        if (links.protect(guests.gpa(number)) || anyUntracked()) {
            invalidate();
        }
        compare(number);
    }

    @Override
    void invalidate() {
        super.invalidate();
        links.invalidated();
        ownUsed = anyUntracked();
    }

    // ---- guest tables

    @Override
    boolean isTable(long gpa) {
        int number = guests.find(pageOf(gpa));
        return number != GuestTables.NONE && guests.inStep(number);
    }

    @Override
    boolean hasTables(long gpa, int level) {
        return guests.inLarge(gpa, level);
    }

    @Override
    boolean staysTable(CoreState core) {
        int number = guests.find(pageOf(core.walk.gpa));
        counts.tableWrites++;
        if (isUnused(core, number)) {
            counts.unshadowed++;
            drop(number);
            return false;
        }
        if (sync && guests.canLoosen() && lowest(number)) {
            guests.loosen(number);
            return false;
        }
        return true;
    }

    /**
     * Whether a write tells that a page is no table any more: it was freed, and holds data now.
     * What a repeated instruction clears or copies counts by entries, so that most are over the
     * limit at once; and no kernel writes to tables across entries, or has programs write to them.
     */
    private boolean isUnused(CoreState core, int number) {
        GuestWalk walk = core.walk;
        GuestMode mode = core.mode;
        for (int level = walk.leaf; mode.paging && level < mode.format.levels(); level++) {
            if (walk.table(level) == guests.gpa(number)) {
                // It leads to itself: it would be back at once.
                return false;
            }
        }
        int run = Intercept.run(core.fault);
        guests.writes[number] += Math.max(1, run / Long.BYTES);
        return guests.writes[number] > FLOOD
                || (core.fault & GuestWalk.USER) != 0
                || run == 0 && isMisaligned((int) walk.gpa, core.size, entryBytes(number));
    }

    /** Whether it is no write to an entry, nor one of a byte as for a single bit. */
    private static boolean isMisaligned(int at, int bytes, int entry) {
        if (bytes == 1) {
            return (at & entry - 1) != 0;
        }
        return bytes < 4 || ((at ^ at + bytes - 1) & -entry) != 0;
    }

    private int entryBytes(int number) {
        int first = guests.shadows[number];
        TableFormat format = first == Tables.NONE ? null : tables.format[first];
        return format == null ? Long.BYTES : format.entryBytes();
    }

    private boolean lowest(int number) {
        for (int t = guests.shadows[number]; t != Tables.NONE; t = tables.link[t]) {
            if (tables.level[t] != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    boolean track(CoreState core) {
        GuestWalk walk = core.walk;
        GuestMode mode = core.mode;
        if (!mode.paging) {
            return true;
        }
        int bytes = mode.format.entryBytes();
        int top = mode.format.levels() - 1;
        for (int level = top; level >= walk.leaf; level--) {
            int number = guestTable(walk.table(level), level);
            if (number == GuestTables.NONE) {
                return false;
            }
            guests.writes[number] = 0;
        }
        // Now that writes are heard of: is it yet as it was?
        boolean same = core.root != Tables.NONE;
        for (int level = top; level >= walk.leaf && same; level--) {
            int number = guests.find(walk.table(level));
            long host = guests.host(number) | walk.entryAt[level] & HostMemory.PAGE_SIZE - 1;
            same = GuestMemory.entry(host, bytes) == walk.entry[level];
        }
        for (int level = top; level >= walk.leaf && !same; level--) {
            int number = guests.find(walk.table(level));
            if (number != GuestTables.NONE && guests.shadows[number] == Tables.NONE) {
                guests.remove(number);
            }
        }
        return same;
    }

    /** The number of a guest table in RAM, from now on or before; or {@link GuestTables#NONE}. */
    private int guestTable(long gpa, int level) {
        long page = map.page(gpa);
        boolean ram = page >= 0 && (page & Rights.READ) != 0 && PhysicalBus.isRam(page);
        long host = page & -HostMemory.PAGE_SIZE;
        int number = guests.find(pageOf(gpa));
        if (number != GuestTables.NONE && (!ram || guests.host(number) != host)) {
            drop(number);
            number = GuestTables.NONE;
        }
        if (!ram) {
            return GuestTables.NONE;
        }
        if (number == GuestTables.NONE) {
            number = guests.add(pageOf(gpa), host);
            // Of a page that the guest has twice the other entries are not known.
            if (links.protect(pageOf(gpa)) || anyUntracked() || map.isAliased(host)) {
                invalidate();
            }
        } else if (level > 0 && !guests.inStep(number)) {
            tighten(number);
        }
        return number;
    }

    private boolean anyUntracked() {
        for (CoreState core : cores) {
            if (core.untracked) {
                return true;
            }
        }
        return false;
    }

    @Override
    void written(long host) {
        if (host < 0) {
            for (int i = 0; i < guests.limit(); i++) {
                if (guests.isUsed(i)) {
                    compare(i);
                }
            }
            return;
        }
        for (int i = guests.atHost(host); i != GuestTables.NONE; i = guests.sameHost(i)) {
            compare(i);
        }
    }

    /** Drops what was made from entries that have changed. @return whether there was any */
    private boolean compare(int number) {
        boolean changed = false;
        long host = guests.host(number);
        for (int t = guests.shadows[number]; t != Tables.NONE; t = tables.link[t]) {
            TableFormat format = tables.format[t];
            if (format == null || tables.live[t] == 0) {
                continue;
            }
            int bytes = format.entryBytes();
            for (int i = 0; i < Tables.ENTRIES; i++) {
                long from = tables.source(t, i);
                if (from == 0) {
                    continue;
                }
                long now = GuestMemory.entry(host + bytes * entry(t, i, bytes), bytes);
                if (now == from) {
                    continue;
                }
                changed = true;
                if ((now ^ from) == Bits.PTE_D && (now & Bits.PTE_D) != 0) {
                    tables.source(t, i, now);
                } else {
                    clear(t, i);
                    counts.zaps++;
                }
            }
        }
        return changed;
    }

    /** Index of the guest's entry that an entry was made from. */
    private int entry(int table, int index, int bytes) {
        if (bytes == 8) {
            return index;
        }
        return tables.level[table] == 0
                ? quadrant[table] << 9 | index
                : quadrant[table] << 8 | index >> 1;
    }

    /** A guest table is none any more. */
    private void drop(int number) {
        while (guests.shadows[number] != Tables.NONE) {
            int table = guests.shadows[number];
            guests.shadows[number] = tables.link[table];
            discard(table);
        }
        guests.remove(number);
    }

    /** Gives a table up that nothing leads to but entries. */
    private void discard(int table) {
        links.detach(table);
        kept[table] = false;
        for (CoreState core : cores) {
            if (core.root == table) {
                core.root = Tables.NONE;
            }
        }
        tables.retire(table);
    }

    // ---- tables

    private void clear(int table, int index) {
        if (tables.source(table, index) != 0) {
            links.clear(table << 9 | index);
        }
    }

    private int make(int level, @Nullable TableFormat format, long base) {
        int table = tables.allocate(level, format, base);
        links.fresh(table);
        guest[table] = DIRECT;
        partKey[table] = -1;
        return table;
    }

    private int findShadow(int number, TableFormat format, int level, int ofRole, int part) {
        for (int t = guests.shadows[number]; t != Tables.NONE; t = tables.link[t]) {
            if (tables.level[t] == level && role[t] == ofRole && quadrant[t] == part) {
                return t;
            }
        }
        int table = make(level, format, 0);
        guest[table] = number;
        role[table] = ofRole;
        quadrant[table] = part;
        tables.link[table] = guests.shadows[number];
        guests.shadows[number] = table;
        kept[table] = true;
        return table;
    }

    private static long partKey(long start, int level, long key) {
        return start | level | key >>> 59 << 4;
    }

    private int findPart(long start, int level, long key) {
        long name = partKey(start, level, key);
        int table = parts.get(name);
        if (table == LongIntMap.NONE) {
            table = make(level, null, start);
            partKey[table] = name;
            parts.put(name, table);
            kept[table] = true;
        }
        return table;
    }

    @Override
    boolean fill(CoreState core, long linear, long page) throws HostRefusal {
        ownUsed |= core.untracked;
        return core.untracked ? own.fill(core, linear, page) : super.fill(core, linear, page);
    }

    @Override
    int child(CoreState core, int table, int index, long from, int level, long guestTable) {
        if (guestTable < 0) {
            return core.narrowTable;
        }
        GuestMode mode = core.mode;
        int number = guests.find(guestTable);
        int part = quadrant(mode.format, level, core.linear);
        return findShadow(number, mode.format, level, mode.role, part);
    }

    @Override
    int part(CoreState core, int table, int index, long from, int level, long start) {
        GuestMode mode = core.mode;
        boolean keys = mode.paging && mode.longMode;
        return findPart(start, level, keys ? core.walk.entry[core.walk.leaf] & KEY : 0);
    }

    @Override
    void point(int table, int index, long entry, long from, int child) {
        if (tables.source(table, index) != 0) {
            if (tables.child(table, index) == child) {
                tables.set(table, index, entry, from, child);
                return;
            }
            clear(table, index);
        }
        compareLoose();
        links.point(table, index, entry, from, child);
    }

    @Override
    void leaf(int table, int index, long entry, long from, long gpa) {
        if (tables.source(table, index) != 0) {
            if (tables.isLeaf(table, index) && tables.page(table, index) == gpa) {
                long old = tables.get(table, index);
                long kept = old & (Bits.PTE_A | Bits.PTE_D);
                tables.set(table, index, entry | kept, from, Tables.NONE);
                links.changed(gpa, tables.level[table], old & ~entry);
                return;
            }
            clear(table, index);
        }
        links.leaf(table, index, entry, from, gpa);
    }

    // ---- changes of the map

    @Override
    boolean changed(long start, long bytes) {
        boolean known = ownUsed;
        if (ownUsed) {
            own.flushAll();
        }
        long first = pageOf(start);
        long pages = (bytes + (start - first) + HostMemory.PAGE_SIZE - 1) / HostMemory.PAGE_SIZE;
        if (pages > 4L * (links.mapped() + guests.size()) + 64) {
            sweep(first, pages * HostMemory.PAGE_SIZE);
            return true;
        }
        for (long at = first; at < first + pages * HostMemory.PAGE_SIZE; at += 4096) {
            links.unmap(at, 0);
            if (at == first || (at & (1 << 21) - 1) == 0) {
                links.unmap(at & -(1L << 21), 1);
                links.unmap(at & -(1L << 30), 2);
            }
            int number = guests.find(at);
            if (number != GuestTables.NONE) {
                drop(number);
                known = true;
            }
            known |= links.isGone(at) || isDevice(at);
        }
        return known;
    }

    /** Goes over all tables, which is less than the range. */
    private void sweep(long start, long bytes) {
        for (int t = 0; t < tables.made(); t++) {
            if (!kept[t]) {
                continue;
            }
            long size = 1L << Tables.shift(tables.level[t]);
            for (int i = 0; tables.live[t] != 0 && i < Tables.ENTRIES; i++) {
                if (tables.isLeaf(t, i)) {
                    long page = tables.page(t, i);
                    if (page < start + bytes && page + size > start) {
                        links.clear(t << 9 | i);
                    }
                }
            }
        }
        for (int i = 0; i < guests.limit(); i++) {
            if (guests.isUsed(i) && guests.gpa(i) >= start && guests.gpa(i) < start + bytes) {
                drop(i);
            }
        }
    }

    // ---- memory

    @Override
    void reserve(CoreState core) throws HostRefusal {
        boolean emptied = false;
        while (tables.free() < FILL) {
            if (tables.limbo() >= FILL) {
                invalidate();
                continue;
            }
            HostRefusal why = tables.grow();
            if (why == null) {
                continue;
            }
            if (emptied) {
                throw why;
            }
            if (!reclaim(Math.max(4 * FILL, tables.limit / 8))) {
                reclaim(Integer.MAX_VALUE);
                emptied = true;
            }
            own.flushAll();
            invalidate();
        }
    }

    /**
     * Gives tables up that no core has walked of late, by the accessed bits of what points to them.
     *
     * @return whether there were as many
     */
    private boolean reclaim(int wanted) {
        int left = wanted;
        for (int steps = 2 * tables.made(); left > 0 && steps > 0; steps--) {
            hand = (hand + 1) % tables.made();
            int table = hand;
            if (kept[table]
                    && tables.walkers[table] == 0
                    && (wanted == Integer.MAX_VALUE || !wasWalked(table))) {
                if (guest[table] == DIRECT) {
                    parts.remove(partKey[table]);
                    discard(table);
                } else {
                    unchain(table);
                }
                counts.reclaimed++;
                left--;
            }
        }
        return left < wanted;
    }

    private boolean wasWalked(int table) {
        boolean walked = false;
        for (int slot = links.parent(table); slot != Links.NONE; slot = links.after(slot)) {
            walked |= (tables.clearBits(slot >> 9, slot & 511, Bits.PTE_A) & Bits.PTE_A) != 0;
        }
        return walked;
    }

    /** Gives a shadow up; its guest table, too, if that was the last. */
    private void unchain(int table) {
        int number = guest[table];
        int before = Tables.NONE;
        for (int t = guests.shadows[number]; t != table; t = tables.link[t]) {
            before = t;
        }
        if (before == Tables.NONE) {
            guests.shadows[number] = tables.link[table];
        } else {
            tables.link[before] = tables.link[table];
        }
        discard(table);
        if (guests.shadows[number] == Tables.NONE) {
            guests.remove(number);
        }
    }

    @Override
    void drain(AccessSink sink) {
        for (int t = 0; t < tables.made(); t++) {
            if (kept[t]) {
                own.drain(t, sink);
            }
        }
        own.drain(sink);
    }

    @Override
    void close() {
        guests.close();
    }
}

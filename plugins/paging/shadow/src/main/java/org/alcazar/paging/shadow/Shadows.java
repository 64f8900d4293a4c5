package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Scope;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;

/**
 * Shadow tables under one strategy: how a walk of the guest's tables becomes entries is here, how
 * tables are found, kept and given up is the strategy's. With the lock held.
 */
abstract class Shadows {
    /** Rights that come from tables above or below. */
    static final long OPEN = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US | Bits.PTE_A;

    /** A protection key in an entry of a page (APM volume 2, 5.6.7). */
    static final long KEY = 15L << 59;

    /** Tables that one fill takes at most. */
    static final int FILL = 6;

    private static final int PAGE_SHIFT = 12;

    private static final int DEVICE_ROOM = 1024;

    /** Pages that the engine was told are devices, since the last invalidation. */
    private final LongIntMap devices = new LongIntMap();

    final GuestPhysicalMap map;
    final Engine engine;
    final Tables tables;
    final CoreState[] cores;
    final Counts counts;
    final AccessLog log;

    Shadows(
            GuestPhysicalMap map,
            Engine engine,
            Tables tables,
            CoreState[] cores,
            Counts counts,
            AccessLog log) {
        this.map = map;
        this.engine = engine;
        this.tables = tables;
        this.cores = cores;
        this.counts = counts;
        this.log = log;
    }

    /** The guest has flushed, or its mode is another: the core needs its root. */
    abstract void state(CoreState core) throws HostRefusal;

    /** The core's root was taken away: finds it again. */
    abstract void root(CoreState core) throws HostRefusal;

    /** Some table on the way of the core's walk is not in RAM: nobody tells of writes to it. */
    void untrack(CoreState core) throws HostRefusal {}

    /** INVLPG. */
    abstract void page(CoreState core, long linear);

    /** INVPCID of whatever type. */
    abstract void contexts(CoreState core);

    /**
     * Drops all that was made from a range of the map.
     *
     * @return whether the engine may know something of it: the caller invalidates then
     */
    abstract boolean changed(long start, long bytes);

    /**
     * There shall be {@link #FILL} free tables.
     *
     * @throws HostRefusal if the host has none and nothing can be given up
     */
    abstract void reserve(CoreState core) throws HostRefusal;

    /** The guest's tables on the way are heard of from now on. False if they have changed. */
    abstract boolean track(CoreState core);

    /** Whether writes to a guest page must be heard of. */
    abstract boolean isTable(long gpa);

    /** Whether some page of a large one is a guest table. */
    abstract boolean hasTables(long gpa, int level);

    /**
     * A write to a guest page that {@link #isTable} is about to happen: the core's last fault.
     *
     * @return whether it still is one
     */
    abstract boolean staysTable(CoreState core);

    /** The table that an entry shall point to, found or made. */
    abstract int child(CoreState core, int table, int index, long from, int level, long guestTable);

    /** The same for a part of a page of the guest. */
    abstract int part(CoreState core, int table, int index, long from, int level, long start);

    /** Makes an entry that points to a table. */
    abstract void point(int table, int index, long entry, long from, int child);

    /** Makes the entry of a page. */
    abstract void leaf(int table, int index, long entry, long from, long gpa);

    /** Some written guest table, by its host page; -1 for any. */
    abstract void written(long host);

    /** Each table that may hold pages. */
    abstract void drain(AccessSink sink);

    /** Lets go of flags on guest pages. */
    abstract void close();

    /** No core uses a translation that the tables do not have. */
    void invalidate() {
        counts.invalidations++;
        engine.invalidate(Scope.ALL, 0, 0);
        tables.settle();
        devices.clear();
    }

    /** The engine was told that a device is at a guest-physical address. */
    final void device(long gpa) {
        if (devices.size() < DEVICE_ROOM) {
            devices.put(pageOf(gpa), 0);
        }
    }

    /** Whether the engine may know a page as a device yet. */
    final boolean isDevice(long page) {
        return devices.size() >= DEVICE_ROOM || devices.contains(page);
    }

    void setRoot(CoreState core, int table) {
        core.root = table;
        tables.walkers[table]++;
        tables.leave(core.walked);
        core.walked = table;
        ControlBlock block = core.block;
        if (block != null) {
            block.translationRoot = tables.address(table);
        }
    }

    /**
     * Makes the entries for what the core's walk has found.
     *
     * @param page of the map, with rights, for the walk's address
     * @return false if something has changed in between: walk again
     */
    boolean fill(CoreState core, long linear, long page) throws HostRefusal {
        core.linear = linear;
        reserve(core);
        if (core.root == Tables.NONE || !track(core)) {
            return false;
        }
        GuestWalk walk = core.walk;
        GuestMode mode = core.mode;
        int leaf = leafLevel(mode, walk, page);
        int table = core.root;
        for (int level = mode.top; level > leaf; level--) {
            table = step(core, table, level, linear);
        }
        long gpa = walk.gpa & -(1L << Tables.shift(leaf));
        long host = page & -HostMemory.PAGE_SIZE;
        if (leaf > 0) {
            host = map.uniform(walk.gpa, 1L << Tables.shift(leaf)) & -HostMemory.PAGE_SIZE;
            counts.largeFills++;
        }
        counts.fills++;
        int index = Tables.index(linear, leaf);
        leaf(
                table,
                index,
                host | leafBits(mode, walk, leaf, page, gpa),
                from(mode, walk, leaf),
                gpa);
        return true;
    }

    private int leafLevel(GuestMode mode, GuestWalk walk, long page) {
        if (!PhysicalBus.isRam(page)) {
            return 0;
        }
        int level = Math.min(2, guestLevel(mode, walk));
        while (level > 0
                && (map.uniform(walk.gpa, 1L << Tables.shift(level)) < 0
                        || hasTables(walk.gpa, level))) {
            level--;
        }
        return level;
    }

    /** The guest's page as a level here: its 4 MiB pages are two of 2 MiB. */
    private static int guestLevel(GuestMode mode, GuestWalk walk) {
        return mode.paging ? walk.leaf : mode.top;
    }

    /** The guest's entry for a level, or {@link Tables#NO_ENTRY}. */
    private static long from(GuestMode mode, GuestWalk walk, int level) {
        boolean has = mode.paging && level >= walk.leaf && level < mode.format.levels();
        return has ? walk.entry[level] : Tables.NO_ENTRY;
    }

    private long leafBits(GuestMode mode, GuestWalk walk, int leaf, long page, long gpa) {
        long guest = from(mode, walk, leaf);
        boolean own = guest != Tables.NO_ENTRY;
        boolean wide = mode.format.entryBytes() == 8;
        boolean write =
                (page & Rights.WRITE) != 0
                        && (!own
                                || (guest & (Bits.PTE_RW | Bits.PTE_D))
                                        == (Bits.PTE_RW | Bits.PTE_D))
                        && !(leaf == 0 && isTable(gpa));
        boolean noExecute = (page & Rights.EXECUTE) == 0 || own && wide && guest < 0;
        boolean whole = !mode.paging || Tables.shift(leaf) >= mode.format.shift(walk.leaf);
        return Bits.PTE_P
                | (write ? Bits.PTE_RW : 0)
                | (!own || (guest & Bits.PTE_US) != 0 ? Bits.PTE_US : 0)
                | (noExecute ? Bits.PTE_NX : 0)
                | (leaf > 0 ? Bits.PTE_PS : 0)
                | (whole ? Bits.PTE_WHOLE : 0)
                | key(mode, walk);
    }

    private static long key(GuestMode mode, GuestWalk walk) {
        return mode.paging && mode.longMode ? walk.entry[walk.leaf] & KEY : 0;
    }

    /** Goes down one level, making what is missing. @return the next table */
    private int step(CoreState core, int table, int level, long linear) {
        GuestWalk walk = core.walk;
        GuestMode mode = core.mode;
        int index = Tables.index(linear, level);
        long from = from(mode, walk, level);
        int next;
        long bits = OPEN;
        if (mode.paging && level > walk.leaf) {
            long guestTable = level <= mode.format.levels() ? walk.table(level - 1) : -1;
            next = child(core, table, index, from, level - 1, guestTable);
        } else {
            long start = walk.gpa & -(1L << Tables.shift(level));
            next = part(core, table, index, from, level - 1, start);
        }
        if (from != Tables.NO_ENTRY) {
            bits = Bits.PTE_P | Bits.PTE_A | from & (Bits.PTE_RW | Bits.PTE_US);
            if (level == walk.leaf && (from & Bits.PTE_D) == 0) {
                bits &= ~Bits.PTE_RW;
            }
            bits |= mode.format.entryBytes() == 8 ? from & Bits.PTE_NX : 0;
        }
        point(table, index, tables.address(next) | bits, from, next);
        return next;
    }

    /**
     * Which part of the guest's table a table here is: those of 32-bit entries take two or four.
     */
    static int quadrant(TableFormat format, int level, long linear) {
        if (format.entryBytes() == 8) {
            return 0;
        }
        return level == 0 ? (int) (linear >>> 21) & 1 : (int) (linear >>> 30) & 3;
    }

    static long pageOf(long address) {
        return address >>> PAGE_SHIFT << PAGE_SHIFT;
    }
}

package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;

/**
 * Which entries point to a table, and which map a guest page: chains of entries' numbers. With the
 * lock held.
 */
final class Links {
    static final int NONE = -1;

    private final Tables tables;
    private final AccessLog log;

    private final int[][] next;
    private final int[][] previous;

    /** First entry that points to a table. */
    private final int[] parents;

    /** First entry of a page's leaves, by its guest-physical address and level. */
    private final LongIntMap leaves = new LongIntMap();

    /** Guest pages whose writable entries went away, while a TLB may still have one. */
    private final LongIntMap stale = new LongIntMap();

    /** The same for entries that were not writable. */
    private final LongIntMap gone = new LongIntMap();

    private static final int STALE_ROOM = 8192;

    Links(Tables tables, AccessLog log) {
        this.tables = tables;
        this.log = log;
        next = new int[tables.limit][];
        previous = new int[tables.limit][];
        parents = new int[tables.limit];
    }

    /** A table was made: nothing points to it. */
    void fresh(int table) {
        parents[table] = NONE;
        if (next[table] == null) {
            next[table] = new int[Tables.ENTRIES];
            previous[table] = new int[Tables.ENTRIES];
        }
    }

    /** First entry that points to a table. */
    int parent(int table) {
        return parents[table];
    }

    int after(int slot) {
        return next[slot >> 9][slot & 511];
    }

    int firstLeaf(long gpa, int level) {
        return leaves.get(gpa | level);
    }

    /** Makes an entry that points to a table. There is none. */
    void point(int table, int index, long entry, long from, int child) {
        tables.set(table, index, entry, from, child);
        int first = parents[child];
        chain(table, index, first);
        parents[child] = table << 9 | index;
    }

    /** Makes the entry of a page. There is none. */
    void leaf(int table, int index, long entry, long from, long gpa) {
        tables.set(table, index, entry, from, Tables.NONE);
        long key = gpa | tables.level[table];
        chain(table, index, leaves.get(key));
        leaves.put(key, table << 9 | index);
    }

    private void chain(int table, int index, int first) {
        next[table][index] = first;
        previous[table][index] = NONE;
        if (first != NONE) {
            previous[first >> 9][first & 511] = table << 9 | index;
        }
    }

    /** Clears an entry. */
    void clear(int slot) {
        int table = slot >> 9;
        int index = slot & 511;
        int child = tables.child(table, index);
        long key = child == Tables.NONE ? tables.page(table, index) | tables.level[table] : 0;
        long old = tables.clear(table, index);
        int after = next[table][index];
        int before = previous[table][index];
        if (after != NONE) {
            previous[after >> 9][after & 511] = before;
        }
        if (before != NONE) {
            next[before >> 9][before & 511] = after;
        } else if (child != Tables.NONE) {
            parents[child] = after;
        } else if (after != NONE) {
            leaves.put(key, after);
        } else {
            leaves.remove(key);
        }
        if (child == Tables.NONE) {
            log.note(Shadows.pageOf(key), tables.level[table], old);
            note((old & Bits.PTE_RW) != 0 ? stale : gone, key);
        }
    }

    /** An entry of a page has lost rights. */
    void changed(long gpa, int level, long lost) {
        if ((lost & Bits.PTE_RW) != 0) {
            note(stale, gpa | level);
        }
    }

    private static void note(LongIntMap pages, long key) {
        if (pages.size() < STALE_ROOM) {
            pages.put(key, 0);
        }
    }

    /** Clears all entries of a table and all that point to it. */
    void detach(int table) {
        for (int i = 0; tables.live[table] != 0 && i < Tables.ENTRIES; i++) {
            if (tables.source(table, i) != 0) {
                clear(table << 9 | i);
            }
        }
        while (parents[table] != NONE) {
            clear(parents[table]);
        }
    }

    /** Clears all entries for a guest page of a level. */
    void unmap(long gpa, int level) {
        for (int slot = firstLeaf(gpa, level); slot != NONE; slot = firstLeaf(gpa, level)) {
            clear(slot);
        }
    }

    /**
     * Takes the right to write from whatever maps a page of 4 KiB.
     *
     * @return whether a TLB may have it as writable yet
     */
    boolean protect(long gpa) {
        boolean writable = false;
        for (int slot = firstLeaf(gpa, 0); slot != NONE; slot = after(slot)) {
            long old = tables.clearBits(slot >> 9, slot & 511, Bits.PTE_RW);
            writable |= (old & Bits.PTE_RW) != 0;
        }
        for (int level = 1; level <= 2; level++) {
            long large = gpa & -(1L << Tables.shift(level));
            writable |= firstLeaf(large, level) != NONE;
            unmap(large, level);
        }
        return writable || isStale(gpa);
    }

    private boolean isStale(long gpa) {
        return isNoted(stale, gpa);
    }

    /**
     * Whether a TLB may have a page of 4 KiB that is gone from the tables, or a larger one around.
     */
    boolean isGone(long gpa) {
        return isNoted(stale, gpa) || isNoted(gone, gpa);
    }

    private static boolean isNoted(LongIntMap pages, long gpa) {
        return pages.size() >= STALE_ROOM
                || pages.contains(gpa)
                || pages.contains(gpa & -(1L << 21) | 1)
                || pages.contains(gpa & -(1L << 30) | 2);
    }

    /** No TLB has anything that the tables do not have. */
    void invalidated() {
        stale.clear();
        gone.clear();
    }

    /** Whether some part of an address range may be mapped by many entries. */
    int mapped() {
        return leaves.size();
    }
}

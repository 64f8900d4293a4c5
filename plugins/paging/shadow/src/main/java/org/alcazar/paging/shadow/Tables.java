package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pages of shadow tables, by number, with what each entry was made from. An entry's number is
 * that of its table times 512 plus its index. A table that is given up may still be walked by a
 * core, so it waits until the engine's translations have been invalidated. With the lock held.
 */
final class Tables {
    static final int NONE = -1;
    static final int ENTRIES = 512;

    /** In {@link #source}: an entry that stands for no entry of the guest's. */
    static final long NO_ENTRY = 1;

    private static final int CHUNK = 16;

    private final HostMemory memory;
    private final String owner;
    private final List<PageExtent> chunks = new ArrayList<>();
    final int limit;

    private final long[] address;
    private final int[] free;
    private int freeCount;
    private final int[] limbo;
    private int limboCount;
    private int made;

    /** Guest entries (0: none), and the tables that entries point to. By table. */
    private final long[][] source;

    private final int[][] child;

    /** Of pages below: 0 for a table of entries of 4 KiB pages. */
    final int[] level;

    /** The format of the guest's table; null for one that stands for no table. */
    final @Nullable TableFormat[] format;

    /** Guest-physical start of what a table of {@link #NO_ENTRY} maps. */
    final long[] base;

    /** Entries in use. */
    final int[] live;

    /** For chains of an owner's tables. */
    final int[] link;

    /** How many cores have it for their root: it can't be retired before they have another. */
    final int[] walkers;

    /** Given up, but for {@link #walkers}. */
    final boolean[] dead;

    Tables(HostMemory memory, String owner, int limit) {
        this.memory = memory;
        this.owner = owner;
        this.limit = limit;
        address = new long[limit];
        free = new int[limit];
        limbo = new int[limit];
        source = new long[limit][];
        child = new int[limit][];
        level = new int[limit];
        format = new TableFormat[limit];
        base = new long[limit];
        live = new int[limit];
        link = new int[limit];
        walkers = new int[limit];
        dead = new boolean[limit];
    }

    /** Tables that {@link #allocate} can give at once. */
    int free() {
        return freeCount;
    }

    int limbo() {
        return limboCount;
    }

    /** Tables that were ever made: numbers are below. */
    int made() {
        return made;
    }

    long inUse() {
        return made - freeCount;
    }

    /** More free tables. @return null, or why there are none */
    @Nullable HostRefusal grow() {
        int count = Math.min(CHUNK, limit - made);
        if (count == 0) {
            return new HostRefusal("shadow tables: a limit of " + limit + " is too low");
        }
        PageExtent chunk;
        try {
            chunk = memory.allocate(PageRequest.of(owner, count));
        } catch (HostRefusal refusal) {
            return refusal;
        }
        chunks.add(chunk);
        for (int i = 0; i < count; i++) {
            address[made] = chunk.address() + i * HostMemory.PAGE_SIZE;
            source[made] = new long[ENTRIES];
            child[made] = new int[ENTRIES];
            Arrays.fill(child[made], NONE);
            free[freeCount++] = made++;
        }
        return null;
    }

    /** An empty table. There is a free one. */
    int allocate(int atLevel, @Nullable TableFormat of, long start) {
        int table = free[--freeCount];
        level[table] = atLevel;
        format[table] = of;
        base[table] = start;
        link[table] = NONE;
        return table;
    }

    /** Nothing points to a table any more; some core may still walk it. */
    void retire(int table) {
        if (walkers[table] > 0) {
            dead[table] = true;
        } else {
            limbo[limboCount++] = table;
        }
    }

    /** A core has another root. */
    void leave(int table) {
        if (table != NONE && --walkers[table] == 0 && dead[table]) {
            dead[table] = false;
            limbo[limboCount++] = table;
        }
    }

    /** The engine has forgotten all it knew: retired tables are free. */
    void settle() {
        while (limboCount > 0) {
            release(limbo[--limboCount]);
        }
    }

    /** Nobody walks a table any more. */
    void release(int table) {
        wipe(table);
        free[freeCount++] = table;
    }

    /** Clears all entries. */
    void wipe(int table) {
        if (live[table] != 0) {
            HostRam.fill(address[table], HostMemory.PAGE_SIZE, (byte) 0);
            Arrays.fill(source[table], 0);
            Arrays.fill(child[table], NONE);
            live[table] = 0;
        }
    }

    long address(int table) {
        return address[table];
    }

    long get(int table, int index) {
        return HostRam.getLongVolatile(address[table] + 8L * index);
    }

    long source(int table, int index) {
        return source[table][index];
    }

    /** The guest's entry differs in what does not matter here. */
    void source(int table, int index, long value) {
        source[table][index] = value;
    }

    int child(int table, int index) {
        return child[table][index];
    }

    /** Makes an entry, in the place of one of the same kind or none. */
    void set(int table, int index, long entry, long from, int to) {
        long[] sources = source[table];
        if (sources[index] == 0) {
            live[table]++;
        }
        sources[index] = from;
        child[table][index] = to;
        store(table, index, entry);
    }

    /** Changes rights of an entry. */
    void store(int table, int index, long entry) {
        long at = address[table] + 8L * index;
        long old;
        do {
            // A core may set accessed and dirty bits.
            old = HostRam.getLongVolatile(at);
        } while (!HostRam.compareAndSetLong(at, old, entry));
    }

    /**
     * @return the entry as it was
     */
    long clear(int table, int index) {
        live[table]--;
        source[table][index] = 0;
        child[table][index] = NONE;
        long at = address[table] + 8L * index;
        long old;
        do {
            old = HostRam.getLongVolatile(at);
        } while (!HostRam.compareAndSetLong(at, old, 0));
        return old;
    }

    /** Clears bits of an entry that is there. @return the entry as it was */
    long clearBits(int table, int index, long bits) {
        long at = address[table] + 8L * index;
        long old;
        do {
            old = HostRam.getLongVolatile(at);
        } while (!HostRam.compareAndSetLong(at, old, old & ~bits));
        return old;
    }

    boolean isLeaf(int table, int index) {
        return source[table][index] != 0 && child[table][index] == NONE;
    }

    static int shift(int level) {
        return 12 + 9 * level;
    }

    static int index(long linear, int level) {
        return (int) (linear >>> shift(level)) & ENTRIES - 1;
    }

    /** Guest-physical address of the page that a leaf maps. */
    long page(int table, int index) {
        int shift = shift(level[table]);
        TableFormat guest = format[table];
        long from = source[table][index];
        if (guest == null || from == NO_ENTRY) {
            return base[table] + ((long) index << shift);
        }
        long page = guest.target(level[table], from);
        boolean second = guest.entryBytes() == 4 && level[table] == 1 && (index & 1) != 0;
        return page + (second ? 1L << shift : 0);
    }

    /** Whether an entry can be the one for a guest entry: accessed and dirty bits do not matter. */
    boolean isFrom(int table, int index, long from) {
        return ((source[table][index] ^ from) & ~(Bits.PTE_A | Bits.PTE_D)) == 0;
    }

    /** Gives all pages back. */
    void close() {
        chunks.forEach(memory::free);
        chunks.clear();
        made = 0;
        freeCount = 0;
        limboCount = 0;
    }
}

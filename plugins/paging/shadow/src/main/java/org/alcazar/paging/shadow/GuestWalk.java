package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Rights;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;

/**
 * Walks the guest's tables for one access as the processor would (APM volume 2, chapter 5), sets
 * accessed and dirty bits, and keeps what it found. One belongs to each core.
 */
final class GuestWalk {
    /** What an access wants, as in the page fault's error code. */
    static final int WRITE = Bits.PFEC_W, USER = Bits.PFEC_U, FETCH = Bits.PFEC_I;

    /** A supervisor's data access that SMAP does not refuse. */
    static final int OPEN = (int) Intercept.PF_OPEN;

    private final GuestMemory memory;

    /** By level, from the page's on: entries as they are now, and where they lie. */
    final long[] entry = new long[TableFormat.MAX_LEVELS];

    final long[] entryAt = new long[TableFormat.MAX_LEVELS];

    /** Level of the page's entry; above all levels where there is no paging. */
    int leaf;

    /** Guest-physical address of the access. */
    long gpa;

    boolean writable;
    boolean user;
    boolean executable;
    boolean dirty;

    /** The guest's tables refuse the write, but CR0.WP does not care for supervisors. */
    boolean overridden;

    /** Some table is not in RAM. */
    boolean device;

    /** Error code of the page fault. */
    int error;

    GuestWalk(GuestMemory memory) {
        this.memory = memory;
    }

    /** Reads PAE's pointers, as a write of CR3 does; false if they lie on a device. */
    void loadPointers(PagedCore core, GuestMode mode) throws HostRefusal {
        for (int i = 0; i < 4; i++) {
            mode.pointers[i] = read(core, mode.root + 8L * i, 8);
        }
    }

    /**
     * @return whether the access is allowed; else {@link #error}
     */
    boolean walk(PagedCore core, GuestMode mode, long linear, int access) throws HostRefusal {
        device = false;
        overridden = false;
        if (!mode.paging) {
            leaf = TableFormat.MAX_LEVELS;
            gpa = linear & 0xffff_ffffL;
            writable = true;
            user = true;
            executable = true;
            dirty = true;
            return true;
        }
        TableFormat format = mode.format;
        while (true) {
            int why = descend(core, mode, linear);
            if (why >= 0) {
                return refuse(why, access);
            }
            combine(format);
            why = check(core, mode, access);
            if (why != 0) {
                return refuse(why, access);
            }
            long offset = (1L << format.shift(leaf)) - 1;
            gpa = format.target(leaf, entry[leaf]) | linear & offset;
            if (mark(core, format, (access & WRITE) != 0)) {
                dirty = (entry[leaf] & Bits.PTE_D) != 0;
                return true;
            }
        }
    }

    private boolean refuse(int why, int access) {
        error = why | access & (WRITE | USER | FETCH);
        return false;
    }

    /** Reads down to the page's entry. @return -1, or why the processor faults */
    private int descend(PagedCore core, GuestMode mode, long linear) throws HostRefusal {
        TableFormat format = mode.format;
        long table = mode.root;
        if (mode.legacyPae) {
            long pointer = mode.pointers[(int) (linear >>> 30) & 3];
            if ((pointer & Bits.PTE_P) == 0) {
                return 0;
            }
            table = pointer & TableFormat.ADDRESS;
        }
        for (int level = format.levels() - 1; ; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            entryAt[level] = table + index * format.entryBytes();
            long value = read(core, entryAt[level], format.entryBytes());
            entry[level] = value;
            if ((value & Bits.PTE_P) == 0) {
                return 0;
            }
            if (format.reserved(level, value) != 0) {
                return Bits.PFEC_P | Bits.PFEC_R;
            }
            if (level == 0 || format.isLarge(level, value)) {
                leaf = level;
                return -1;
            }
            table = format.target(level, value);
        }
    }

    private void combine(TableFormat format) {
        long all = -1;
        long any = 0;
        for (int level = leaf; level < format.levels(); level++) {
            all &= entry[level];
            any |= entry[level];
        }
        writable = (all & Bits.PTE_RW) != 0;
        user = (all & Bits.PTE_US) != 0;
        executable = format.entryBytes() == 4 || any >= 0;
    }

    /**
     * @return 0, or why the processor faults
     */
    private int check(PagedCore core, GuestMode mode, int access) {
        boolean byUser = (access & USER) != 0;
        boolean denied = byUser && !user;
        if ((access & FETCH) != 0) {
            denied |= !executable || !byUser && user && mode.smep;
            return denied ? Bits.PFEC_P : 0;
        }
        boolean write = (access & WRITE) != 0;
        boolean protects = byUser || mode.writeProtect;
        if (write && !writable) {
            denied |= protects;
            overridden = !protects;
        }
        denied |= !byUser && user && mode.smap && (access & OPEN) == 0;
        int key = (int) (entry[leaf] >>> 59) & 15;
        boolean byKey = false;
        if (user && mode.keyed) {
            core.fetch(1L << X86.EXTENDED);
            int rights = (int) (core.block().group(X86.EXTENDED)[X86.PKRU] >>> 2 * key) & 3;
            byKey = (rights & 1) != 0 || (rights & 2) != 0 && write && protects;
            // A key that forbids writes is no concern of a supervisor without CR0.WP.
            overridden |= (rights & 2) != 0 && write && !protects;
        }
        return denied || byKey ? Bits.PFEC_P | (byKey ? Bits.PFEC_PK : 0) : 0;
    }

    /** Sets accessed and dirty bits; false if an entry has changed since it was read. */
    private boolean mark(PagedCore core, TableFormat format, boolean write) throws HostRefusal {
        int bytes = format.entryBytes();
        for (int level = format.levels() - 1; level >= leaf; level--) {
            long old = entry[level];
            long value = old | Bits.PTE_A | (write && level == leaf ? Bits.PTE_D : 0);
            if (value == old) {
                continue;
            }
            long host = memory.ram(entryAt[level], Rights.WRITE);
            if (host < 0) {
                device = true;
                memory.device(core, entryAt[level], bytes, value);
            } else if (!GuestMemory.exchange(host, bytes, old, value)) {
                return false;
            }
            entry[level] = value;
        }
        return true;
    }

    private long read(PagedCore core, long at, int bytes) throws HostRefusal {
        long host = memory.ram(at, Rights.READ);
        if (host >= 0) {
            return GuestMemory.entry(host, bytes);
        }
        device = true;
        return memory.device(core, at, bytes);
    }

    /** Guest-physical address of the table at a level. */
    long table(int level) {
        return entryAt[level] & -HostMemory.PAGE_SIZE;
    }
}

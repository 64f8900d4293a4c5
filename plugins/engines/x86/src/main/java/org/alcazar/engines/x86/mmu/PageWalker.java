package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Space;
import org.alcazar.machine.Translation;

import java.util.ArrayList;
import java.util.List;

/**
 * Walks the guest's page tables of any {@link TableFormat}, each of whose entries goes through the
 * second level. Checks rights and reserved bits, sets accessed and dirty bits by compare-and-set,
 * and raises page faults (APM volume 2, chapter 5). Where the VMM has shadow tables, {@link
 * ShadowWalker} translates in its stead, and the guest's are only looked at for people.
 */
final class PageWalker {
    /** Bits that change how addresses are translated. */
    static final long CR0_KEY = Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP;

    static final long CR4_KEY =
            Bits.CR4_PSE
                    | Bits.CR4_PAE
                    | Bits.CR4_PGE
                    | Bits.CR4_LA57
                    | Bits.CR4_PCIDE
                    | Bits.CR4_SMEP
                    | Bits.CR4_SMAP
                    | Bits.CR4_PKE;
    static final long EFER_KEY = Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_NXE;

    /** What an access wants, as in the page fault's error code. */
    static final int WRITE = Bits.PFEC_W, USER = Bits.PFEC_U, FETCH = Bits.PFEC_I;

    /**
     * A supervisor's data access that user pages are open to although SMAP is on: explicit and with
     * RFLAGS.AC.
     */
    static final int OPEN = 1 << 30;

    private final Cpu cpu;
    private final SecondLevel second;
    private final ShadowWalker shadow;
    private final int physicalBits;
    private final boolean gigabyte;

    private final long[] entry = new long[TableFormat.MAX_LEVELS];
    private final long[] entryGuest = new long[TableFormat.MAX_LEVELS];

    /** PAE's four pointers as the last load of CR3 found them. */
    private final long[] pointers = new long[4];

    private boolean pointersLoaded;

    private TableFormat format = TableFormat.twoLevel(false);
    private boolean paging;
    private boolean legacyPae;
    private boolean shadowed;

    /** Protection keys are on, which takes four- or five-level paging. */
    private boolean keyed;

    /**
     * Supervisors' writes need the right, too: CR0.WP, which shadow tables are always used with.
     */
    boolean protects;

    /** SMEP and SMAP, which are nothing without paging. */
    boolean smep;

    boolean smap;

    /** Results of the last walk: TLB flags, and the page's log2 size. */
    int flags;

    int pageShift;

    /**
     * Nothing of the last walk may be kept: it read a table from a device, or what was found is for
     * this instruction only.
     */
    boolean fleeting;

    /** The address of the last page fault, for CR2. */
    long faultAddress;

    @SuppressWarnings("this-escape") // the other walker keeps the reference
    PageWalker(Cpu cpu, SecondLevel second, Granted granted) {
        this.cpu = cpu;
        this.second = second;
        this.shadow = new ShadowWalker(cpu, this, granted);
        this.physicalBits = cpu.block.architecture().physicalBits();
        this.gigabyte = cpu.model.has(0x8000_0001, Feature.EDX, 26);
    }

    /** Control registers have changed. */
    void configure() {
        shadowed = cpu.block.translation == Translation.SHADOW;
        shadow.configure();
        paging = (cpu.cr0 & Bits.CR0_PG) != 0;
        protects = shadowed || (cpu.cr0 & Bits.CR0_WP) != 0;
        smep = paging && (cpu.cr4 & Bits.CR4_SMEP) != 0;
        smap = paging && (cpu.cr4 & Bits.CR4_SMAP) != 0;
        boolean noExecute = (cpu.efer & Bits.EFER_NXE) != 0;
        boolean pae = (cpu.cr4 & Bits.CR4_PAE) != 0;
        legacyPae = false;
        boolean longMode = (cpu.efer & Bits.EFER_LMA) != 0;
        keyed = longMode && (cpu.cr4 & Bits.CR4_PKE) != 0;
        if (longMode) {
            int levels = (cpu.cr4 & Bits.CR4_LA57) != 0 ? 5 : 4;
            format = TableFormat.longMode(levels, physicalBits, noExecute, gigabyte);
        } else if (pae) {
            legacyPae = true;
            format = TableFormat.pae(physicalBits, noExecute);
        } else {
            format = TableFormat.twoLevel((cpu.cr4 & Bits.CR4_PSE) != 0);
        }
    }

    /** CR0, CR3, CR4 or EFER have changed: the VMM's shadow tables may be those of before. */
    void stateChanged() {
        shadow.stateChanged();
    }

    int largeShift() {
        return shadowed ? 21 : 12 + format.indexBits();
    }

    /**
     * Loads PAE's page-directory pointers, as a write of CR3 does.
     *
     * @return false if one has reserved bits set; nothing is changed then
     */
    boolean loadPointers(long cr3) {
        long[] fresh = new long[4];
        for (int i = 0; i < 4; i++) {
            long gpa = (cr3 & 0xffff_ffe0L) + 8 * i;
            fresh[i] =
                    shadowed
                            ? peekEntry(gpa, 8)
                            : readTable(second.translate(gpa, Rights.READ, 8), 8);
            if ((fresh[i] & Bits.PTE_P) != 0
                    && (fresh[i] & TableFormat.reservedPointer(physicalBits)) != 0) {
                return false;
            }
        }
        System.arraycopy(fresh, 0, pointers, 0, 4);
        pointersLoaded = true;
        return true;
    }

    /** The registers were loaded from outside: the pointers are read again at the next walk. */
    void forgetPointers() {
        pointersLoaded = false;
    }

    /**
     * Host-physical address (or {@link SecondLevel#EXIT}) for an access within one page. Raises
     * page faults.
     *
     * @param linear canonical
     * @param access {@link #WRITE}, {@link #USER}, {@link #FETCH}, {@link #OPEN}, and what {@link
     *     Intercept#runOf} tells of a write
     * @param size bytes
     */
    long walk(long linear, int access, int size) {
        if (shadowed) {
            return walkShadow(linear, access, size);
        }
        fleeting = false;
        second.once = false;
        int rights = rights(access);
        if (!paging) {
            pageShift = 12;
            long target = second.translate(linear & 0xffff_ffffL, rights, size);
            flags = Tlb.USER | Tlb.WRITABLE | Tlb.EXECUTABLE | Tlb.DIRTY | secondFlags();
            fleeting = second.once;
            return target;
        }
        while (true) {
            int leaf = descend(linear, access);
            long rw = combined(leaf, Bits.PTE_RW);
            long us = combined(leaf, Bits.PTE_US);
            long nx = 0;
            for (int i = leaf; i < format.levels(); i++) {
                nx |= entry[i] & Bits.PTE_NX;
            }
            check(linear, access, leaf, rw != 0, us != 0, nx != 0 && format.entryBytes() == 8);
            int shift = format.shift(leaf);
            long gpa = format.target(leaf, entry[leaf]) | linear & (1L << shift) - 1;
            // The second level is asked before the bits are set: a miss there must leave the
            // guest's tables alone.
            long target = second.translate(gpa, rights, size);
            int secondFlags = secondFlags();
            if (!mark(leaf, (access & WRITE) != 0)) {
                continue;
            }
            flags = flags(leaf, rw, us, nx) | secondFlags;
            pageShift = shift;
            fleeting |= second.once;
            return target;
        }
    }

    private long walkShadow(long linear, int access, int size) {
        long target = shadow.walk(linear, access, size);
        flags = shadow.flags;
        pageShift = shadow.pageShift;
        fleeting = shadow.fleeting;
        return target;
    }

    private int flags(int leaf, long rw, long us, long nx) {
        boolean global = (entry[leaf] & Bits.PTE_G) != 0 && (cpu.cr4 & Bits.CR4_PGE) != 0;
        return (us != 0 ? Tlb.USER : 0)
                | (rw != 0 ? Tlb.WRITABLE : 0)
                | (nx == 0 ? Tlb.EXECUTABLE : 0)
                | ((entry[leaf] & Bits.PTE_D) != 0 ? Tlb.DIRTY : 0)
                | (global ? Tlb.GLOBAL : 0)
                | keyFlags(entry[leaf]);
    }

    int keyFlags(long leaf) {
        return keyed ? key(leaf) << Tlb.KEY_SHIFT : 0;
    }

    private int secondFlags() {
        int known = second.known;
        return ((known & Rights.READ) != 0 ? Tlb.SECOND_READ : 0)
                | ((known & Rights.WRITE) != 0 ? Tlb.SECOND_WRITE : 0)
                | ((known & Rights.EXECUTE) != 0 ? Tlb.SECOND_EXECUTE : 0);
    }

    private static int rights(int access) {
        return (access & FETCH) != 0
                ? Rights.EXECUTE
                : (access & WRITE) != 0 ? Rights.WRITE : Rights.READ;
    }

    private long combined(int leaf, long bit) {
        long all = bit;
        for (int i = leaf; i < format.levels(); i++) {
            all &= entry[i];
        }
        return all;
    }

    /** Reads the entries for an address down to the page's, whose level is returned. */
    private int descend(long linear, int access) {
        long table = root(linear, access);
        for (int level = format.levels() - 1; ; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            long gpa = table + index * format.entryBytes();
            long host = second.translate(gpa, Rights.READ, format.entryBytes());
            long value = readTable(host, format.entryBytes());
            entryGuest[level] = gpa;
            entry[level] = value;
            if ((value & Bits.PTE_P) == 0) {
                throw fault(linear, access, 0);
            }
            if (format.reserved(level, value) != 0) {
                throw fault(linear, access, Bits.PFEC_P | Bits.PFEC_R);
            }
            if (level == 0 || format.isLarge(level, value)) {
                return level;
            }
            table = format.target(level, value);
        }
    }

    private long root(long linear, int access) {
        if (!legacyPae) {
            return cpu.cr3 & (format.entryBytes() == 4 ? 0xffff_f000L : TableFormat.ADDRESS);
        }
        if (!pointersLoaded) {
            loadPointers(cpu.cr3);
        }
        long pointer = pointers[(int) (linear >>> 30) & 3];
        if ((pointer & Bits.PTE_P) == 0) {
            throw fault(linear, access, 0);
        }
        return pointer & TableFormat.ADDRESS;
    }

    private void check(long linear, int access, int leaf, boolean rw, boolean us, boolean nx) {
        int refusal = refusal(access, entry[leaf], rw, us, nx);
        if (refusal != 0) {
            throw fault(linear, access, refusal);
        }
    }

    /** Why a present page refuses an access, for the error code; 0 if it does not. */
    int refusal(int access, long leaf, boolean rw, boolean us, boolean nx) {
        boolean denied = denies(access, rw, us, nx);
        // A key's refusal shows in the error code whatever else refuses.
        boolean key =
                us
                        && (access & FETCH) == 0
                        && keyed
                        && refusedByKey(key(leaf), (access & WRITE) != 0, (access & USER) != 0);
        return denied || key ? Bits.PFEC_P | (key ? Bits.PFEC_PK : 0) : 0;
    }

    private boolean denies(int access, boolean rw, boolean us, boolean nx) {
        boolean user = (access & USER) != 0;
        if ((access & FETCH) != 0) {
            return user && !us || nx || !user && us && smep;
        }
        boolean write = (access & WRITE) != 0;
        return user && !us
                || write && !rw && (user || protects)
                || !user && us && (access & OPEN) == 0 && smap;
    }

    /**
     * Whether the guest's rights to a device page, as a reply under shadow tables gives them, allow
     * an access. These are the rights by the guest's tables, so that its own CR0.WP counts.
     *
     * @param granted of {@link Granted#deviceRights}
     */
    boolean allowsDevice(int granted, int access) {
        boolean us = (granted & Granted.USER) != 0;
        boolean fetch = (access & FETCH) != 0;
        boolean write = (access & WRITE) != 0;
        int asked = granted >> Granted.ASKED_SHIFT;
        if (keyed && us && !fetch && ((asked & FETCH) != 0 || write && (asked & WRITE) == 0)) {
            return false; // the page's key is known to the VMM, which has looked at this much
        }
        if (!fetch && !write && (granted & Rights.READ) == 0) {
            return false;
        }
        boolean supervises = (access & USER) == 0 && (cpu.cr0 & Bits.CR0_WP) == 0;
        boolean rw = (granted & Rights.WRITE) != 0 || supervises;
        return !denies(access, rw, us, (granted & Rights.EXECUTE) == 0);
    }

    private static int key(long leaf) {
        return (int) (leaf >>> 59) & 15;
    }

    /**
     * Whether PKRU refuses a data access to a user page (APM volume 2, 5.6.7), which supervisors
     * feel too; their writes only with CR0.WP.
     */
    boolean refusedByKey(int key, boolean write, boolean user) {
        if (!keyed) {
            return false;
        }
        int rights = (int) (cpu.extended[X86.PKRU] >>> 2 * key) & 3;
        return (rights & 1) != 0 || (rights & 2) != 0 && write && (user || protects);
    }

    /**
     * Sets accessed and dirty bits. False if an entry has changed since it was read: walk again.
     */
    private boolean mark(int leaf, boolean write) {
        for (int level = format.levels() - 1; level >= leaf; level--) {
            long bits = Bits.PTE_A | (write && level == leaf ? Bits.PTE_D : 0);
            if ((entry[level] & bits) != bits) {
                if (!setBits(level, bits)) {
                    return false;
                }
                entry[level] |= bits;
            }
        }
        return true;
    }

    private boolean setBits(int level, long bits) {
        int bytes = format.entryBytes();
        long old = entry[level];
        long host = second.translate(entryGuest[level], Rights.WRITE, bytes);
        if (Long.compareUnsigned(host, HostRam.SIZE) >= 0) {
            writeDevice(host, bytes, old | bits);
            return true;
        }
        boolean done =
                bytes == 8
                        ? HostRam.compareAndSetLong(host, old, old | bits)
                        : HostRam.compareAndSetInt(host, (int) old, (int) (old | bits));
        if (done) {
            PhysicalAccess.stored(host, bytes);
        }
        return done;
    }

    private long readTable(long host, int bytes) {
        if (Long.compareUnsigned(host, HostRam.SIZE) < 0) {
            return bytes == 8
                    ? HostRam.getLongVolatile(host)
                    : HostRam.getIntVolatile(host) & 0xffff_ffffL;
        }
        fleeting = true;
        if ((host & SecondLevel.EXIT) != 0) {
            return cpu.access(Space.MEMORY, host & ~SecondLevel.EXIT, bytes, false, 0);
        }
        return cpu.readWindow(host, bytes);
    }

    private void writeDevice(long host, int bytes, long value) {
        fleeting = true;
        if ((host & SecondLevel.EXIT) != 0) {
            cpu.access(Space.MEMORY, host & ~SecondLevel.EXIT, bytes, true, value);
        } else {
            cpu.writeWindow(host, bytes, value);
        }
    }

    private RuntimeException fault(long linear, int access, int why) {
        faultAddress = linear;
        return cpu.fault(Bits.PFV, why | access & (WRITE | USER | (tellsFetch(cpu) ? FETCH : 0)));
    }

    /** Whether error codes tell fetches from reads (APM volume 2, 8.4.2). */
    static boolean tellsFetch(Cpu cpu) {
        return (cpu.efer & Bits.EFER_NXE) != 0 && (cpu.cr4 & Bits.CR4_PAE) != 0
                || (cpu.cr4 & Bits.CR4_SMEP) != 0;
    }

    /**
     * Where an address leads, without side effects.
     *
     * @param rights of {@link Rights}, all of which the entries must give to a user or supervisor
     *     alike
     * @return guest-physical, or -1
     */
    long peek(long linear, int rights) {
        if (!paging) {
            return linear & (cpu.longMode() ? -1L : 0xffff_ffffL);
        }
        long table = peekRoot(linear);
        for (int level = format.levels() - 1; table >= 0; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            long value = peekEntry(table + index * format.entryBytes(), format.entryBytes());
            boolean denied =
                    (rights & Rights.WRITE) != 0 && (value & Bits.PTE_RW) == 0
                            || (rights & Rights.EXECUTE) != 0 && value < 0;
            if ((value & Bits.PTE_P) == 0 || format.reserved(level, value) != 0 || denied) {
                return -1;
            }
            if (level == 0 || format.isLarge(level, value)) {
                return format.target(level, value) | linear & (1L << format.shift(level)) - 1;
            }
            table = format.target(level, value);
        }
        return -1;
    }

    private long peekRoot(long linear) {
        if (!legacyPae) {
            return cpu.cr3 & (format.entryBytes() == 4 ? 0xffff_f000L : TableFormat.ADDRESS);
        }
        int i = (int) (linear >>> 30) & 3;
        long pointer =
                pointersLoaded ? pointers[i] : peekEntry((cpu.cr3 & 0xffff_ffe0L) + 8 * i, 8);
        return (pointer & Bits.PTE_P) == 0 ? -1 : pointer & TableFormat.ADDRESS;
    }

    /** An entry as it lies in RAM; 0, which is not present, where there is no RAM. */
    private long peekEntry(long gpa, int bytes) {
        long host = second.peek(gpa);
        if (host < 0 || host > HostRam.SIZE - 8) {
            return 0;
        }
        return bytes == 8 ? HostRam.getLong(host) : HostRam.getInt(host) & 0xffff_ffffL;
    }

    /** The walk of an address as lines for people. */
    List<String> describe(long linear) {
        List<String> lines = new ArrayList<>();
        if (!paging) {
            lines.add(String.format("%016x: no paging", linear));
            return lines;
        }
        long table = peekRoot(linear);
        for (int level = format.levels() - 1; table >= 0; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            long gpa = table + index * format.entryBytes();
            long value = peekEntry(gpa, format.entryBytes());
            lines.add(
                    String.format(
                            "level %d entry at %012x: %016x%s%s%s%s%s%s",
                            level + 1,
                            gpa,
                            value,
                            (value & Bits.PTE_P) != 0 ? " present" : " not present",
                            (value & Bits.PTE_RW) != 0 ? " writable" : "",
                            (value & Bits.PTE_US) != 0 ? " user" : "",
                            value < 0 ? " no-execute" : "",
                            format.isLarge(level, value) ? " large" : "",
                            format.reserved(level, value) != 0 ? " reserved bits set" : ""));
            if ((value & Bits.PTE_P) == 0 || level == 0 || format.isLarge(level, value)) {
                return lines;
            }
            table = format.target(level, value);
        }
        lines.add("page-directory pointer not present");
        return lines;
    }
}

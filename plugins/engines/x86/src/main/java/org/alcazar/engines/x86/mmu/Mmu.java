package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Guest memory of one core by linear addresses. The current privilege is implied; faults and exits
 * are thrown.
 *
 * <p>A view is what one privilege can reach without a look at any table: four longs a page (tags
 * for reading, writing and execution, and the distance from linear to host address). A tag is the
 * page with a generation in bits 3 to 11; an access compares its page with the address bits that
 * alignment wants zero, so that one comparison also finds misaligned accesses, and with them those
 * that leave the page. Behind the views lies {@link Tlb}, behind that {@link PageWalker}.
 *
 * <p>Pages with flags in {@link RamPages}, dirty bits not set, and devices have no tag for writing:
 * their writes take the slow path.
 */
public final class Mmu {
    private static final int USER = 0;
    private static final int SUPERVISOR = 1;

    /** Supervisor with user pages open under SMAP (RFLAGS.AC). */
    private static final int OPENED = 2;

    /** User with alignment checks: data accesses always take the slow path. */
    private static final int CHECKED = 3;

    static final int VIEWS = 4;
    static final int WRITE_TAG = 1, ADDEND = 2, FETCH_TAG = 3;
    static final long PAGE = -4096;

    private static final MemorySegment NO_PAIR = MemorySegment.NULL;

    private final Cpu cpu;
    private final SecondLevel second;
    private final PageWalker walker;
    private final PhysicalAccess physical;
    private final Tlb tlb = new Tlb();

    /** Atomic accesses that are rare. */
    public final Locked locked;

    /** Runs of accesses within a page. */
    public final BulkAccess bulk = new BulkAccess(this);

    /** What replies to exits have given beside tables. */
    public final Granted granted;

    private final Spaces spaces;

    private long[] view;
    private long tag;
    private int viewIndex = SUPERVISOR;

    private long cr0Seen = -1;
    private long cr4Seen;
    private long eferSeen;

    /** Every data access takes the slow path and is reported to the core's breakpoints. */
    private boolean watching;

    /** If views may lead to these pages only for writing. */
    private @Nullable WritablePages writable;

    /**
     * Whether the last #GP(0) of this class was for a non-canonical address: #SS(0) if the access
     * was through SS.
     */
    public boolean nonCanonical;

    /** That address. */
    public long nonCanonicalAt;

    /**
     * How often others have changed the translations: what was looked up before is stale. That can
     * happen inside accesses to devices.
     */
    public int invalidations;

    /** Misses of the views, and walks of tables. */
    public long misses;

    public long walks;

    public Mmu(Cpu cpu) {
        this.cpu = cpu;
        granted = new Granted(cpu);
        second = new SecondLevel(cpu, granted);
        walker = new PageWalker(cpu, second, granted);
        physical = new PhysicalAccess(cpu);
        locked = new Locked(cpu, this);
        spaces = new Spaces(cpu);
        view = spaces.view(SUPERVISOR);
        tag = spaces.tag();
    }

    // ---- accesses at the current privilege

    /** Zero-extended. */
    public int read8(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at] == (la & PAGE | tag)) {
            return Ram.load8(la + v[at + ADDEND]);
        }
        return (int) read(la, 1, false);
    }

    /** Zero-extended. */
    public int read16(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at] == (la & (PAGE | 1) | tag)) {
            return Ram.load16(la + v[at + ADDEND]);
        }
        return (int) readApart(la, 2);
    }

    public int read32(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at] == (la & (PAGE | 3) | tag)) {
            return Ram.load32(la + v[at + ADDEND]);
        }
        return (int) readApart(la, 4);
    }

    public long read64(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at] == (la & (PAGE | 7) | tag)) {
            return Ram.load64(la + v[at + ADDEND]);
        }
        return readApart(la, 8);
    }

    public void write8(long la, int value) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] == (la & PAGE | tag)) {
            Ram.store8(la + v[at + ADDEND], value);
        } else {
            write(la, 1, value, false);
        }
    }

    public void write16(long la, int value) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] == (la & (PAGE | 1) | tag)) {
            Ram.store16(la + v[at + ADDEND], value);
        } else {
            writeApart(la, 2, value);
        }
    }

    public void write32(long la, int value) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] == (la & (PAGE | 3) | tag)) {
            Ram.store32(la + v[at + ADDEND], value);
        } else {
            writeApart(la, 4, value);
        }
    }

    public void write64(long la, long value) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] == (la & (PAGE | 7) | tag)) {
            Ram.store64(la + v[at + ADDEND], value);
        } else {
            writeApart(la, 8, value);
        }
    }

    /** Misaligned, or not in the view. */
    private long readApart(long la, int bytes) {
        long hpa = directRead(la, bytes);
        return hpa >= 0 ? Ram.load(hpa, bytes) : read(la, bytes, false);
    }

    private void writeApart(long la, int bytes, long value) {
        long hpa = directWrite(la, bytes);
        if (hpa >= 0) {
            Ram.store(hpa, bytes, value);
        } else {
            write(la, bytes, value, false);
        }
    }

    /**
     * Raises what a write there would raise, and sets accessed and dirty bits; for
     * read-modify-write instructions, before their read.
     */
    public void probeWrite(long la, int bytes) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] != (la + bytes - 1 & PAGE | tag)) {
            check(la, bytes, false);
            target(la, bytes, PageWalker.WRITE, false, 0);
            if (crosses(la, bytes)) {
                target(nextPage(la, false), 1, PageWalker.WRITE, false, 0);
            }
        }
    }

    /** Raises the faults of reading a byte, without reading it. */
    public void probeRead(long la) {
        if (directRead(la, 1) < 0) {
            target(la, 1, 0, false, 0);
        }
    }

    /**
     * Host-physical address if all bytes lie in one page that a view has for reading, else -1.
     * Nothing is raised or changed.
     */
    public long directRead(long la, int bytes) {
        long[] v = view;
        int at = View.index(v, la);
        return v[at] == (la + bytes - 1 & PAGE | tag) ? la + v[at + ADDEND] : -1;
    }

    /** Like {@link #directRead} for reading and writing. */
    long directWrite(long la, int bytes) {
        long[] v = view;
        int at = View.index(v, la);
        return v[at + WRITE_TAG] == (la + bytes - 1 & PAGE | tag) ? la + v[at + ADDEND] : -1;
    }

    /**
     * Host-physical address for reading and writing if a view has it and it is aligned, else -1.
     *
     * @param bytes a power of two
     */
    public long directAligned(long la, int bytes) {
        long[] v = view;
        int at = View.index(v, la);
        return v[at + WRITE_TAG] == (la & (PAGE | bytes - 1) | tag) ? la + v[at + ADDEND] : -1;
    }

    // ---- implicit accesses by the processor: as supervisor, whatever CPL is

    public int readSystem8(long la) {
        return (int) read(la, 1, true);
    }

    public int readSystem16(long la) {
        return (int) read(la, 2, true);
    }

    public int readSystem32(long la) {
        return (int) read(la, 4, true);
    }

    public long readSystem64(long la) {
        long[] v = spaces.view(SUPERVISOR);
        int at = View.index(v, la);
        if (v[at] == (la & (PAGE | 7) | tag)) {
            return Ram.load64(la + v[at + ADDEND]);
        }
        return read(la, 8, true);
    }

    public void writeSystem8(long la, int value) {
        write(la, 1, value, true);
    }

    public void writeSystem16(long la, int value) {
        write(la, 2, value, true);
    }

    public void writeSystem32(long la, int value) {
        write(la, 4, value, true);
    }

    public void writeSystem64(long la, long value) {
        long[] v = spaces.view(SUPERVISOR);
        int at = View.index(v, la);
        if (v[at + WRITE_TAG] == (la & (PAGE | 7) | tag)) {
            Ram.store64(la + v[at + ADDEND], value);
        } else {
            write(la, 8, value, true);
        }
    }

    /** {@link #probeWrite} as supervisor. */
    public void probeWriteSystem(long la, int bytes) {
        target(la, bytes, PageWalker.WRITE, true, 0);
        if (crosses(la, bytes)) {
            target(nextPage(la, true), 1, PageWalker.WRITE, true, 0);
        }
    }

    // ---- atomic accesses

    /**
     * Compares and exchanges; a whole for other cores at any alignment, and a full fence.
     *
     * @param bytes 1, 2, 4 or 8; values are zero-extended
     * @return the old value, equal to {@code expected} exactly if the exchange took place
     */
    public long compareAndExchange(long la, int bytes, long expected, long value) {
        return exchange(la, bytes, expected, value, false);
    }

    /**
     * {@link #compareAndExchange} by an instruction that has just read {@code expected} there. A
     * device is not read again: it sees one read and one write, as on a locked bus.
     */
    public long update(long la, int bytes, long expected, long value) {
        return exchange(la, bytes, expected, value, true);
    }

    private long exchange(long la, int bytes, long expected, long value, boolean known) {
        long hpa = directAligned(la, bytes);
        return hpa >= 0
                ? Atomic.exchange(hpa, bytes, expected, value, NO_PAIR)
                : locked.exchange(la, bytes, expected, value, known, false);
    }

    // ---- code

    /**
     * Host-physical address of the code byte at an address, for execution at the current privilege;
     * -1 if it is not RAM.
     */
    public long fetch(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + FETCH_TAG] == (la & PAGE | tag)) {
            return la + v[at + ADDEND];
        }
        long hpa = target(la, 1, PageWalker.FETCH, false, 0);
        return isRam(hpa) ? hpa : -1;
    }

    /**
     * Like {@link #fetch}, if the answer is known from before; else -1. Raises nothing and changes
     * nothing that can be seen.
     */
    public long fetched(long la) {
        long[] v = view;
        int at = View.index(v, la);
        if (v[at + FETCH_TAG] != (la & PAGE | tag)) {
            long known = tlb.find(la);
            if (known == Tlb.NONE || !isRam(known) || !allows(known, PageWalker.FETCH, viewIndex)) {
                return -1;
            }
            fill(la, known, viewIndex, PageWalker.FETCH);
        }
        return la + v[at + ADDEND];
    }

    /**
     * Notes that an address is known to lead to some code now.
     *
     * @param word what is known so far: a value of this method, or 0
     * @return for {@link Cpu#knows}, which holds as long as the address leads there
     */
    public long know(long word, long la) {
        long known = tlb.find(la);
        return spaces.know(word, la, known != Tlb.NONE && (known & Tlb.GLOBAL) != 0);
    }

    /** That of the present privilege, for {@link View}: the same while only programs run. */
    public long[] view() {
        return view;
    }

    /** What the tags of {@link #view} that count have in their low bits. */
    public long tag() {
        return tag;
    }

    /** One code byte from wherever it is. */
    public int fetch8(long la) {
        return (int) physical.load(target(la, 1, PageWalker.FETCH, false, 0), 1);
    }

    // ---- slow paths

    private static boolean crosses(long la, int bytes) {
        return (la & ~PAGE) + bytes > 4096;
    }

    static boolean isRam(long hpa) {
        return Long.compareUnsigned(hpa, HostRam.SIZE) < 0;
    }

    /**
     * Outside 64-bit mode programs' addresses wrap at 4 GiB, the processor's own only where there
     * is no more.
     */
    long nextPage(long la, boolean system) {
        long next = (la & PAGE) + 4096;
        boolean wide = system ? cpu.longMode() : cpu.code64();
        return wide ? next : next & 0xffff_ffffL;
    }

    /** Raises what comes before translation: #AC, and limits and addresses that precede it. */
    public void checkAlignment(long la, int bytes) {
        check(la, bytes, false);
    }

    /**
     * What comes before translation: limits, canonical addresses, then alignment (processors differ
     * from APM volume 2, 8.5 in that #AC precedes #PF). Accesses across 4 GiB by segments of base 0
     * violate the limit, whatever that is; nodes for flat segments leave it to this.
     */
    void check(long la, int bytes, boolean system) {
        if (system) {
            return;
        }
        if (crosses(la, bytes)) {
            boolean flat =
                    (cpu.segmentBase[X86.DS] | cpu.segmentBase[X86.ES] | cpu.segmentBase[X86.SS])
                            == 0;
            boolean wraps = flat && (la & 0xffff_ffffL) + bytes > 1L << 32 && !cpu.code64();
            if (wraps || cpu.longMode() && !canonical(la + bytes - 1)) {
                nonCanonical = true;
                nonCanonicalAt = la;
                throw cpu.generalProtection(0);
            }
        }
        // Larger structures have no alignment.
        boolean checked = bytes <= 16 && (bytes & bytes - 1) == 0;
        if (viewIndex == CHECKED && checked && (la & bytes - 1) != 0) {
            if (cpu.longMode() && !canonical(la)) {
                nonCanonical = true;
                nonCanonicalAt = la;
                throw cpu.generalProtection(0);
            }
            throw cpu.fault(Bits.ACV, 0);
        }
    }

    long read(long la, int bytes, boolean system) {
        check(la, bytes, system);
        long value;
        if (!crosses(la, bytes)) {
            value = physical.load(target(la, bytes, 0, system, 0), bytes);
        } else {
            int first = 4096 - (int) (la & ~PAGE);
            long a = target(la, first, 0, system, 0);
            long b = target(nextPage(la, system), bytes - first, 0, system, 0);
            int seen = invalidations;
            value = physical.load(a, first);
            if (seen != invalidations) {
                b = target(nextPage(la, system), bytes - first, 0, system, 0);
            }
            value |= physical.load(b, bytes - first) << 8 * first;
        }
        if (watching) {
            cpu.breakpoints.data(la, bytes, false);
        }
        return value;
    }

    void write(long la, int bytes, long value, boolean system) {
        check(la, bytes, system);
        if (!crosses(la, bytes)) {
            physical.store(target(la, bytes, PageWalker.WRITE, system, 0), bytes, value);
        } else {
            int first = 4096 - (int) (la & ~PAGE);
            long a = target(la, first, PageWalker.WRITE, system, 0);
            long b = target(nextPage(la, system), bytes - first, PageWalker.WRITE, system, 0);
            int seen = invalidations;
            physical.store(a, first, value);
            if (seen != invalidations) {
                b = target(nextPage(la, system), bytes - first, PageWalker.WRITE, system, 0);
            }
            physical.store(b, bytes - first, value >>> 8 * first);
        }
        if (watching) {
            cpu.breakpoints.data(la, bytes, true);
        }
    }

    /**
     * Where an access within one page goes: host-physical, or {@link SecondLevel#EXIT} with the
     * guest-physical address.
     *
     * @param access 0, {@link PageWalker#WRITE} or {@link PageWalker#FETCH}
     * @param run of {@link Intercept#runOf}, for a FAULT exit; or 0
     */
    long target(long linear, int bytes, int access, boolean system, int run) {
        misses++;
        long la = linear;
        if (!cpu.longMode()) {
            la &= 0xffff_ffffL;
        } else if (!canonical(la)) {
            nonCanonical = true;
            nonCanonicalAt = la;
            throw cpu.generalProtection(0);
        }
        int to = system ? SUPERVISOR : viewIndex;
        long known = tlb.find(la);
        if (known != Tlb.NONE && allows(known, access, to)) {
            fill(la, known, to, access);
            note(known, access);
            return known & PAGE | la & ~PAGE;
        }
        walks++;
        int wanted = access | run;
        wanted |= to == USER || to == CHECKED ? PageWalker.USER : 0;
        wanted |= to == OPENED ? PageWalker.OPEN : 0;
        int seen = invalidations;
        long hpa = walker.walk(la, wanted, bytes);
        while (seen != invalidations) {
            seen = invalidations;
            hpa = walker.walk(la, wanted, bytes);
        }
        if (!walker.fleeting) {
            long value = hpa & PAGE | walker.flags;
            tlb.put(la, value, walker.pageShift);
            fill(la, value, to, access);
        }
        note(hpa, access);
        return hpa;
    }

    private void note(long hpa, int access) {
        if (access == PageWalker.WRITE && writable != null) {
            writable.lookedUp(hpa & PAGE);
        }
    }

    private boolean canonical(long la) {
        int spare = (cpu.cr4 & Bits.CR4_LA57) != 0 ? 7 : 16;
        return la << spare >> spare == la;
    }

    private boolean allows(long value, int access, int to) {
        boolean user = to == USER || to == CHECKED;
        boolean us = (value & Tlb.USER) != 0;
        if (user && !us) {
            return false;
        }
        if (access == PageWalker.FETCH) {
            return (value & Tlb.EXECUTABLE) != 0
                    && (value & Tlb.SECOND_EXECUTE) != 0
                    && (user || !us || !walker.smep);
        }
        if (us && walker.refusedByKey((int) value >> Tlb.KEY_SHIFT & 15, access != 0, user)) {
            return false;
        }
        if (to == SUPERVISOR && us && walker.smap) {
            return false;
        }
        if (access == 0) {
            return (value & Tlb.SECOND_READ) != 0;
        }
        return (value & (Tlb.DIRTY | Tlb.SECOND_WRITE)) == (Tlb.DIRTY | Tlb.SECOND_WRITE)
                && ((value & Tlb.WRITABLE) != 0 || !user && !walker.protects);
    }

    private void fill(long la, long value, int to, int access) {
        if (!isRam(value)) {
            return;
        }
        long page = la & PAGE | tag;
        long[] v = spaces.view(to);
        int at = View.index(v, la);
        if (displaces(v, at, page) && this.writable == null && spaces.crowds(to)) {
            adopt();
            v = spaces.view(to);
            at = View.index(v, la);
        }
        boolean data = to != CHECKED && !watching;
        boolean writable =
                data && allows(value, PageWalker.WRITE, to) && RamPages.flags(value & PAGE) == 0;
        WritablePages few = this.writable;
        if (few != null) {
            writable &= access == PageWalker.WRITE;
            if (writable) {
                few.add(v, at);
            }
        }
        v[at] = data && allows(value, 0, to) ? page : 0;
        v[at + WRITE_TAG] = writable ? page : 0;
        v[at + ADDEND] = (value & PAGE) - (la & PAGE);
        v[at + FETCH_TAG] = allows(value, PageWalker.FETCH, to) ? page : 0;
    }

    /** Whether an entry is another page's that is still good. */
    private boolean displaces(long[] v, int at, long page) {
        long there = v[at] != 0 ? v[at] : v[at + FETCH_TAG];
        return (there & ~PAGE) == tag && there != page;
    }

    // ---- changes

    /** Forgets the translations of all contexts; those of global pages stay unless asked for. */
    public void flush(boolean globalsToo) {
        tlb.flush(globalsToo);
        granted.dropDevices();
        spaces.flushAll();
        adopt();
    }

    /** Forgets the translations of one context but for global pages. */
    public void flushContext(int context) {
        tlb.flushContext(context);
        granted.dropDevices();
        spaces.flushContext(context);
        adopt();
    }

    /**
     * CR3 was written.
     *
     * @param keep where there are contexts: what is known of the new one is still good
     */
    public void rootChanged(boolean keep) {
        walker.stateChanged();
        granted.dropDevices();
        tlb.select(context(), keep);
        spaces.select(context(), keep && writable == null); // see WritablePages
        adopt();
    }

    /** CR3 was loaded by a task switch, where there are no contexts. */
    public void taskRootChanged() {
        walker.stateChanged();
        flush(false);
    }

    /** The number of the address space in CR3, if CR4.PCIDE makes it one. */
    private int context() {
        return (cpu.cr4 & Bits.CR4_PCIDE) != 0 ? (int) cpu.cr3 & 0xfff : 0;
    }

    /** PKRU was written: the views were filled by the old one. */
    public void keysChanged() {
        granted.dropDevices();
        spaces.forgetViews();
        adopt();
    }

    /** INVLPG: the page of the present context, and a global one. */
    public void invalidatePage(long la) {
        invalidatePage(la, context());
    }

    /** The same for another context; that a global page may go too does no harm. */
    public void invalidatePage(long la, int context) {
        granted.dropDevices(); // the guest's page there may be a large one
        int shift = tlb.dropShift(la, walker.largeShift());
        if (shift == 30) {
            flush(true);
            return;
        }
        long first = la & -(1L << shift);
        for (long page = first; page - first < 1L << shift; page += 4096) {
            tlb.drop(page, context);
        }
        spaces.drop(first, 1L << shift);
        adopt();
    }

    /**
     * To be called after every change of CR0, CR4, EFER or CPL, and of RFLAGS.AC. Cheap if only the
     * privilege changed.
     */
    public void modeChanged() {
        if (cpu.counters.split) {
            cpu.counters.privilege();
        }
        long cr0 = cpu.cr0 & PageWalker.CR0_KEY;
        long cr4 = cpu.cr4 & PageWalker.CR4_KEY;
        long efer = cpu.efer & PageWalker.EFER_KEY;
        if (cr0 != cr0Seen || cr4 != cr4Seen || efer != eferSeen) {
            cr0Seen = cr0;
            cr4Seen = cr4;
            eferSeen = efer;
            walker.configure();
            walker.stateChanged();
            tlb.select(context(), false);
            spaces.select(context(), false);
            flush(true);
        }
        boolean ac = (cpu.flags & Bits.AC) != 0;
        int to;
        if (cpu.cpl == 3) {
            to = ac && (cpu.cr0 & Bits.CR0_AM) != 0 ? CHECKED : USER;
        } else {
            to = ac && (cr4 & Bits.CR4_SMAP) != 0 ? OPENED : SUPERVISOR;
        }
        viewIndex = to;
        view = spaces.view(to);
    }

    /** From now on views lead to no other pages for writing; to be set before anything runs. */
    public void restrict(WritablePages pages) {
        writable = pages;
    }

    /** Whether each data access has to be made by itself. */
    boolean single() {
        return watching || viewIndex == CHECKED;
    }

    /** Whether data accesses are reported to {@link Cpu#breakpoints}. */
    public boolean watching() {
        return watching;
    }

    /** Has data accesses reported from now on, or no more. */
    public void watch(boolean on) {
        if (on != watching) {
            watching = on;
            spaces.flushAll();
            adopt();
        }
    }

    /** Registers were loaded from outside, or the VMM's translation changed: start anew. */
    public void reset() {
        walker.forgetPointers();
        cr0Seen = -1;
        second.clear();
        modeChanged();
    }

    /**
     * Loads PAE's page-directory pointers, which a write of CR3, and of CR0 and CR4 where it turns
     * PAE on, does.
     *
     * @return false if they have reserved bits set; the write is to be refused with #GP(0) then
     */
    public boolean loadPointers(long cr3) {
        return walker.loadPointers(cr3);
    }

    /** Address of the last page fault; goes to CR2 when the fault is delivered. */
    public long faultAddress() {
        return walker.faultAddress;
    }

    /** The VMM has the guest's page fault raised. */
    public void faultAddress(long linear) {
        walker.faultAddress = linear;
    }

    /**
     * The VMM's tables have changed: forgets all translations. The core stands, or is the caller's.
     */
    public void invalidate() {
        invalidations++;
        second.clear();
        walker.configure();
        flush(true);
    }

    /** The views may be others, or empty. */
    private void adopt() {
        view = spaces.view(viewIndex);
        tag = spaces.tag();
    }

    /** A page got a flag of {@link RamPages}: no tag for writing may lead to it any more. */
    public void dropWritable(long hpaPage) {
        spaces.dropWritable(hpaPage & PAGE);
        adopt();
    }

    /**
     * Where an address leads now, without side effects.
     *
     * @param rights of {@link Rights}
     * @return guest-physical, or -1
     */
    public long translate(long la, int rights) {
        return walker.peek(la, rights);
    }

    /**
     * Host-physical address of RAM behind a guest-physical address, without side effects, or -1.
     */
    public long hostAddress(long gpa) {
        long hpa = second.peek(gpa);
        return hpa >= 0 && isRam(hpa) ? hpa : -1;
    }

    /** The page walk of an address as lines for people. */
    public List<String> describe(long la) {
        return walker.describe(la);
    }
}

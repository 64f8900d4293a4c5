package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;
import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;

/**
 * A core that does single accesses as the engine does, with a TLB that forgets nothing by itself.
 */
final class ModelCore implements PagedCore {
    static final int WRITE = Bits.PFEC_W, USER = Bits.PFEC_U, FETCH = Bits.PFEC_I;
    static final int OPEN = (int) Intercept.PF_OPEN;

    /** What an access came to: host address, or one of these with more in the low bits. */
    static final long FAULT = 1L << 60, DEVICE = 1L << 61;

    /**
     * @param fast stores go without a word
     */
    record Entry(long host, boolean write, boolean user, boolean execute, int key, boolean fast) {}

    private final ModelMachine machine;
    private final int index;
    private final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);

    /** By linear page. */
    final Map<Long, Entry> tlb = new HashMap<>();

    private boolean told;
    final GuestMode mode = new GuestMode(48, true);
    int onces;

    /** Exits that one access may take. */
    int patience = 12;

    /** Others have time to do things in the midst of its walks of the shadow tables. */
    boolean slow;

    /** In the midst of a walk of the guest's tables, once keys are looked at. */
    Runnable inWalk = () -> {};

    /** How often others have had it forget. */
    private int invalidations;

    /** Bytes of an access, and those that a repeated instruction writes. */
    int size = 8;

    int run;

    ModelCore(ModelMachine machine, int index) {
        this.machine = machine;
        this.index = index;
    }

    /** For any thread: the core forgets what it knows between two accesses. */
    void forget() {
        synchronized (tlb) {
            invalidations++;
            tlb.clear();
        }
    }

    void load(long cr0, long cr3, long cr4, long efer) {
        long[] control = block.group(X86.CONTROL);
        control[X86.CR0] = cr0;
        control[X86.CR3] = cr3;
        control[X86.CR4] = cr4;
        control[X86.EFER] = efer;
        told = false;
        forget();
        mode.load(cr0, cr3, cr4, efer);
        for (int i = 0; mode.legacyPae && i < 4; i++) {
            mode.pointers[i] = machine.read(mode.root + 8 * i, 8);
        }
    }

    /** Writes the register of protection keys, which flushes nothing. */
    void keys(long pkru) {
        block.group(X86.EXTENDED)[X86.PKRU] = pkru;
    }

    /** The two bits of a key: no access, no writes. */
    int rights(int key) {
        return (int) (block.group(X86.EXTENDED)[X86.PKRU] >>> 2 * key) & 3;
    }

    void exit(PagingMode paging, int reason, int code, long address) throws HostRefusal {
        ExitFrame frame = block.frame();
        frame.reason = reason;
        frame.code = code;
        frame.address = address;
        frame.reply = ExitFrame.PROCEED;
        paging.intercepted(this);
    }

    void state(PagingMode paging) throws HostRefusal {
        if (!told) {
            block.frame().value = 0;
            exit(paging, Exit.INSTRUCTION, Intercept.PAGING_STATE, 0);
            told = true;
        }
    }

    void invlpg(PagingMode paging, long linear) throws HostRefusal {
        exit(paging, Exit.INSTRUCTION, Intercept.INVLPG, linear);
        forget(); // as the engine does where the guest's page may be a large one
    }

    /** What an access does where it leads to, in the midst of which nothing is invalidated. */
    interface Action {
        /**
         * @param host address
         * @param silent stores go without a word
         */
        void at(long host, boolean silent);
    }

    /** Where an access leads: a host address, or {@link #FAULT} or {@link #DEVICE} and what. */
    long access(PagingMode paging, long linear, int access) throws HostRefusal {
        return access(paging, linear, access, (host, silent) -> {});
    }

    long access(PagingMode paging, long linear, int access, Action action) throws HostRefusal {
        for (int i = 0; i < patience; i++) {
            int seen;
            synchronized (tlb) {
                Entry found = find(linear, access);
                if (found != null) {
                    long host = found.host | linear & 4095;
                    action.at(host, found.fast && found.write);
                    return host;
                }
                seen = invalidations;
            }
            if (!told) {
                state(paging);
                continue;
            }
            block.frame().value = access | (long) Intercept.runOf(run);
            block.frame().size = size;
            exit(paging, Exit.FAULT, Bits.PFV, linear);
            long end = replied(seen, linear, action);
            if (end >= 0) {
                return end;
            }
        }
        throw new AssertionError(
                "no end of exits for %x, access %x, root %x"
                        .formatted(linear, access, block.translationRoot));
    }

    /** By the TLB or, where the pager knows the mode, the tables. */
    private @Nullable Entry find(long linear, int access) {
        Entry known = tlb.get(linear & -4096);
        if (known != null && allows(known, access)) {
            return known;
        }
        Entry found = told ? walk(linear, access) : null;
        if (found == null || !allows(found, access)) {
            return null;
        }
        tlb.put(linear & -4096, found);
        return found;
    }

    /** What has become of an access by the reply; -1: it is to be tried again. */
    private long replied(int seen, long linear, Action action) {
        ExitFrame frame = block.frame();
        switch (frame.reply) {
            case ExitFrame.RETRY -> {
                return -1;
            }
            case ExitFrame.RAISE -> {
                return FAULT | frame.value;
            }
            case ExitFrame.AS_ACCESS -> {
                return DEVICE | frame.address;
            }
            case ExitFrame.ONCE -> {
                synchronized (tlb) {
                    if (seen != invalidations) {
                        return -1;
                    }
                    onces++;
                    long host = frame.value | linear & 4095;
                    action.at(host, false);
                    return host;
                }
            }
            default -> throw new AssertionError("reply " + frame.reply);
        }
    }

    /** Stores as the engine: without a word where its TLB says so. */
    void store(long linear, long host, int bytes, long value) {
        Entry known = tlb.get(linear & -4096);
        if (known != null && known.fast && known.write && known.host == (host & -4096)) {
            if (bytes == 8) {
                HostRam.setLong(host, value);
            } else {
                HostRam.setInt(host, (int) value);
            }
        } else if (bytes == 8) {
            RamPages.setLong(host, value);
        } else {
            RamPages.setInt(host, (int) value);
        }
    }

    private boolean allows(Entry entry, int access) {
        boolean user = (access & USER) != 0;
        if (user && !entry.user) {
            return false;
        }
        if ((access & FETCH) != 0) {
            return entry.execute && (user || !entry.user || !mode.smep);
        }
        boolean write = (access & WRITE) != 0;
        int byKey = entry.user && mode.keyed ? rights(entry.key) : 0;
        if ((byKey & 1) != 0 || (byKey & 2) != 0 && write) {
            return false;
        }
        boolean open = user || !entry.user || !mode.smap || (access & OPEN) != 0;
        return (!write || entry.write) && open;
    }

    /** What the shadow tables have, marking it as accessed. */
    private @Nullable Entry walk(long linear, int access) {
        return walk(linear, access, true);
    }

    /** The same without a mark for the access, and with the right to write that the tables have. */
    @Nullable Entry look(long linear) {
        return walk(linear, 0, false);
    }

    private @Nullable Entry walk(long linear, int access, boolean real) {
        long table = block.translationRoot;
        boolean write = true;
        boolean user = true;
        boolean execute = true;
        for (int level = mode.top; ; level--) {
            long at = table + 8L * Tables.index(linear, level);
            long entry = HostRam.getLongVolatile(at);
            if ((entry & Bits.PTE_P) == 0) {
                return null;
            }
            write &= (entry & Bits.PTE_RW) != 0;
            user &= (entry & Bits.PTE_US) != 0;
            execute &= entry >= 0;
            boolean leaf = level == 0 || (entry & Bits.PTE_PS) != 0;
            // Writable only once it is dirty.
            boolean marks = leaf && (access & WRITE) != 0 && write;
            long marked = entry | Bits.PTE_A | (marks ? Bits.PTE_D : 0);
            if (real && !HostRam.compareAndSetLong(at, entry, marked)) {
                return walk(linear, access);
            }
            table = entry & TableFormat.ADDRESS;
            if (slow) {
                Thread.yield();
            }
            if (leaf) {
                long host = table | linear & (1L << Tables.shift(level)) - 1 & -4096;
                return new Entry(
                        host,
                        real ? marks : write,
                        user,
                        execute,
                        (int) (entry >>> 59) & 15,
                        PhysicalBus.isRam(host) && RamPages.flags(host) == 0);
            }
        }
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public ControlBlock block() {
        return block;
    }

    @Override
    public void fetch(long groups) {
        if ((groups & 1L << X86.EXTENDED) != 0) {
            inWalk.run();
        }
    }

    @Override
    public long read(long address, int bytes) {
        return machine.read(address, bytes);
    }

    @Override
    public void write(long address, int bytes, long value) {
        machine.write(address, bytes, value);
    }
}

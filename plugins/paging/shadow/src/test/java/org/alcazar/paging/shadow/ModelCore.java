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

    /** Exits that one access may take. */
    private static final int PATIENCE = 12;

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

    /** Bytes of an access, and those that a repeated instruction writes. */
    int size = 8;

    int run;

    ModelCore(ModelMachine machine, int index) {
        this.machine = machine;
        this.index = index;
    }

    void forget() {
        tlb.clear();
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

    /** Where an access leads: a host address, or {@link #FAULT} or {@link #DEVICE} and what. */
    long access(PagingMode paging, long linear, int access) throws HostRefusal {
        Entry known = tlb.get(linear & -4096);
        if (known != null && allows(known, access)) {
            return known.host | linear & 4095;
        }
        for (int i = 0; i < PATIENCE; i++) {
            state(paging);
            Entry found = walk(linear, access);
            if (found != null && allows(found, access)) {
                tlb.put(linear & -4096, found);
                return found.host | linear & 4095;
            }
            block.frame().value = access | (long) Intercept.runOf(run);
            block.frame().size = size;
            exit(paging, Exit.FAULT, Bits.PFV, linear);
            ExitFrame frame = block.frame();
            switch (frame.reply) {
                case ExitFrame.RETRY -> {}
                case ExitFrame.RAISE -> {
                    return FAULT | frame.value;
                }
                case ExitFrame.AS_ACCESS -> {
                    return DEVICE | frame.address;
                }
                case ExitFrame.ONCE -> {
                    onces++;
                    return frame.value | linear & 4095;
                }
                default -> throw new AssertionError("reply " + frame.reply);
            }
        }
        throw new AssertionError(
                "no end of exits for %x, access %x, root %x"
                        .formatted(linear, access, block.translationRoot));
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

    private @Nullable Entry walk(long linear, int access) {
        long table = block.translationRoot;
        boolean write = true;
        boolean user = true;
        boolean execute = true;
        for (int level = mode.top; ; level--) {
            long at = table + 8L * Tables.index(linear, level);
            long entry = HostRam.getLong(at);
            if ((entry & Bits.PTE_P) == 0) {
                return null;
            }
            write &= (entry & Bits.PTE_RW) != 0;
            user &= (entry & Bits.PTE_US) != 0;
            execute &= entry >= 0;
            boolean leaf = level == 0 || (entry & Bits.PTE_PS) != 0;
            HostRam.setLong(at, entry | Bits.PTE_A);
            table = entry & TableFormat.ADDRESS;
            if (leaf) {
                long offset = linear & (1L << Tables.shift(level)) - 1 & -4096;
                boolean marks = (access & WRITE) != 0 && write;
                if (marks) {
                    HostRam.setLong(at, entry | Bits.PTE_A | Bits.PTE_D);
                }
                long host = table | offset;
                // Writable only once it is dirty.
                return new Entry(
                        host,
                        marks,
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
    public void fetch(long groups) {}

    @Override
    public long read(long address, int bytes) {
        return machine.read(address, bytes);
    }

    @Override
    public void write(long address, int bytes, long value) {
        machine.write(address, bytes, value);
    }
}

package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;

/**
 * Walks the VMM's shadow tables, which lead from linear to host-physical addresses in every mode of
 * the guest. What they do not have leaves with a FAULT exit, unless a reply has {@link Granted} it.
 */
final class ShadowWalker {
    private final Cpu cpu;
    private final PageWalker rules;
    private final Granted granted;

    private final long[] entry = new long[TableFormat.MAX_LEVELS];
    private final long[] entryAt = new long[TableFormat.MAX_LEVELS];
    private int top = 3;

    /** Control registers were written since the VMM has last been told. */
    private boolean stateChanged = true;

    /** Results of the last walk as those of {@link PageWalker}. */
    int flags;

    int pageShift;
    boolean fleeting;

    ShadowWalker(Cpu cpu, PageWalker rules, Granted granted) {
        this.cpu = cpu;
        this.rules = rules;
        this.granted = granted;
    }

    /** Control registers have changed. */
    void configure() {
        boolean five = (cpu.efer & Bits.EFER_LMA) != 0 && (cpu.cr4 & Bits.CR4_LA57) != 0;
        top = five ? 4 : 3;
    }

    void stateChanged() {
        stateChanged = true;
    }

    /** As {@link PageWalker#walk}. */
    long walk(long linear, int wanted, int size) {
        boolean fetch = (wanted & PageWalker.FETCH) != 0;
        int access = Granted.access(fetch ? wanted & ~PageWalker.OPEN : wanted);
        int run = Intercept.runOf(Intercept.run(wanted));
        if (stateChanged && (cpu.block.instructions & 1L << Intercept.PAGING_STATE) != 0) {
            throw state();
        }
        while (true) {
            int leaf = descend(linear);
            if (leaf < 0) {
                return other(linear, access, size, run);
            }
            long all = entry[leaf];
            long nx = entry[leaf];
            for (int level = leaf + 1; level <= top; level++) {
                all &= entry[level];
                nx |= entry[level];
            }
            boolean rw = (all & Bits.PTE_RW) != 0;
            boolean us = (all & Bits.PTE_US) != 0;
            int refusal = rules.refusal(access, entry[leaf], rw, us, nx < 0);
            if (refusal != 0) {
                return other(linear, access, size, refusal | run);
            }
            if (mark(leaf, (access & PageWalker.WRITE) != 0)) {
                return found(linear, leaf, rw, us, nx < 0);
            }
        }
    }

    private long found(long linear, int leaf, boolean rw, boolean us, boolean nx) {
        long last = entry[leaf];
        int shift = shift(leaf);
        flags =
                (us ? Tlb.USER : 0)
                        | (rw ? Tlb.WRITABLE : 0)
                        | (nx ? 0 : Tlb.EXECUTABLE)
                        | ((last & Bits.PTE_D) != 0 ? Tlb.DIRTY : 0)
                        | Tlb.SECOND_READ
                        | Tlb.SECOND_WRITE
                        | Tlb.SECOND_EXECUTE
                        | rules.keyFlags(last);
        // A piece of the guest's larger page has to go with the others at an INVLPG.
        pageShift = (last & Bits.PTE_WHOLE) != 0 ? shift : shift(2);
        fleeting = false;
        long offset = (1L << shift) - 1;
        return last & TableFormat.ADDRESS & ~offset | linear & offset;
    }

    private static int shift(int level) {
        return 12 + 9 * level;
    }

    /** Level of the page's entry, or -1 if one is not present. */
    private int descend(long linear) {
        long table = cpu.block.translationRoot & TableFormat.ADDRESS;
        for (int level = top; ; level--) {
            long at = table + (linear >>> shift(level) & 511) * 8;
            long value = HostRam.getLongVolatile(at);
            entryAt[level] = at;
            entry[level] = value;
            if ((value & Bits.PTE_P) == 0) {
                return -1;
            }
            if (level == 0 || level < 3 && (value & Bits.PTE_PS) != 0) {
                return level;
            }
            table = value & TableFormat.ADDRESS;
        }
    }

    /** Sets accessed and dirty bits. False if the VMM has changed an entry: walk again. */
    private boolean mark(int leaf, boolean write) {
        for (int level = top; level >= leaf; level--) {
            long bits = Bits.PTE_A | (write && level == leaf ? Bits.PTE_D : 0);
            long old = entry[level];
            if ((old & bits) != bits) {
                if (!HostRam.compareAndSetLong(entryAt[level], old, old | bits)) {
                    return false;
                }
                entry[level] = old | bits;
            }
        }
        return true;
    }

    /**
     * The tables do not allow it: what replies have given, or an exit.
     *
     * @param why bits for the exit's value
     */
    private long other(long linear, int access, int size, int why) {
        fleeting = true;
        flags = 0;
        pageShift = 12;
        long once = granted.find(linear, access);
        if (once != Granted.NONE) {
            if ((once & Granted.REFUSED) != 0) {
                rules.faultAddress = linear;
                throw cpu.fault(Bits.PFV, (int) once);
            }
            return once | linear & 4095;
        }
        int device = granted.deviceAt(linear);
        if (device >= 0 && rules.allowsDevice(granted.deviceRights(device), access)) {
            return granted.devicePage(device) | linear & 4095 | SecondLevel.EXIT;
        }
        throw fault(linear, access, size, why);
    }

    private RuntimeException fault(long linear, int access, int size, int why) {
        // Fetches are told in any case: rights to memory may tell them from reads where the guest
        // does not.
        int code = why | access & (PageWalker.WRITE | PageWalker.USER | PageWalker.FETCH);
        ExitFrame frame = cpu.block.frame();
        frame.code = Bits.PFV;
        frame.value = code | ((access & PageWalker.OPEN) != 0 ? Intercept.PF_OPEN : 0);
        frame.address = linear;
        frame.size = size;
        frame.write = (access & PageWalker.WRITE) != 0;
        frame.reply = ExitFrame.RETRY;
        return cpu.exit(Exit.FAULT);
    }

    private RuntimeException state() {
        stateChanged = false;
        ExitFrame frame = cpu.block.frame();
        frame.code = Intercept.PAGING_STATE;
        frame.address = cpu.cr3;
        frame.value = 0;
        frame.reply = ExitFrame.RETRY;
        return cpu.exit(Exit.INSTRUCTION);
    }
}

package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;

/**
 * A shadow pager of one core, as small as can be: tables are filled a page at a time, and emptied
 * whenever the guest flushes anything.
 */
final class SmallPager {
    private static final long PAGE = 4096;
    private static final int WRITE = Bits.PFEC_W, USER = Bits.PFEC_U, FETCH = Bits.PFEC_I;
    private static final int USER_RIGHT = 8;

    private final ControlBlock block;
    private final VirtualCore core;
    private final long ram;
    private final long ramBytes;
    private final long pool;
    private final int pages;
    private int used;

    // How the core translates, as of the last PAGING_STATE.
    private boolean paging;
    private boolean longMode;
    private boolean legacyPae;
    private TableFormat format = TableFormat.twoLevel(false);
    private int top;
    private long cr0;
    private long cr3;
    private long cr4;
    private final long[] pointers = new long[4];

    // What the last walk found.
    private int refusal;
    private long gpa;
    private long leaf;
    private boolean small;
    private boolean writable;
    private boolean user;
    private boolean executable;

    /**
     * @param ram host-physical start of what is at guest-physical 0
     * @param pool where tables may be
     */
    SmallPager(
            ControlBlock block, VirtualCore core, long ram, long ramBytes, long pool, int pages) {
        this.block = block;
        this.core = core;
        this.ram = ram;
        this.ramBytes = ramBytes;
        this.pool = pool;
        this.pages = pages;
        used = pages;
        empty();
        block.translation = Translation.SHADOW;
        block.translationRoot = pool;
        block.guestPhysical = at -> Long.compareUnsigned(at, ramBytes) < 0 ? ram + at : -1;
        block.instructions |= mine();
    }

    private static long mine() {
        return 1L << Intercept.PAGING_STATE | 1L << Intercept.INVLPG | 1L << Intercept.INVPCID;
    }

    /** Serves an exit if it is one of the pager's. */
    boolean serves(int reason) {
        ExitFrame frame = block.frame();
        if (reason == Exit.FAULT && frame.code == Bits.PFV) {
            fault(frame);
            return true;
        }
        if (reason != Exit.INSTRUCTION || (mine() >> frame.code & 1) == 0) {
            return false;
        }
        empty();
        if (frame.code == Intercept.PAGING_STATE) {
            state();
            frame.reply = ExitFrame.RETRY;
        } else {
            frame.reply = ExitFrame.PROCEED;
        }
        return true;
    }

    private void empty() {
        HostRam.fill(pool, used * PAGE, (byte) 0);
        used = 1;
    }

    private void state() {
        core.fetch(block, 1L << X86.CONTROL);
        long[] control = block.group(X86.CONTROL);
        cr0 = control[X86.CR0];
        cr3 = control[X86.CR3];
        cr4 = control[X86.CR4];
        long efer = control[X86.EFER];
        paging = (cr0 & Bits.CR0_PG) != 0;
        longMode = (efer & Bits.EFER_LMA) != 0;
        boolean pae = (cr4 & Bits.CR4_PAE) != 0;
        boolean nx = (efer & Bits.EFER_NXE) != 0;
        boolean five = longMode && (cr4 & Bits.CR4_LA57) != 0;
        top = five ? 4 : 3;
        int bits = X86.ARCHITECTURE.physicalBits();
        legacyPae = paging && pae && !longMode;
        format =
                longMode
                        ? TableFormat.longMode(five ? 5 : 4, bits, nx, true)
                        : pae
                                ? TableFormat.pae(bits, nx)
                                : TableFormat.twoLevel((cr4 & Bits.CR4_PSE) != 0);
        for (int i = 0; legacyPae && i < 4; i++) {
            pointers[i] = read((cr3 & 0xffff_ffe0L) + 8 * i, 8);
        }
    }

    /** Where there is no RAM, all ones are read. */
    private long read(long at, int bytes) {
        if (Long.compareUnsigned(at, ramBytes) >= 0) {
            return -1L >>> 64 - 8 * bytes;
        }
        return bytes == 8 ? HostRam.getLong(ram + at) : HostRam.getInt(ram + at) & 0xffff_ffffL;
    }

    private void write(long at, int bytes, long value) {
        if (Long.compareUnsigned(at, ramBytes) >= 0) {
            return;
        }
        if (bytes == 8) {
            RamPages.setLong(ram + at, value);
        } else {
            RamPages.setInt(ram + at, (int) value);
        }
    }

    private void fault(ExitFrame frame) {
        long linear = frame.address;
        int access = (int) frame.value & (WRITE | USER | FETCH | (int) Intercept.PF_OPEN);
        boolean write = (access & WRITE) != 0;
        if (!walk(linear, access)) {
            frame.reply = ExitFrame.RAISE;
            frame.replyCode = Bits.PFV;
            frame.value = refusal | access & (WRITE | USER | FETCH);
            return;
        }
        // CR0.WP is 0 then, but shadow tables are used as if it were 1.
        boolean overridden = write && (!writable || (keyRights() & 2) != 0);
        if (Long.compareUnsigned(gpa, ramBytes) >= 0) {
            frame.reply = ExitFrame.AS_ACCESS;
            frame.address = gpa;
            frame.code =
                    Rights.READ
                            | (write || writable && (leaf & Bits.PTE_D) != 0 ? Rights.WRITE : 0)
                            | (executable ? Rights.EXECUTE : 0)
                            | (user && !overridden ? USER_RIGHT : 0);
        } else if (overridden) {
            frame.reply = ExitFrame.ONCE;
            frame.value = ram + gpa & -PAGE;
        } else {
            map(linear);
            frame.reply = ExitFrame.RETRY;
        }
    }

    // ---- the guest's tables

    private boolean walk(long linear, int access) {
        leaf = Bits.PTE_D;
        small = true;
        writable = true;
        user = true;
        executable = true;
        if (!paging) {
            gpa = linear & 0xffff_ffffL;
            return true;
        }
        int bytes = format.entryBytes();
        long table = cr3 & (bytes == 4 ? 0xffff_f000L : TableFormat.ADDRESS);
        if (legacyPae) {
            long pointer = pointers[(int) (linear >>> 30) & 3];
            if ((pointer & Bits.PTE_P) == 0) {
                return refuse(0);
            }
            table = pointer & TableFormat.ADDRESS;
        }
        long[] at = new long[TableFormat.MAX_LEVELS];
        int level = format.levels();
        do {
            level--;
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            at[level] = table + index * bytes;
            leaf = read(at[level], bytes);
            if ((leaf & Bits.PTE_P) == 0) {
                return refuse(0);
            }
            if (format.reserved(level, leaf) != 0) {
                return refuse(Bits.PFEC_P | Bits.PFEC_R);
            }
            writable &= (leaf & Bits.PTE_RW) != 0;
            user &= (leaf & Bits.PTE_US) != 0;
            executable &= bytes == 4 || leaf >= 0;
            table = format.target(level, leaf);
        } while (level > 0 && !format.isLarge(level, leaf));
        if (!allows(access)) {
            return false;
        }
        small = level == 0;
        gpa = table | linear & (1L << format.shift(level)) - 1;
        for (int each = format.levels() - 1; each >= level; each--) {
            long old = read(at[each], bytes);
            boolean dirties = each == level && (access & WRITE) != 0;
            long marked = old | Bits.PTE_A | (dirties ? Bits.PTE_D : 0);
            if (marked != old) {
                write(at[each], bytes, marked);
            }
            leaf = marked;
        }
        return true;
    }

    private boolean refuse(int why) {
        refusal = why;
        return false;
    }

    private boolean allows(int access) {
        boolean byUser = (access & USER) != 0;
        boolean denied = byUser && !user;
        if ((access & FETCH) != 0) {
            denied |= !executable || !byUser && user && (cr4 & Bits.CR4_SMEP) != 0;
            return !denied || refuse(Bits.PFEC_P);
        }
        boolean write = (access & WRITE) != 0;
        boolean protects = byUser || (cr0 & Bits.CR0_WP) != 0;
        boolean open = (access & Intercept.PF_OPEN) != 0;
        denied |= write && !writable && protects;
        denied |= !byUser && user && (cr4 & Bits.CR4_SMAP) != 0 && !open;
        int byKey = keyRights();
        boolean key = (byKey & 1) != 0 || write && protects && (byKey & 2) != 0;
        return !denied && !key || refuse(Bits.PFEC_P | (key ? Bits.PFEC_PK : 0));
    }

    /** The two bits of the page's key: no access, no writes. */
    private int keyRights() {
        if (!user || !longMode || (cr4 & Bits.CR4_PKE) == 0) {
            return 0;
        }
        core.fetch(block, 1L << X86.EXTENDED);
        int key = (int) (leaf >>> 59) & 15;
        return (int) (block.group(X86.EXTENDED)[X86.PKRU] >>> 2 * key) & 3;
    }

    // ---- the shadows

    private void map(long linear) {
        if (used + top > pages) {
            empty();
        }
        long table = pool;
        for (int level = top; level > 0; level--) {
            long at = table + 8 * (linear >>> 12 + 9 * level & 511);
            if (HostRam.getLong(at) == 0) {
                long next = pool + PAGE * used++;
                HostRam.setLong(at, next | Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US);
            }
            table = HostRam.getLong(at) & TableFormat.ADDRESS;
        }
        long entry = ram + (gpa & -PAGE) | Bits.PTE_P;
        entry |= writable && (leaf & Bits.PTE_D) != 0 ? Bits.PTE_RW : 0;
        entry |= user ? Bits.PTE_US : 0;
        entry |= executable ? 0 : Bits.PTE_NX;
        entry |= small ? Bits.PTE_WHOLE : 0;
        entry |= paging && longMode ? leaf & 15L << 59 : 0;
        HostRam.setLong(table + 8 * (linear >>> 12 & 511), entry);
    }
}

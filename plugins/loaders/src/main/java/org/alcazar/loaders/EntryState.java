package org.alcazar.loaders;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;
import org.alcazar.vmm.GuestMemory;

import java.util.List;

/**
 * Puts the boot core into the mode in which a boot protocol enters its kernel, and gives all cores
 * their memory types. Everything else stays as after reset.
 */
final class EntryState {
    /**
     * Selectors that Linux asks for (Documentation/arch/x86/boot.rst, "64-bit boot protocol");
     * others take any.
     */
    static final int BOOT_CS = 0x10;

    static final int BOOT_DS = 0x18;

    /** Below the image and in ordinary RAM of every PC: descriptor table and identity tables. */
    static final long GDT = 0x11000;

    private static final long TABLES = 0x12000;

    /** First address that {@link #longMode} does not use. */
    static final long END = TABLES + 6 * 0x1000;

    private static final int CODE_32 = 0xc9b;
    private static final int CODE_64 = 0xa9b;
    private static final int DATA = 0xc93;
    private static final int TSS_BUSY = 0x8b;
    private static final int REAL_CODE = 0x9b;
    private static final int REAL_DATA = 0x93;
    private static final long GIB = 1L << 30;

    private static final int FIXED_RANGES = 11;

    /** The fixed range from 0xa0000 to 0xbffff. */
    private static final int DISPLAY_WINDOW = 2;

    private static final int WRITE_BACK = 6;
    private static final long ALL_WRITE_BACK = 0x0606_0606_0606_0606L;
    private static final int MTRR_VALID = 1 << 11;
    private static final int MTRR_ENABLE = 1 << 11;
    private static final int MTRR_FIXED_ENABLE = 1 << 10;
    private static final long PHYSICAL_ADDRESSES = (1L << 48) - 1;

    private final ControlBlock core;

    /**
     * @param cores all of them, the boot core first
     */
    EntryState(List<ControlBlock> cores) {
        this.core = cores.getFirst();
        cores.forEach(EntryState::memoryTypes);
    }

    /**
     * Memory types as firmware leaves them (APM volume 2, 7.7): write-back, but for the display
     * window and the hole below 4 GiB; the same on all cores, as they have to be. A kernel that
     * finds no types set mistrusts PAT too.
     */
    private static void memoryTypes(ControlBlock core) {
        long[] msrs = core.group(X86.MSRS);
        for (int i = 0; i < FIXED_RANGES; i++) {
            msrs[X86.MTRR_FIXED0 + i] = i == DISPLAY_WINDOW ? 0 : ALL_WRITE_BACK;
        }
        msrs[X86.MTRR_PHYS_BASE0] = 3 * GIB;
        msrs[X86.MTRR_PHYS_BASE0 + 1] = PHYSICAL_ADDRESSES & -GIB | MTRR_VALID;
        msrs[X86.MTRR_DEF_TYPE] = MTRR_ENABLE | MTRR_FIXED_ENABLE | WRITE_BACK;
        core.dirty |= 1L << X86.MSRS;
    }

    /** Sets a general register, by {@link X86}'s number. */
    EntryState general(int register, long value) {
        core.group(X86.GENERAL)[register] = value;
        core.dirty |= 1L << X86.GENERAL;
        return this;
    }

    /** Real mode at CS 0, as a boot sector is entered. */
    EntryState realMode(long entry) {
        for (int s = X86.ES; s <= X86.GS; s++) {
            segment(s, 0, 0xffff, s == X86.CS ? REAL_CODE : REAL_DATA);
        }
        core.dirty |= 1L << X86.SEGMENTS;
        return general(X86.RIP, entry).general(X86.RFLAGS, 2);
    }

    /** 32-bit protected mode without paging, flat segments, interrupts off. */
    EntryState protectedMode(GuestMemory memory, long entry) {
        flatSegments(memory, CODE_32);
        control(Bits.CR0_PE | Bits.CR0_ET, 0, 0, 0);
        return general(X86.RIP, entry).general(X86.RFLAGS, 2);
    }

    /** 64-bit mode on tables that map the first 4 GiB to themselves. */
    EntryState longMode(GuestMemory memory, long entry) {
        long rights = Bits.PTE_P | Bits.PTE_RW;
        memory.fill(TABLES, 6 * 0x1000L, 0);
        memory.writeLong(TABLES, TABLES + 0x1000 | rights);
        for (int gib = 0; gib < 4; gib++) {
            long directory = TABLES + 0x2000 + gib * 0x1000L;
            memory.writeLong(TABLES + 0x1000 + gib * 8L, directory | rights);
            for (int i = 0; i < 512; i++) {
                memory.writeLong(
                        directory + i * 8L, gib * GIB + (i * 2L << 20) | rights | Bits.PTE_PS);
            }
        }
        flatSegments(memory, CODE_64);
        control(
                Bits.CR0_PE | Bits.CR0_ET | Bits.CR0_PG,
                TABLES,
                Bits.CR4_PAE,
                Bits.EFER_LME | Bits.EFER_LMA);
        return general(X86.RIP, entry).general(X86.RFLAGS, 2);
    }

    private void control(long cr0, long cr3, long cr4, long efer) {
        long[] control = core.group(X86.CONTROL);
        control[X86.CR0] = cr0;
        control[X86.CR3] = cr3;
        control[X86.CR4] = cr4;
        control[X86.EFER] = efer;
        core.dirty |= 1L << X86.CONTROL;
    }

    private void flatSegments(GuestMemory memory, int code) {
        memory.fill(GDT, 0x20, 0);
        memory.writeLong(GDT + BOOT_CS, descriptor(code));
        memory.writeLong(GDT + BOOT_DS, descriptor(DATA));
        for (int s = X86.ES; s <= X86.GS; s++) {
            boolean isCode = s == X86.CS;
            segment(s, isCode ? BOOT_CS : BOOT_DS, 0xffff_ffffL, isCode ? code : DATA);
        }
        segment(X86.TR, 0, 0x67, TSS_BUSY);
        long[] segments = core.group(X86.SEGMENTS);
        segments[X86.GDTR_BASE] = GDT;
        segments[X86.GDTR_LIMIT] = 0x1f;
        segments[X86.IDTR_BASE] = 0;
        segments[X86.IDTR_LIMIT] = 0;
        core.dirty |= 1L << X86.SEGMENTS;
    }

    private void segment(int s, int selector, long limit, int attributes) {
        long[] segments = core.group(X86.SEGMENTS);
        segments[4 * s + X86.SELECTOR] = selector;
        segments[4 * s + X86.BASE] = 0;
        segments[4 * s + X86.LIMIT] = limit;
        segments[4 * s + X86.ATTRIBUTES] = attributes;
    }

    /** A flat 4 GiB descriptor with attributes in the control block's form (APM volume 2, 4.7). */
    private static long descriptor(int attributes) {
        long access = attributes & 0xff;
        long flags = attributes >> 8 & 0xf;
        return 0xffffL | access << 40 | 0xfL << 48 | flags << 52;
    }
}

package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;

/** How a core translates at present, by its control registers (APM volume 2, chapter 5). */
final class GuestMode {
    /** The group that the registers are in, as {@code PagedCore.fetch} takes it. */
    static final long GROUPS = 1L << X86.CONTROL;

    private static final int NO_EXECUTE = 16;

    private final TableFormat[] formats;

    boolean known;
    boolean paging;
    boolean longMode;

    /** PAE's page-directory pointers are registers: {@link #pointers}. */
    boolean legacyPae;

    /** Protection keys are on. */
    boolean keyed;

    boolean writeProtect;
    boolean smep;
    boolean smap;
    TableFormat format;

    /** Highest level of the shadow tables: 4 with five levels, else 3. */
    int top = 3;

    /** What CR3 points to: a table, or PAE's pointers. */
    long root;

    /** PAE's pointers as they were when CR3 was written. */
    final long[] pointers = new long[4];

    /** What tells entries of one table of the guest apart, which mean different things by it. */
    int role;

    GuestMode(int physicalBits, boolean gigabyte) {
        formats =
                new TableFormat[] {
                    TableFormat.twoLevel(false),
                    TableFormat.twoLevel(true),
                    TableFormat.pae(physicalBits, false),
                    TableFormat.pae(physicalBits, true),
                    TableFormat.longMode(4, physicalBits, false, gigabyte),
                    TableFormat.longMode(4, physicalBits, true, gigabyte),
                    TableFormat.longMode(5, physicalBits, false, gigabyte),
                    TableFormat.longMode(5, physicalBits, true, gigabyte),
                };
        format = formats[0];
    }

    /** Takes the registers; the caller reads PAE's pointers then. */
    void load(ControlBlock block) {
        long[] control = block.group(X86.CONTROL);
        load(control[X86.CR0], control[X86.CR3], control[X86.CR4], control[X86.EFER]);
    }

    void load(long cr0, long cr3, long cr4, long efer) {
        known = true;
        paging = (cr0 & Bits.CR0_PG) != 0;
        writeProtect = (cr0 & Bits.CR0_WP) != 0;
        longMode = (efer & Bits.EFER_LMA) != 0;
        boolean pae = (cr4 & Bits.CR4_PAE) != 0;
        boolean noExecute = (efer & Bits.EFER_NXE) != 0;
        legacyPae = paging && pae && !longMode;
        keyed = longMode && (cr4 & Bits.CR4_PKE) != 0;
        smep = paging && (cr4 & Bits.CR4_SMEP) != 0;
        smap = paging && (cr4 & Bits.CR4_SMAP) != 0;
        boolean five = longMode && (cr4 & Bits.CR4_LA57) != 0;
        top = five ? 4 : 3;
        int more = noExecute ? 1 : 0;
        int at;
        if (longMode) {
            at = (five ? 6 : 4) + more;
            role = 4 | more * NO_EXECUTE;
        } else if (pae) {
            at = 2 + more;
            role = 2 | more * NO_EXECUTE;
        } else {
            at = (cr4 & Bits.CR4_PSE) != 0 ? 1 : 0;
            role = at;
        }
        format = formats[at];
        root = cr3 & (legacyPae ? 0xffff_ffe0L : longMode ? TableFormat.ADDRESS : 0xffff_f000L);
    }
}

package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Control and debug registers, EFER, and the changes of mode that come with them (APM volume 2,
 * chapters 3 and 14).
 */
final class ControlRegisters {
    private static final long CR0_BITS =
            Bits.CR0_PE
                    | Bits.CR0_MP
                    | Bits.CR0_EM
                    | Bits.CR0_TS
                    | Bits.CR0_ET
                    | Bits.CR0_NE
                    | Bits.CR0_WP
                    | Bits.CR0_AM
                    | Bits.CR0_NW
                    | Bits.CR0_CD
                    | Bits.CR0_PG;

    /** Changes of these bits load PAE's pointers anew. */
    private static final long CR4_POINTERS = Bits.CR4_PAE | Bits.CR4_PGE | Bits.CR4_PSE;

    private static final long DR6_ONES = 0xffff_0ff0L;
    private static final long DR6_BITS = 0xe00f;
    private static final long DR7_ONES = 0x400;
    private static final long DR7_BITS = 0xffff_23ffL;
    private static final long DR7_GD = 1 << 13;
    private static final long DR6_BD = 1 << 13;

    private ControlRegisters() {}

    static long read(Cpu cpu, int number) {
        return switch (number) {
            case 0 -> cpu.cr0;
            case 2 -> cpu.cr2;
            case 3 -> cpu.cr3;
            case 4 -> cpu.cr4;
            case 8 -> cpu.interrupts.taskPriority();
            default -> throw cpu.undefinedOpcode();
        };
    }

    static void write(Cpu cpu, int number, long value) {
        switch (number) {
            case 0 -> writeCr0(cpu, value);
            case 2 -> {
                cpu.intercept(Intercept.CR_WRITE, 2, value);
                cpu.cr2 = value;
            }
            case 3 -> writeCr3(cpu, value);
            case 4 -> writeCr4(cpu, value);
            case 8 -> {
                require(cpu, value >>> 4 == 0);
                cpu.intercept(Intercept.CR_WRITE, 8, value);
                cpu.interrupts.taskPriority((int) value);
            }
            default -> throw cpu.undefinedOpcode();
        }
    }

    static void writeCr0(Cpu cpu, long wanted) {
        require(cpu, wanted >>> 32 == 0);
        long value = wanted & CR0_BITS | Bits.CR0_ET;
        boolean paging = (value & Bits.CR0_PG) != 0;
        require(cpu, !paging || (value & Bits.CR0_PE) != 0);
        require(cpu, (value & Bits.CR0_NW) == 0 || (value & Bits.CR0_CD) != 0);
        boolean was = (cpu.cr0 & Bits.CR0_PG) != 0;
        boolean starts = paging && !was;
        boolean stops = !paging && was;
        require(cpu, !starts || mayStartPaging(cpu));
        require(cpu, !stops || !cpu.code64() && (cpu.cr4 & Bits.CR4_PCIDE) == 0);
        cpu.intercept(Intercept.CR_WRITE, 0, wanted);
        if (starts && (cpu.efer & Bits.EFER_LME) != 0) {
            cpu.efer |= Bits.EFER_LMA;
        } else if (starts) {
            boolean pae = (cpu.cr4 & Bits.CR4_PAE) != 0;
            require(cpu, !pae || cpu.mmu.loadPointers(cpu.cr3));
        } else if (stops) {
            cpu.efer &= ~Bits.EFER_LMA;
        }
        cpu.cr0 = value;
        cpu.mmu.modeChanged();
    }

    /** What long mode demands; without it, only the page-directory pointers can be wrong. */
    private static boolean mayStartPaging(Cpu cpu) {
        if ((cpu.efer & Bits.EFER_LME) == 0) {
            return true;
        }
        boolean pae = (cpu.cr4 & Bits.CR4_PAE) != 0;
        boolean longCode = (cpu.segmentAttributes[CS] & Segments.LONG) != 0;
        int tss = cpu.segmentAttributes[TR] & 0x9f;
        boolean oldTask = tss == (Segments.PRESENT | Segments.TSS16 | Segments.BUSY);
        return pae && !longCode && !oldTask;
    }

    private static void writeCr3(Cpu cpu, long wanted) {
        boolean keep = (cpu.cr4 & Bits.CR4_PCIDE) != 0 && wanted < 0;
        if (cpu.longMode()) {
            long value = (cpu.cr4 & Bits.CR4_PCIDE) != 0 ? wanted & ~(1L << 63) : wanted;
            require(cpu, value >>> cpu.model.physicalBits() == 0);
            cpu.intercept(Intercept.CR_WRITE, 3, wanted);
            cpu.cr3 = value;
        } else {
            long value = wanted & 0xffff_ffffL;
            boolean pae = (cpu.cr0 & Bits.CR0_PG) != 0 && (cpu.cr4 & Bits.CR4_PAE) != 0;
            cpu.intercept(Intercept.CR_WRITE, 3, wanted);
            require(cpu, !pae || cpu.mmu.loadPointers(value));
            cpu.cr3 = value;
        }
        cpu.mmu.rootChanged(keep);
    }

    private static void writeCr4(Cpu cpu, long value) {
        require(cpu, (value & ~cpu.model.cr4Bits()) == 0);
        long changed = value ^ cpu.cr4;
        boolean startsPcid = (value & changed & Bits.CR4_PCIDE) != 0;
        require(cpu, !startsPcid || cpu.longMode() && (cpu.cr3 & 0xfff) == 0);
        boolean keeps = (value & Bits.CR4_PAE) != 0 && (changed & Bits.CR4_LA57) == 0;
        require(cpu, !cpu.longMode() || keeps);
        cpu.intercept(Intercept.CR_WRITE, 4, value);
        if (!cpu.longMode()) {
            boolean pointers =
                    (cpu.cr0 & Bits.CR0_PG) != 0
                            && (value & Bits.CR4_PAE) != 0
                            && (changed & CR4_POINTERS) != 0;
            require(cpu, !pointers || cpu.mmu.loadPointers(cpu.cr3));
        }
        cpu.cr4 = value;
        cpu.mmu.modeChanged();
    }

    static void writeEfer(Cpu cpu, long value) {
        require(cpu, (value & ~cpu.model.eferBits()) == 0);
        boolean paging = (cpu.cr0 & Bits.CR0_PG) != 0;
        require(cpu, !paging || ((value ^ cpu.efer) & Bits.EFER_LME) == 0);
        // LMA can't be written.
        cpu.efer = value & ~Bits.EFER_LMA | cpu.efer & Bits.EFER_LMA;
        cpu.mmu.modeChanged();
    }

    private static void require(Cpu cpu, boolean allowed) {
        if (!allowed) {
            throw cpu.generalProtection(0);
        }
    }

    // ---- debug registers

    static long readDebug(Cpu cpu, int number) {
        int index = debugIndex(cpu, number);
        cpu.intercept(Intercept.DR_ACCESS, number, 0);
        return switch (index) {
            case 6 -> cpu.dr[6] & DR6_BITS | DR6_ONES;
            case 7 -> cpu.dr[7] & DR7_BITS | DR7_ONES;
            default -> cpu.dr[index];
        };
    }

    static void writeDebug(Cpu cpu, int number, long value) {
        int index = debugIndex(cpu, number);
        require(cpu, index < 6 || value >>> 32 == 0);
        cpu.intercept(Intercept.DR_ACCESS, number, value);
        if (index >= 6) {
            cpu.dr[index] = index == 6 ? value & DR6_BITS | DR6_ONES : value & DR7_BITS | DR7_ONES;
        } else {
            cpu.dr[index] = value;
        }
    }

    /**
     * DR4 and DR5 stand for DR6 and DR7 unless CR4.DE is set. Any access is a #DB fault while
     * DR7.GD is set, at any privilege (APM volume 2, 13.1.3.5).
     */
    private static int debugIndex(Cpu cpu, int number) {
        int index = number;
        if (number == 4 || number == 5) {
            if ((cpu.cr4 & Bits.CR4_DE) != 0) {
                throw cpu.undefinedOpcode();
            }
            index += 2;
        }
        if ((cpu.dr[7] & DR7_GD) != 0) {
            cpu.dr[6] = cpu.dr[6] & ~0xfL | DR6_BD;
            throw cpu.fault(Bits.DB);
        }
        require(cpu, cpu.cpl == 0);
        return index;
    }
}

package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.Space;

/**
 * Model-specific registers (APM volume 2, appendix A). What the VMM intercepts goes to it; unknown
 * ones raise #GP(0).
 */
public final class Msrs {
    private static final int TSC = 0x10, APIC_BASE = 0x1b, TSC_ADJUST = 0x3b, PATCH_LEVEL = 0x8b;
    private static final int MTRR_CAP = 0xfe,
            SYSENTER_CS = 0x174,
            MCG_CAP = 0x179,
            MCG_STATUS = 0x17a;
    private static final int MISC_ENABLE = 0x1a0, DEBUG_CTL = 0x1d9, LAST_INT_TO = 0x1de;
    private static final int MTRR_BASE0 = 0x200, MTRR_MASK7 = 0x20f, MTRR_FIX64K = 0x250;
    private static final int MTRR_FIX16K_0 = 0x258, MTRR_FIX16K_1 = 0x259, MTRR_FIX4K_0 = 0x268;
    private static final int MTRR_FIX4K_7 = 0x26f, PAT = 0x277, MTRR_DEF_TYPE = 0x2ff;
    private static final int EFER = 0xc000_0080, STAR = 0xc000_0081, LSTAR = 0xc000_0082;
    private static final int CSTAR = 0xc000_0083, SFMASK = 0xc000_0084, FS_BASE = 0xc000_0100;
    private static final int GS_BASE = 0xc000_0101,
            KERNEL_GS_BASE = 0xc000_0102,
            TSC_AUX = 0xc000_0103;

    /**
     * AMD's: registers that kernels look at on every processor. They read as below; writes have no
     * effect.
     */
    private static final int SYSCFG = 0xc001_0010, HWCR = 0xc001_0015, TOP_MEM = 0xc001_001a;

    private static final int TOP_MEM2 = 0xc001_001d,
            NB_CFG = 0xc001_001f,
            INT_PENDING = 0xc001_0055;
    private static final int MMIO_CFG_BASE = 0xc001_0058,
            LS_CFG = 0xc001_1020,
            DE_CFG = 0xc001_1029;

    /** The TSC counts at the frequency of P-state 0, whatever the present one. */
    private static final long HWCR_TSC_FREQ_SEL = 1 << 24;

    /** LFENCE waits for all instructions before it. */
    private static final long DE_CFG_LFENCE_SERIALIZE = 2;

    /** 8 variable ranges, fixed ranges, write combining. */
    private static final long CAPABILITIES = 0x508;

    private static final long APIC_BSP = 1 << 8, APIC_ENABLE = 1 << 11;

    private Msrs() {}

    /** Values at power-on; others are 0. */
    public static void reset(Cpu cpu) {
        java.util.Arrays.fill(cpu.msr, 0);
        cpu.msr[X86.PAT] = 0x0007_0406_0007_0406L;
        cpu.msr[X86.APIC_BASE] = 0xfee0_0000L | APIC_ENABLE | (cpu.index == 0 ? APIC_BSP : 0);
    }

    static boolean apicEnabled(Cpu cpu) {
        return (cpu.msr[X86.APIC_BASE] & APIC_ENABLE) != 0;
    }

    /** The time-stamp counter as the guest sees it. */
    static long timeStamp(Cpu cpu) {
        return cpu.block.time.ticks(cpu.retired) + cpu.msr[X86.TSC_OFFSET];
    }

    static long read(Cpu cpu, int number) {
        if (!cpu.proceed && cpu.block.registers.contains(number & 0xffff_ffffL)) {
            return cpu.access(Space.REGISTER, number & 0xffff_ffffL, 8, false, 0);
        }
        int stored = stored(number);
        if (stored >= 0) {
            return cpu.msr[stored];
        }
        return switch (number) {
            case TSC -> timeStamp(cpu);
            case EFER -> cpu.efer;
            case FS_BASE -> cpu.segmentBase[FS];
            case GS_BASE -> cpu.segmentBase[GS];
            case MTRR_CAP -> CAPABILITIES;
            case PATCH_LEVEL -> 1;
            case HWCR -> HWCR_TSC_FREQ_SEL;
            case DE_CFG -> DE_CFG_LFENCE_SERIALIZE;
            default -> {
                if (!readsZero(number)) {
                    throw cpu.generalProtection(0);
                }
                yield 0;
            }
        };
    }

    static void write(Cpu cpu, int number, long value) {
        if (!cpu.proceed && cpu.block.registers.contains(number & 0xffff_ffffL)) {
            cpu.access(Space.REGISTER, number & 0xffff_ffffL, 8, true, value);
            return;
        }
        int stored = stored(number);
        if (stored >= 0) {
            check(cpu, number, value);
            cpu.msr[stored] = number == APIC_BASE ? apicBase(cpu, value) : value;
            return;
        }
        switch (number) {
            case TSC -> cpu.msr[X86.TSC_OFFSET] += value - timeStamp(cpu);
            case EFER -> ControlRegisters.writeEfer(cpu, value);
            case FS_BASE -> cpu.segmentBase[FS] = canonical(cpu, value);
            case GS_BASE -> cpu.segmentBase[GS] = canonical(cpu, value);
            case MTRR_CAP, MCG_CAP -> throw cpu.generalProtection(0);
            case PATCH_LEVEL, HWCR, DE_CFG -> {}
            default -> {
                if (!readsZero(number)) {
                    throw cpu.generalProtection(0);
                }
            }
        }
    }

    /** Index in the group MSRS of a register that is plain storage, or -1. */
    private static int stored(int number) {
        if (number >= MTRR_BASE0 && number <= MTRR_MASK7) {
            return X86.MTRR_PHYS_BASE0 + number - MTRR_BASE0;
        }
        if (number >= MTRR_FIX4K_0 && number <= MTRR_FIX4K_7) {
            return X86.MTRR_FIXED0 + 3 + number - MTRR_FIX4K_0;
        }
        if (number >= SYSENTER_CS && number <= SYSENTER_CS + 2) {
            return X86.SYSENTER_CS + number - SYSENTER_CS;
        }
        if (number >= STAR && number <= SFMASK) {
            return X86.STAR + number - STAR;
        }
        return switch (number) {
            case APIC_BASE -> X86.APIC_BASE;
            // The counter is the VM's clock plus this, so the adjustment is the offset itself.
            case TSC_ADJUST -> X86.TSC_OFFSET;
            case MCG_STATUS -> X86.MCG_STATUS;
            case MISC_ENABLE -> X86.MISC_ENABLE;
            case MTRR_FIX64K -> X86.MTRR_FIXED0;
            case MTRR_FIX16K_0 -> X86.MTRR_FIXED0 + 1;
            case MTRR_FIX16K_1 -> X86.MTRR_FIXED0 + 2;
            case PAT -> X86.PAT;
            case MTRR_DEF_TYPE -> X86.MTRR_DEF_TYPE;
            case KERNEL_GS_BASE -> X86.KERNEL_GS_BASE;
            case TSC_AUX -> X86.TSC_AUX;
            default -> -1;
        };
    }

    private static boolean readsZero(int number) {
        return switch (number) {
            case MCG_CAP, SYSCFG, TOP_MEM, TOP_MEM2, NB_CFG, INT_PENDING, MMIO_CFG_BASE, LS_CFG ->
                    true;
            default -> number >= DEBUG_CTL && number <= LAST_INT_TO;
        };
    }

    private static void check(Cpu cpu, int number, long value) {
        boolean fits =
                switch (number) {
                    case LSTAR, CSTAR, KERNEL_GS_BASE, SYSENTER_CS + 1, SYSENTER_CS + 2 ->
                            Segments.canonical(cpu, value);
                    case PAT -> eachByte(value, 0xf3);
                    case MTRR_DEF_TYPE -> memoryType(value & 0xff) && (value & ~0xcffL) == 0;
                    case TSC_AUX -> value >>> 32 == 0;
                    case APIC_BASE -> (value >>> 48) == 0 && (value & 0x6ff) == 0;
                    default -> true;
                };
        if (number >= MTRR_BASE0 && number <= MTRR_MASK7) {
            fits = variableFits(cpu, number, value);
        } else if (stored(number) >= X86.MTRR_FIXED0 && stored(number) < X86.MCG_STATUS) {
            fits = eachByte(value, 0x73);
        }
        if (!fits) {
            throw cpu.generalProtection(0);
        }
    }

    private static boolean variableFits(Cpu cpu, int number, long value) {
        if (value >>> cpu.model.physicalBits() != 0) {
            return false;
        }
        return (number & 1) == 0
                ? memoryType(value & 0xff) && (value & 0xf00) == 0
                : (value & 0x7ff) == 0;
    }

    private static boolean memoryType(long type) {
        return type < 8 && (0x73 >> type & 1) != 0;
    }

    /** Whether each byte is a number whose bit is set in {@code allowed}. */
    private static boolean eachByte(long value, int allowed) {
        for (int shift = 0; shift < 64; shift += 8) {
            long type = value >>> shift & 0xff;
            if (type > 7 || (allowed >> type & 1) == 0) {
                return false;
            }
        }
        return true;
    }

    private static long apicBase(Cpu cpu, long value) {
        return value & ~APIC_BSP | cpu.msr[X86.APIC_BASE] & APIC_BSP;
    }

    private static long canonical(Cpu cpu, long value) {
        if (!Segments.canonical(cpu, value)) {
            throw cpu.generalProtection(0);
        }
        return value;
    }
}

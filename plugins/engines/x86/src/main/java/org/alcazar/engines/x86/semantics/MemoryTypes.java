package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;

/**
 * The registers that give physical memory its types, and AMD's that direct accesses to memory or
 * devices (APM volume 2, 7.7 to 7.9, 3.2.1): storage with all the checks. Memory behaves the same
 * whatever they say; what is RAM and what is not the VMM decides.
 */
final class MemoryTypes {
    static final int NONE = -1;

    /** 8 variable ranges, fixed ranges, write combining. */
    static final long CAPABILITIES = 0x508;

    private static final int BASE0 = 0x200, MASK7 = 0x20f, FIX64K = 0x250;
    private static final int FIX16K_0 = 0x258, FIX16K_1 = 0x259, FIX4K_0 = 0x268, FIX4K_7 = 0x26f;
    private static final int PAT = 0x277, DEF_TYPE = 0x2ff;
    private static final int SYSCFG = 0xc001_0010, IORR_BASE0 = 0xc001_0016;
    private static final int IORR_MASK1 = 0xc001_0019, TOP_MEM = 0xc001_001a;
    private static final int TOP_MEM2 = 0xc001_001d;

    /** MtrrFixDramEn, MtrrFixDramModEn, MtrrVarDramEn, MtrrTom2En, Tom2ForceMemTypeWB. */
    private static final long SYSCFG_BITS = 0x1fL << 18;

    /** MtrrFixDramModEn: the bits below of the fixed ranges can be seen and changed. */
    private static final long MODIFY = 1 << 19;

    /** RdMem and WrMem of all eight fields of a fixed range. */
    private static final long DIRECTIONS = 0x1818_1818_1818_1818L;

    /** Types 0, 1, 4, 5, 6; the page attribute table has 7 too. */
    private static final int TYPES = 0x73, PAGE_TYPES = 0xf3;

    private MemoryTypes() {}

    /** Index in the register group MSRS, or {@link #NONE}. */
    static int place(int number) {
        if (number >= BASE0 && number <= MASK7) {
            return X86.MTRR_PHYS_BASE0 + number - BASE0;
        }
        if (number >= FIX4K_0 && number <= FIX4K_7) {
            return X86.MTRR_FIXED0 + 3 + number - FIX4K_0;
        }
        if (number >= IORR_BASE0 && number <= IORR_MASK1) {
            return X86.IORR_BASE0 + number - IORR_BASE0;
        }
        return switch (number) {
            case FIX64K -> X86.MTRR_FIXED0;
            case FIX16K_0 -> X86.MTRR_FIXED0 + 1;
            case FIX16K_1 -> X86.MTRR_FIXED0 + 2;
            case PAT -> X86.PAT;
            case DEF_TYPE -> X86.MTRR_DEF_TYPE;
            case SYSCFG -> X86.SYSCFG;
            case TOP_MEM -> X86.TOP_MEM;
            case TOP_MEM2 -> X86.TOP_MEM2;
            default -> NONE;
        };
    }

    private static boolean fixed(int place) {
        return place >= X86.MTRR_FIXED0 && place < X86.MTRR_FIXED0 + 11;
    }

    static long read(Cpu cpu, int place) {
        long value = cpu.msr[place];
        boolean hidden = fixed(place) && (cpu.msr[X86.SYSCFG] & MODIFY) == 0;
        return hidden ? value & ~DIRECTIONS : value;
    }

    static void write(Cpu cpu, int number, int place, long value) {
        if (!fits(cpu, number, place, value)) {
            throw cpu.generalProtection(0);
        }
        if (fixed(place) && (cpu.msr[X86.SYSCFG] & MODIFY) == 0) {
            cpu.msr[place] = value & ~DIRECTIONS | cpu.msr[place] & DIRECTIONS;
        } else {
            cpu.msr[place] = value;
        }
    }

    private static boolean fits(Cpu cpu, int number, int place, long value) {
        if (fixed(place)) {
            return eachByte(value & ~DIRECTIONS, TYPES);
        }
        long address = (1L << cpu.model.physicalBits()) - 1 & -4096L;
        if (number >= BASE0 && number <= MASK7) {
            return (number & 1) == 0
                    ? (value & ~(address | 0xff)) == 0 && type(value & 0xff)
                    : (value & ~(address | 1 << 11)) == 0;
        }
        return switch (place) {
            case X86.PAT -> eachByte(value, PAGE_TYPES);
            case X86.MTRR_DEF_TYPE -> type(value & 0xff) && (value & ~0xcffL) == 0;
            case X86.SYSCFG -> (value & ~SYSCFG_BITS) == 0;
            case X86.TOP_MEM, X86.TOP_MEM2 -> (value & ~(address & -1L << 23)) == 0;
            default -> (value & ~(address | ((number & 1) == 0 ? 0x18 : 1 << 11))) == 0;
        };
    }

    private static boolean type(long type) {
        return type < 8 && (TYPES >> type & 1) != 0;
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
}

package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.state.Counters;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.Space;

/**
 * Model-specific registers (APM volume 2, appendix A). What the VMM intercepts goes to it, before
 * any check but that of CPL (15.11); unknown ones raise #GP(0), and so do those of features that
 * CPUID does not announce, whoever would serve them.
 */
public final class Msrs {
    private static final int TSC = 0x10, APIC_BASE = 0x1b, TSC_ADJUST = 0x3b, PATCH_LEVEL = 0x8b;
    private static final int MTRR_CAP = 0xfe, SYSENTER_CS = 0x174;
    private static final int DEBUG_CTL = 0x1d9, LAST_BRANCH_FROM = 0x1db, LAST_INT_TO = 0x1de;
    private static final int EFER = 0xc000_0080, STAR = 0xc000_0081, LSTAR = 0xc000_0082;
    private static final int CSTAR = 0xc000_0083, SFMASK = 0xc000_0084, FS_BASE = 0xc000_0100;
    private static final int GS_BASE = 0xc000_0101,
            KERNEL_GS_BASE = 0xc000_0102,
            TSC_AUX = 0xc000_0103;

    /** Where XSAVES is. */
    private static final int XSS = 0xda0;

    /** AMD's. */
    private static final int PERF_CTL0 = 0xc001_0000, PERF_CTR0 = 0xc001_0004;

    private static final int HWCR = 0xc001_0015, PERF_EXTENDED = 0xc001_0200;

    /**
     * Registers that kernels look at on every processor of the family without a thought that they
     * may be missing: they read as zero, and writes have no effect. P-states are limit, control,
     * status and eight definitions, none of them valid; TSEG is where system management mode would
     * live; the last two are ranges of settings of the parts of a core.
     */
    private static final int NB_CFG = 0xc001_001f, INT_PENDING = 0xc001_0055;

    private static final int MMIO_CFG_BASE = 0xc001_0058;
    private static final int PSTATE_LIMIT = 0xc001_0061, PSTATE_LAST = 0xc001_006b;
    private static final int SMM_BASE = 0xc001_0111, TSEG_MASK = 0xc001_0113;
    private static final int LS_CFG = 0xc001_1020, TW_CFG = 0xc001_1023;
    private static final int FP_CFG = 0xc001_1028, LS_CFG2 = 0xc001_102d, DE_CFG = 0xc001_1029;

    /** The TSC counts at the frequency of P-state 0, whatever the present one: always set. */
    private static final long HWCR_TSC_FREQ_SEL = 1 << 24;

    /**
     * The other bits that are there, as storage: SmmLock, TlbCacheDis, INVDWBINVD, FFDis, IgnneEm,
     * MonMwaitDis, MonMwaitUserEn, Wrap32Dis, McStatusWrEn, IoCfgGpFault, CpbDis.
     */
    private static final long HWCR_BITS =
            1
                    | 1 << 3
                    | 1 << 4
                    | 1 << 6
                    | 1 << 8
                    | Waiting.DISABLED
                    | Waiting.USER
                    | 1 << 17
                    | 1 << 18
                    | 1 << 20
                    | 1 << 25;

    private static final long HWCR_SMM_LOCK = 1;

    /** LFENCE waits for all instructions before it. */
    private static final long DE_CFG_LFENCE_SERIALIZE = 2;

    /** LBR and BTF are there; bits 2 to 6 have to be zero, the others read as zero. */
    private static final long DEBUG_CTL_BITS = 3, DEBUG_CTL_ZERO = 0x7c;

    private static final long APIC_BSP = 1 << 8, APIC_X2APIC = 1 << 10, APIC_ENABLE = 1 << 11;

    /** The local APIC's own: what serves them is on the other side of the intercept. */
    private static final int X2APIC = 0x800, X2APIC_LAST = 0x8ff, TSC_DEADLINE = 0x6e0;

    private Msrs() {}

    static boolean apicEnabled(Cpu cpu) {
        return (cpu.msr[X86.APIC_BASE] & APIC_ENABLE) != 0;
    }

    /** The time-stamp counter as the guest sees it. */
    static long timeStamp(Cpu cpu) {
        return cpu.block.time.ticks(cpu.retired) + cpu.msr[X86.TSC_OFFSET];
    }

    /** Whether a register is the VMM's: intercepted, and announced. */
    private static boolean intercepted(Cpu cpu, int number) {
        if (cpu.proceed || !cpu.block.registers.contains(number & 0xffff_ffffL)) {
            return false;
        }
        if (number >= X2APIC && number <= X2APIC_LAST) {
            return cpu.model.x2apic();
        }
        return number != TSC_DEADLINE || cpu.model.deadlineTimer();
    }

    static long read(Cpu cpu, int number) {
        if (intercepted(cpu, number)) {
            return cpu.access(Space.REGISTER, number & 0xffff_ffffL, 8, false, 0);
        }
        int place = MemoryTypes.place(number);
        if (place != MemoryTypes.NONE) {
            return MemoryTypes.read(cpu, place);
        }
        place = MachineCheck.place(number);
        if (place == MachineCheck.NONE) {
            place = stored(cpu, number);
        }
        if (place >= 0) {
            return cpu.msr[place];
        }
        int counter = counter(cpu, number);
        if (counter >= 0) {
            return counter < Counters.COUNT
                    ? cpu.msr[X86.PERF_CTL0 + counter]
                    : cpu.counters.read(counter - Counters.COUNT);
        }
        return switch (number) {
            case TSC -> timeStamp(cpu);
            case EFER -> cpu.efer;
            case FS_BASE -> cpu.segmentBase[FS];
            case GS_BASE -> cpu.segmentBase[GS];
            case MTRR_CAP -> MemoryTypes.CAPABILITIES;
            case XSS -> {
                requireXsaves(cpu, 0);
                yield cpu.extended[X86.XSS];
            }
            case PATCH_LEVEL -> 1;
            case HWCR -> cpu.msr[X86.HWCR] | HWCR_TSC_FREQ_SEL;
            case DE_CFG -> DE_CFG_LFENCE_SERIALIZE;
            default -> {
                if (MachineCheck.isCapabilities(number)) {
                    yield MachineCheck.capabilities();
                }
                if (!readsZero(number)) {
                    throw cpu.generalProtection(0);
                }
                yield 0;
            }
        };
    }

    private static boolean readsZero(int number) {
        return number == NB_CFG
                || number == INT_PENDING
                || number == MMIO_CFG_BASE
                || number >= PSTATE_LIMIT && number <= PSTATE_LAST
                || number >= SMM_BASE && number <= TSEG_MASK
                || number >= LS_CFG && number <= TW_CFG
                || number >= FP_CFG && number <= LS_CFG2;
    }

    static void write(Cpu cpu, int number, long value) {
        if (intercepted(cpu, number)) {
            cpu.access(Space.REGISTER, number & 0xffff_ffffL, 8, true, value);
            return;
        }
        int place = MemoryTypes.place(number);
        if (place != MemoryTypes.NONE) {
            MemoryTypes.write(cpu, number, place, value);
            return;
        }
        place = MachineCheck.place(number);
        if (place != MachineCheck.NONE) {
            MachineCheck.write(cpu, place, value);
            return;
        }
        place = stored(cpu, number);
        if (place >= 0) {
            cpu.msr[place] = checked(cpu, number, value);
            if (place == X86.APIC_BASE || place == X86.TSC_OFFSET) {
                cpu.interrupts.coreRegister(place, cpu.msr[place]);
            }
            return;
        }
        int counter = counter(cpu, number);
        if (counter >= Counters.COUNT) {
            cpu.counters.write(counter - Counters.COUNT, value);
        } else if (counter >= 0) {
            cpu.counters.control(counter, value);
        } else {
            writeOther(cpu, number, value);
        }
    }

    private static void writeOther(Cpu cpu, int number, long value) {
        switch (number) {
            case TSC -> {
                cpu.msr[X86.TSC_OFFSET] += value - timeStamp(cpu);
                cpu.interrupts.coreRegister(X86.TSC_OFFSET, cpu.msr[X86.TSC_OFFSET]);
            }
            case EFER -> ControlRegisters.writeEfer(cpu, value);
            case FS_BASE -> cpu.segmentBase[FS] = canonical(cpu, value);
            case GS_BASE -> cpu.segmentBase[GS] = canonical(cpu, value);
            case XSS -> {
                requireXsaves(cpu, value);
                cpu.extended[X86.XSS] = value;
            }
            case HWCR -> cpu.msr[X86.HWCR] = value & HWCR_BITS | cpu.msr[X86.HWCR] & HWCR_SMM_LOCK;
            case PATCH_LEVEL, DE_CFG -> {}
            default -> {
                if (!readsZero(number)) {
                    throw cpu.generalProtection(0);
                }
            }
        }
    }

    /** Index in the group MSRS of a register that is little more than storage, or -1. */
    private static int stored(Cpu cpu, int number) {
        if (number >= SYSENTER_CS && number <= SYSENTER_CS + 2) {
            return X86.SYSENTER_CS + number - SYSENTER_CS;
        }
        if (number >= STAR && number <= SFMASK) {
            return X86.STAR + number - STAR;
        }
        if (number >= LAST_BRANCH_FROM && number <= LAST_INT_TO) {
            return X86.LAST_BRANCH_FROM + number - LAST_BRANCH_FROM;
        }
        return switch (number) {
            case APIC_BASE -> X86.APIC_BASE;
            // The counter is the VM's clock plus this, so the adjustment is the offset itself.
            case TSC_ADJUST -> cpu.model.has(7, Feature.EBX, 1) ? X86.TSC_OFFSET : -1;
            case DEBUG_CTL -> X86.DEBUG_CTL;
            case KERNEL_GS_BASE -> X86.KERNEL_GS_BASE;
            case TSC_AUX -> cpu.model.has(Feature.RDTSCP) ? X86.TSC_AUX : -1;
            default -> -1;
        };
    }

    private static void requireXsaves(Cpu cpu, long components) {
        if (!cpu.model.has(Feature.XSAVES) || (components & ~cpu.model.xssBits()) != 0) {
            throw cpu.generalProtection(0);
        }
    }

    /**
     * Number of an event select, or {@link Counters#COUNT} more for the counter itself; -1 if it is
     * neither.
     */
    private static int counter(Cpu cpu, int number) {
        if (number >= PERF_CTL0 && number < PERF_CTL0 + 4) {
            return number - PERF_CTL0;
        }
        if (number >= PERF_CTR0 && number < PERF_CTR0 + 4) {
            return Counters.COUNT + number - PERF_CTR0;
        }
        int at = number - PERF_EXTENDED;
        if (at < 0 || at >= 2 * Counters.COUNT || !cpu.counters.extended()) {
            return -1;
        }
        return (at & 1) * Counters.COUNT + (at >> 1);
    }

    /** The value to store in one of {@link #stored}. */
    private static long checked(Cpu cpu, int number, long value) {
        boolean fits =
                switch (number) {
                    case LSTAR, CSTAR, KERNEL_GS_BASE, SYSENTER_CS + 1, SYSENTER_CS + 2 ->
                            Segments.canonical(cpu, value);
                    case TSC_AUX -> value >>> 32 == 0;
                    case APIC_BASE -> apicBase(cpu, value);
                    case DEBUG_CTL -> (value & DEBUG_CTL_ZERO) == 0;
                    // What was recorded can only be read (13.1.1.7).
                    default -> number < LAST_BRANCH_FROM || number > LAST_INT_TO;
                };
        if (!fits) {
            throw cpu.generalProtection(0);
        }
        return switch (number) {
            case APIC_BASE -> value & ~APIC_BSP | cpu.msr[X86.APIC_BASE] & APIC_BSP;
            case DEBUG_CTL -> value & DEBUG_CTL_BITS;
            default -> value;
        };
    }

    /**
     * Reserved bits, and the ways between the modes (APM volume 2, 16.9.1): x2APIC mode is entered
     * from xAPIC mode only, and left only by disabling the APIC.
     */
    private static boolean apicBase(Cpu cpu, long value) {
        long reserved = cpu.model.x2apic() ? 0x2ff : 0x6ff;
        if (value >>> cpu.model.physicalBits() != 0 || (value & reserved) != 0) {
            return false;
        }
        long old = cpu.msr[X86.APIC_BASE];
        if ((value & APIC_X2APIC) != 0) {
            return (value & APIC_ENABLE) != 0 && (old & APIC_ENABLE) != 0;
        }
        return (old & APIC_X2APIC) == 0 || (value & APIC_ENABLE) == 0;
    }

    private static long canonical(Cpu cpu, long value) {
        if (!Segments.canonical(cpu, value)) {
            throw cpu.generalProtection(0);
        }
        return value;
    }
}

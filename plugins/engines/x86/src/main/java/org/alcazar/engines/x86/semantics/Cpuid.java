package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RBX;
import static org.alcazar.engines.x86.api.X86.RCX;
import static org.alcazar.engines.x86.api.X86.RDX;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.state.XState;
import org.alcazar.machine.Space;

/** CPUID: the model's leaves with what depends on the core's state. */
final class Cpuid {
    private static final int OSXSAVE = 1 << 27;
    private static final int OSPKE = 1 << 4;
    private static final int MONITOR = 1 << 3;
    private static final int APIC = 1 << 9;

    /** Function 1, EDX: there are several logical processors in the package. */
    private static final int HTT = 1 << 28;

    /** Function 8000_0001h, ECX: these are cores, not threads. */
    private static final int CMP_LEGACY = 1 << 1;

    private static final int EXTENDED_FEATURES = 0x8000_0001, SIZES = 0x8000_0008;
    private static final int LAST_LEVEL_CACHE = 3;

    /** Extended topology, and AMD's own form of it. */
    private static final int TOPOLOGY = 0xb, IDENTITY = 0x8000_001e;

    private static final int XSAVE = 0xd;

    private Cpuid() {}

    static void execute(Cpu cpu) {
        if (cpu.accesses.hasNext()) {
            // The VMM has answered: the results are in the registers already.
            cpu.accesses.next();
            return;
        }
        int leaf = (int) cpu.gpr[RAX];
        int subLeaf = (int) cpu.gpr[RCX];
        cpu.intercept(Intercept.CPUID, leaf & 0xffff_ffffL, subLeaf & 0xffff_ffffL);
        long address = leaf & 0xffff_ffffL | (long) subLeaf << 32;
        if (!cpu.proceed
                && (cpu.block.features.contains(leaf & 0xffff_ffffL)
                        || cpu.block.features.contains(address))) {
            cpu.access(Space.FEATURE, address, 4, false, 0);
            return;
        }
        int[] found = cpu.model.leaf(leaf, subLeaf);
        cpu.gpr[RAX] = (found[0] | eax(cpu, leaf, subLeaf)) & 0xffff_ffffL;
        int ecx = found[1] & ~disabled(cpu, leaf) | ecx(cpu, leaf, subLeaf);
        cpu.gpr[RCX] = ecx & 0xffff_ffffL;
        cpu.gpr[RDX] = (found[2] & ~hidden(cpu, leaf) | edx(cpu, leaf)) & 0xffff_ffffL;
        cpu.gpr[RBX] = (found[3] | ebx(cpu, leaf, subLeaf)) & 0xffff_ffffL;
    }

    /** What the system has switched off. */
    private static int disabled(Cpu cpu, int leaf) {
        return leaf == 1 && (cpu.msr[X86.HWCR] & Waiting.DISABLED) != 0 ? MONITOR : 0;
    }

    /** Bits of the local APIC's identifier that tell the cores of the package apart. */
    private static int coreBits(Cpu cpu) {
        return 32 - Integer.numberOfLeadingZeros(cpu.cores - 1);
    }

    /** The identifier; its bits below the package; the last cache is shared by all cores. */
    private static int eax(Cpu cpu, int leaf, int subLeaf) {
        return switch (leaf) {
            case IDENTITY -> cpu.model.topology() ? cpu.index : 0;
            case TOPOLOGY -> subLeaf == 1 && cpu.model.has(Feature.XSAVE) ? coreBits(cpu) : 0;
            case CpuModel.CACHES -> subLeaf == LAST_LEVEL_CACHE ? cpu.cores - 1 << 14 : 0;
            default -> 0;
        };
    }

    /** What the system has switched on; the topology's level; the number of cores. */
    private static int ecx(Cpu cpu, int leaf, int subLeaf) {
        return switch (leaf) {
            case TOPOLOGY -> cpu.model.has(Feature.XSAVE) ? subLeaf & 0xff : 0;
            case EXTENDED_FEATURES -> cpu.cores > 1 ? CMP_LEGACY : 0;
            case SIZES -> cpu.cores - 1 | coreBits(cpu) << 12;
            case 1 -> (cpu.cr4 & Bits.CR4_OSXSAVE) != 0 ? OSXSAVE : 0;
            case 7 -> subLeaf == 0 && (cpu.cr4 & Bits.CR4_PKE) != 0 ? OSPKE : 0;
            default -> 0;
        };
    }

    /**
     * The local APIC's identifier, the logical processors of the package; bytes that XSAVE and
     * XSAVEC write with what is switched on.
     */
    private static int ebx(Cpu cpu, int leaf, int subLeaf) {
        switch (leaf) {
            case 1 -> {
                return cpu.index << 24 | cpu.cores << 16;
            }
            case TOPOLOGY -> {
                return subLeaf == 1 && cpu.model.has(Feature.XSAVE) ? cpu.cores : 0;
            }
            case IDENTITY -> {
                return cpu.model.topology() ? cpu.index : 0;
            }
            default -> {}
        }
        if (leaf != XSAVE || !cpu.model.has(Feature.XSAVE)) {
            return 0;
        }
        return switch (subLeaf) {
            case 0 -> XState.standardSize(cpu.xcr0);
            case 1 -> XState.compactSize(cpu.xcr0 | cpu.extended[X86.XSS]);
            default -> 0;
        };
    }

    /** The local APIC's identifier whole, at every level of the topology; several cores. */
    private static int edx(Cpu cpu, int leaf) {
        if (leaf == 1) {
            return cpu.cores > 1 ? HTT : 0;
        }
        return leaf == TOPOLOGY && cpu.model.has(Feature.XSAVE) ? cpu.index : 0;
    }

    /** The APIC bit follows APIC_BASE. */
    private static int hidden(Cpu cpu, int leaf) {
        boolean tells = leaf == 1 || leaf == 0x8000_0001;
        return tells && !Msrs.apicEnabled(cpu) ? APIC : 0;
    }
}

package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RCX;
import static org.alcazar.engines.x86.api.X86.RDX;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.XState;

import java.util.Arrays;

/**
 * XSAVE and its relatives, XCR0, and protection keys' rights (APM volume 2, 11.5 and 5.6.7; volume
 * 4, XSAVE and following; SDM volume 1, chapter 13 where the former is silent).
 *
 * <p>What is in its initial state is found by looking, not tracked.
 */
public final class ExtendedState {
    private static final long COMPACTED = 1L << 63;
    private static final int XSTATE_BV = XState.HEADER, XCOMP_BV = XState.HEADER + 8;
    private static final int INITIAL_FCW = 0x37f, INITIAL_MXCSR = 0x1f80;
    private static final int ALIGNMENT = 63;

    private ExtendedState() {}

    // ---- XCR0 and IA32_XSS

    public static void xgetbv(Cpu cpu, Instruction insn) {
        requireEnabled(cpu);
        int number = (int) cpu.gpr[RCX];
        if (number != 0 && number != 1) {
            throw cpu.generalProtection(0);
        }
        long value = number == 0 ? cpu.xcr0 : cpu.xcr0 & inUse(cpu);
        cpu.gpr[RAX] = value & 0xffff_ffffL;
        cpu.gpr[RDX] = value >>> 32;
    }

    public static void xsetbv(Cpu cpu, Instruction insn) {
        requireEnabled(cpu);
        if (cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
        int number = (int) cpu.gpr[RCX];
        long value = selected(cpu);
        cpu.intercept(Intercept.XSETBV, number & 0xffff_ffffL, value);
        boolean upperHalves = (value & XState.YMM) != 0;
        long wide = value & XState.AVX512;
        if (number != 0
                || (value & ~cpu.model.xcr0Bits()) != 0
                || (value & XState.X87) == 0
                || upperHalves && (value & XState.SSE) == 0
                || wide != 0 && (wide != XState.AVX512 || !upperHalves)) {
            throw cpu.generalProtection(0);
        }
        cpu.xcr0 = value;
    }

    /** EDX:EAX. */
    private static long selected(Cpu cpu) {
        return cpu.gpr[RAX] & 0xffff_ffffL | cpu.gpr[RDX] << 32;
    }

    private static void requireEnabled(Cpu cpu) {
        if ((cpu.cr4 & Bits.CR4_OSXSAVE) == 0) {
            throw cpu.undefinedOpcode();
        }
    }

    // ---- what is in use

    /** Components that are not in their initial state. */
    private static long inUse(Cpu cpu) {
        long found = usesX87(cpu) ? XState.X87 : 0;
        found |= anyUsed(cpu.xmm, 0, cpu.xmm.length) ? XState.SSE : 0;
        for (int i = 2; i < XState.COUNT; i++) {
            int longs = XState.size(i) / 8;
            boolean used = longs != 0 && anyUsed(cpu.extended, XState.index(i), longs);
            found |= used ? 1L << i : 0;
        }
        return found;
    }

    private static boolean usesX87(Cpu cpu) {
        if (cpu.fcw != INITIAL_FCW || X87.statusWord(cpu) != 0 || cpu.ftw != 0xffff) {
            return true;
        }
        if (cpu.fop != 0 || cpu.fip != 0 || cpu.fdp != 0) {
            return true;
        }
        for (int i = 0; i < 8; i++) {
            if (cpu.fpSignificand[i] != 0 || cpu.fpExponent[i] != 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean anyUsed(long[] values, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (values[i] != 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Longs of a component that there are in the present mode: registers 8 and up exist in 64-bit
     * mode only.
     */
    private static int longs(Cpu cpu, int component) {
        int all = XState.size(component) / 8;
        if (cpu.code64()) {
            return all;
        }
        return switch (1 << component) {
            case (int) XState.YMM, 1 << 6 -> all / 2;
            case 1 << 7 -> 0;
            default -> all;
        };
    }

    // ---- XSAVE

    public static void xsave(Cpu cpu, Instruction insn) {
        saveStandard(cpu, insn, false);
    }

    /**
     * Leaves out what is in its initial state; what has not been modified is written none the less.
     */
    public static void xsaveopt(Cpu cpu, Instruction insn) {
        saveStandard(cpu, insn, true);
    }

    private static void requireAvailable(Cpu cpu) {
        requireEnabled(cpu);
        if ((cpu.cr0 & Bits.CR0_TS) != 0) {
            throw cpu.fault(Bits.NM);
        }
    }

    /** Linear address of an area, which must be aligned to 64 bytes. */
    private static long area(Cpu cpu, Instruction insn, int bytes, boolean write) {
        long la = Operands.linear(cpu, insn, bytes, write);
        if ((la & ALIGNMENT) != 0) {
            throw cpu.generalProtection(0);
        }
        return la;
    }

    private static void saveStandard(Cpu cpu, Instruction insn, boolean optimized) {
        requireAvailable(cpu);
        long asked = cpu.xcr0 & selected(cpu);
        long la = area(cpu, insn, XState.standardSize(asked), true);
        long used = asked & inUse(cpu);
        long saved = optimized ? used : asked;
        FxSave.probe(cpu, la + XSTATE_BV, 8);
        boolean mxcsr = (asked & (XState.SSE | XState.YMM)) != 0;
        if (mxcsr) {
            FxSave.probe(cpu, la + FxSave.MXCSR, 8);
        }
        probe(cpu, la, saved, saved, false);
        long old = cpu.mmu.read64(la + XSTATE_BV);
        save(cpu, insn, la, saved, saved, false);
        if (mxcsr) {
            FxSave.saveMxcsr(cpu, la);
        }
        cpu.mmu.write64(la + XSTATE_BV, old & ~asked | used);
    }

    public static void xsavec(Cpu cpu, Instruction insn) {
        requireAvailable(cpu);
        saveCompacted(cpu, insn, cpu.xcr0);
    }

    public static void xsaves(Cpu cpu, Instruction insn) {
        requireAvailable(cpu);
        if (cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
        saveCompacted(cpu, insn, cpu.xcr0 | cpu.extended[X86.XSS]);
    }

    /**
     * Components that are asked for have their place, those in their initial state are left out.
     */
    private static void saveCompacted(Cpu cpu, Instruction insn, long enabled) {
        long asked = enabled & selected(cpu);
        long la = area(cpu, insn, XState.compactSize(asked), true);
        long used = inUse(cpu) | (cpu.mxcsr != INITIAL_MXCSR ? XState.SSE : 0);
        long saved = asked & used;
        FxSave.probe(cpu, la + XSTATE_BV, 16);
        boolean sse = (saved & XState.SSE) != 0;
        if (sse) {
            FxSave.probe(cpu, la + FxSave.MXCSR, 8);
        }
        probe(cpu, la, saved, asked, true);
        save(cpu, insn, la, saved, asked, true);
        if (sse) {
            FxSave.saveMxcsr(cpu, la);
        }
        cpu.mmu.write64(la + XSTATE_BV, saved);
        cpu.mmu.write64(la + XCOMP_BV, asked | COMPACTED);
    }

    /** Raises what writing the components raises. */
    private static void probe(Cpu cpu, long la, long saved, long layout, boolean compact) {
        if ((saved & XState.X87) != 0) {
            FxSave.probe(cpu, la, XState.size(0));
        }
        if ((saved & XState.SSE) != 0) {
            FxSave.probe(cpu, la + XState.offset(1), XState.size(1));
        }
        for (int i = 2; i < XState.COUNT; i++) {
            int bytes = 8 * longs(cpu, i);
            if ((saved >>> i & 1) != 0 && bytes != 0) {
                FxSave.probe(cpu, place(la, i, layout, compact), bytes);
            }
        }
    }

    private static void save(
            Cpu cpu, Instruction insn, long la, long saved, long layout, boolean compact) {
        if ((saved & XState.X87) != 0) {
            FxSave.saveX87(cpu, la, insn.operandSize == 8);
        }
        if ((saved & XState.SSE) != 0) {
            FxSave.saveSse(cpu, la);
        }
        for (int i = 2; i < XState.COUNT; i++) {
            if ((saved >>> i & 1) != 0) {
                long at = place(la, i, layout, compact);
                int count = longs(cpu, i);
                for (int k = 0; k < count; k++) {
                    cpu.mmu.write64(at + 8 * k, cpu.extended[XState.index(i) + k]);
                }
            }
        }
    }

    /** Where a component lies; in the compacted format behind those of the layout before it. */
    private static long place(long la, int component, long layout, boolean compact) {
        return la
                + (compact
                        ? XState.compactSize(layout & (1L << component) - 1)
                        : XState.offset(component));
    }

    // ---- XRSTOR

    public static void xrstor(Cpu cpu, Instruction insn) {
        requireAvailable(cpu);
        restore(cpu, insn, cpu.xcr0, false);
    }

    public static void xrstors(Cpu cpu, Instruction insn) {
        requireAvailable(cpu);
        if (cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
        restore(cpu, insn, cpu.xcr0 | cpu.extended[X86.XSS], true);
    }

    private static void restore(Cpu cpu, Instruction insn, long enabled, boolean supervisor) {
        long asked = enabled & selected(cpu);
        long la = area(cpu, insn, XState.EXTENDED, false);
        long present = cpu.mmu.read64(la + XSTATE_BV);
        long layout = cpu.mmu.read64(la + XCOMP_BV);
        boolean compact = layout < 0;
        if (supervisor && !compact || !headerFits(cpu, la, enabled, present, layout)) {
            throw cpu.generalProtection(0);
        }
        layout &= ~COMPACTED;
        int bytes = compact ? XState.compactSize(layout) : XState.standardSize(asked & present);
        area(cpu, insn, bytes, false);
        int mxcsr = mxcsr(cpu, la, asked, present, compact);
        FxSave.checkMxcsr(cpu, mxcsr);
        touch(cpu, la, asked & present, layout, compact);
        cpu.mxcsr = mxcsr;
        restoreLegacy(cpu, insn, la, asked, present);
        for (int i = 2; i < XState.COUNT; i++) {
            if ((asked >>> i & 1) != 0) {
                restore(cpu, i, (present >>> i & 1) != 0, place(la, i, layout, compact));
            }
        }
        if ((asked & XState.PKRU) != 0) {
            cpu.extended[X86.PKRU] &= 0xffff_ffffL;
            cpu.mmu.keysChanged();
        }
    }

    private static boolean headerFits(Cpu cpu, long la, long enabled, long present, long layout) {
        if (layout >= 0) {
            return (present & ~enabled) == 0 && layout == 0 && cpu.mmu.read64(la + 528) == 0;
        }
        long components = layout & ~COMPACTED;
        boolean fits = (components & ~enabled) == 0 && (present & ~components) == 0;
        for (int at = 528; at < XState.EXTENDED; at += 8) {
            fits &= cpu.mmu.read64(la + at) == 0;
        }
        return fits;
    }

    /**
     * MXCSR as it will be. The standard format has it whenever SSE or AVX is asked for, present or
     * not; the compacted one treats it as part of SSE.
     */
    private static int mxcsr(Cpu cpu, long la, long asked, long present, boolean compact) {
        if (!compact) {
            boolean loads = (asked & (XState.SSE | XState.YMM)) != 0;
            return loads ? cpu.mmu.read32(la + FxSave.MXCSR) : cpu.mxcsr;
        }
        if ((asked & XState.SSE) == 0) {
            return cpu.mxcsr;
        }
        return (present & XState.SSE) != 0 ? cpu.mmu.read32(la + FxSave.MXCSR) : INITIAL_MXCSR;
    }

    /** Raises what reading the components raises. */
    private static void touch(Cpu cpu, long la, long loaded, long layout, boolean compact) {
        if ((loaded & XState.X87) != 0) {
            cpu.mmu.read8(la);
            cpu.mmu.read8(la + XState.size(0) - 1);
        }
        if ((loaded & XState.SSE) != 0) {
            cpu.mmu.read8(la + XState.offset(1));
            cpu.mmu.read8(la + XState.offset(1) + XState.size(1) - 1);
        }
        for (int i = 2; i < XState.COUNT; i++) {
            int bytes = 8 * longs(cpu, i);
            if ((loaded >>> i & 1) != 0 && bytes != 0) {
                long at = place(la, i, layout, compact);
                cpu.mmu.read8(at);
                cpu.mmu.read8(at + bytes - 1);
            }
        }
    }

    private static void restoreLegacy(
            Cpu cpu, Instruction insn, long la, long asked, long present) {
        if ((asked & present & XState.X87) != 0) {
            FxSave.restoreX87(cpu, la, insn.operandSize == 8);
        } else if ((asked & XState.X87) != 0) {
            X87.reset(cpu);
            Arrays.fill(cpu.fpSignificand, 0);
            Arrays.fill(cpu.fpExponent, 0);
        }
        if ((asked & present & XState.SSE) != 0) {
            FxSave.restoreSse(cpu, la);
        } else if ((asked & XState.SSE) != 0) {
            Arrays.fill(cpu.xmm, 0, cpu.code64() ? 32 : 16, 0);
        }
    }

    private static void restore(Cpu cpu, int component, boolean present, long at) {
        int first = XState.index(component);
        int count = longs(cpu, component);
        for (int k = 0; k < count; k++) {
            cpu.extended[first + k] = present ? cpu.mmu.read64(at + 8 * k) : 0;
        }
    }

    // ---- protection keys

    private static void requireKeys(Cpu cpu) {
        if ((cpu.cr4 & Bits.CR4_PKE) == 0) {
            throw cpu.undefinedOpcode();
        }
        if ((int) cpu.gpr[RCX] != 0) {
            throw cpu.generalProtection(0);
        }
    }

    public static void rdpkru(Cpu cpu, Instruction insn) {
        requireKeys(cpu);
        cpu.gpr[RAX] = cpu.extended[X86.PKRU];
        cpu.gpr[RDX] = 0;
    }

    public static void wrpkru(Cpu cpu, Instruction insn) {
        requireKeys(cpu);
        if ((int) cpu.gpr[RDX] != 0) {
            throw cpu.generalProtection(0);
        }
        cpu.extended[X86.PKRU] = cpu.gpr[RAX] & 0xffff_ffffL;
        cpu.mmu.keysChanged();
    }
}

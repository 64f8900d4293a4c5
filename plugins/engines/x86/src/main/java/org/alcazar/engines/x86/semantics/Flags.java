package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** Instructions that set single flags (APM volume 3). */
public final class Flags {
    private Flags() {}

    public static void clc(Cpu cpu, Instruction insn) {
        cpu.setCarry(false);
    }

    public static void stc(Cpu cpu, Instruction insn) {
        cpu.setCarry(true);
    }

    public static void cmc(Cpu cpu, Instruction insn) {
        cpu.setCarry(!cpu.carry());
    }

    public static void cld(Cpu cpu, Instruction insn) {
        cpu.flags &= ~Bits.DF;
    }

    public static void std(Cpu cpu, Instruction insn) {
        cpu.flags |= Bits.DF;
    }

    /** CLI: with CR4.VME or CR4.PVI it clears VIF where IOPL does not allow IF. */
    public static void cli(Cpu cpu, Instruction insn) {
        if (allowed(cpu)) {
            cpu.flags &= ~Bits.IF;
        } else if (virtual(cpu)) {
            cpu.flags &= ~Bits.VIF;
        } else {
            throw cpu.generalProtection(0);
        }
    }

    /** STI: interrupts stay off for one more instruction if they were off. */
    public static void sti(Cpu cpu, Instruction insn) {
        if (allowed(cpu)) {
            if ((cpu.flags & Bits.IF) == 0) {
                cpu.flags |= Bits.IF;
                cpu.shadow = 1;
            }
        } else if (virtual(cpu) && (cpu.flags & Bits.VIP) == 0) {
            cpu.flags |= Bits.VIF;
        } else {
            throw cpu.generalProtection(0);
        }
    }

    private static boolean allowed(Cpu cpu) {
        return !cpu.protectedMode() || cpu.cpl <= (cpu.flags & Bits.IOPL) >> 12;
    }

    private static boolean virtual(Cpu cpu) {
        return cpu.cpl == 3
                && (cpu.virtual8086()
                        ? (cpu.cr4 & Bits.CR4_VME) != 0
                        : (cpu.cr4 & Bits.CR4_PVI) != 0);
    }
}

package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RCX;

import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * MONITOR and MWAIT, and MONITORX and MWAITX, which every privilege may use (APM volume 3). The
 * core waits as in HLT, until an interrupt or a store to the page of the line.
 */
public final class Waiting {
    private static final int ANY_INTERRUPT = 1, TIMER = 2;

    /** HWCR.MonMwaitDis: MONITOR and MWAIT are not there. */
    static final long DISABLED = 1 << 9;

    /** HWCR.MonMwaitUserEn: every privilege may use them. */
    static final long USER = 1 << 10;

    private Waiting() {}

    private static void requirePermission(Cpu cpu) {
        long hwcr = cpu.msr[X86.HWCR];
        if ((hwcr & DISABLED) != 0 || cpu.cpl != 0 && (hwcr & USER) == 0) {
            throw cpu.undefinedOpcode();
        }
    }

    public static void monitor(Cpu cpu, Instruction insn) {
        requirePermission(cpu);
        monitorx(cpu, insn);
    }

    public static void monitorx(Cpu cpu, Instruction insn) {
        if ((int) cpu.gpr[RCX] != 0) {
            throw cpu.generalProtection(0);
        }
        long offset = Operands.truncate(cpu.gpr[RAX], insn.addressSize);
        long la = Segments.linear(cpu, insn.segment, offset, 1, false);
        cpu.mmu.read8(la);
        cpu.monitor.arm(cpu.mmu.bulk.read(la, 1));
    }

    public static void mwait(Cpu cpu, Instruction insn) {
        requirePermission(cpu);
        await(cpu, ANY_INTERRUPT);
    }

    /** With a time limit, which may pass early, it does not wait at all. */
    public static void mwaitx(Cpu cpu, Instruction insn) {
        await(cpu, ANY_INTERRUPT | TIMER);
    }

    private static void await(Cpu cpu, int known) {
        int extensions = (int) cpu.gpr[RCX];
        if ((extensions & ~known) != 0) {
            throw cpu.generalProtection(0);
        }
        cpu.intercept(Intercept.MWAIT, 0, 0);
        cpu.monitor.anyInterrupt = (extensions & ANY_INTERRUPT) != 0;
        if ((extensions & TIMER) == 0 && cpu.monitor.quiet()) {
            cpu.activity = X86.MONITORING;
        } else {
            cpu.monitor.end();
        }
    }
}

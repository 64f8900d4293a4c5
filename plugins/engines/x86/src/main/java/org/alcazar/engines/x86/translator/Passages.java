package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.FarTransfers;
import org.alcazar.engines.x86.state.Cpu;

/**
 * System calls and their returns, with all registers in the core's state and RIP behind the
 * instruction. Each returns false with nothing done where it would raise something or exit.
 */
final class Passages {
    private Passages() {}

    static boolean syscall(Cpu cpu, Instruction insn) {
        boolean intercepted = (cpu.block.instructions & 1L << Intercept.SYSCALL) != 0;
        if (intercepted || (cpu.efer & Bits.EFER_SCE) == 0 || !cpu.code64()) {
            return false;
        }
        FarTransfers.syscall(cpu, insn);
        return true;
    }

    static boolean sysret(Cpu cpu, Instruction insn) {
        if ((cpu.efer & Bits.EFER_SCE) == 0 || cpu.cpl != 0 || !cpu.code64()) {
            return false;
        }
        FarTransfers.sysret(cpu, insn);
        return true;
    }
}

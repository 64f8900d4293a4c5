package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** x87 control instructions, exchanges and conditional moves. */
public final class X87Control {
    private X87Control() {}

    public static void fxch(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        boolean missing = X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i);
        if (missing && !X87.stackFault(cpu, false)) {
            return;
        }
        Float80 a = X87.isEmpty(cpu, 0) ? Float80.INDEFINITE : X87.get(cpu, 0);
        Float80 b = X87.isEmpty(cpu, i) ? Float80.INDEFINITE : X87.get(cpu, i);
        X87.clearC1(cpu);
        X87.set(cpu, 0, b);
        X87.set(cpu, i, a);
    }

    public static void ffree(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        X87.free(cpu, insn.modrm & 7);
        X87.clearC1(cpu);
    }

    public static void ffreep(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        X87.free(cpu, insn.modrm & 7);
        X87.clearC1(cpu);
        X87.pop(cpu);
    }

    public static void fincstp(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        cpu.fpTop = cpu.fpTop + 1 & 7;
        X87.clearC1(cpu);
    }

    public static void fdecstp(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        cpu.fpTop = cpu.fpTop - 1 & 7;
        X87.clearC1(cpu);
    }

    public static void fnop(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
    }

    /** WAIT: #NM if both CR0.MP and CR0.TS are set, whatever CR0.EM. */
    public static void fwait(Cpu cpu, Instruction insn) {
        long both = Bits.CR0_MP | Bits.CR0_TS;
        if ((cpu.cr0 & both) == both) {
            throw cpu.fault(Bits.NM);
        }
        X87.checkPending(cpu);
    }

    /** Instructions of the 8087 and 80287 that later processors ignore (FENI, FDISI, FSETPM). */
    public static void nop287(Cpu cpu, Instruction insn) {}

    public static void fcmovb(Cpu cpu, Instruction insn) {
        move(cpu, insn, cpu.carry());
    }

    public static void fcmove(Cpu cpu, Instruction insn) {
        move(cpu, insn, cpu.zero());
    }

    public static void fcmovbe(Cpu cpu, Instruction insn) {
        move(cpu, insn, cpu.carry() || cpu.zero());
    }

    public static void fcmovu(Cpu cpu, Instruction insn) {
        move(cpu, insn, cpu.parity());
    }

    public static void fcmovnb(Cpu cpu, Instruction insn) {
        move(cpu, insn, !cpu.carry());
    }

    public static void fcmovne(Cpu cpu, Instruction insn) {
        move(cpu, insn, !cpu.zero());
    }

    public static void fcmovnbe(Cpu cpu, Instruction insn) {
        move(cpu, insn, !cpu.carry() && !cpu.zero());
    }

    public static void fcmovnu(Cpu cpu, Instruction insn) {
        move(cpu, insn, !cpu.parity());
    }

    private static void move(Cpu cpu, Instruction insn, boolean condition) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        if (X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i)) {
            if (X87.stackFault(cpu, false)) {
                X87.set(cpu, 0, Float80.INDEFINITE);
            }
            return;
        }
        if (condition) {
            X87.set(cpu, 0, X87.get(cpu, i));
        }
    }

    public static void fninit(Cpu cpu, Instruction insn) {
        X87.reset(cpu);
    }

    public static void fnclex(Cpu cpu, Instruction insn) {
        X87.clearExceptions(cpu);
    }

    public static void fldcw(Cpu cpu, Instruction insn) {
        setControlWord(cpu, (int) X87.read(cpu, insn, 2));
    }

    static void setControlWord(Cpu cpu, int word) {
        cpu.fcw = word & 0x1f3f | 0x40;
        X87.updateSummary(cpu);
    }

    public static void fnstcw(Cpu cpu, Instruction insn) {
        cpu.mmu.write16(Operands.linear(cpu, insn, 2, true), cpu.fcw);
    }

    public static void fnstsw(Cpu cpu, Instruction insn) {
        cpu.mmu.write16(Operands.linear(cpu, insn, 2, true), X87.statusWord(cpu));
    }

    public static void fnstswAx(Cpu cpu, Instruction insn) {
        cpu.gpr[0] = cpu.gpr[0] & ~0xffffL | X87.statusWord(cpu);
    }
}

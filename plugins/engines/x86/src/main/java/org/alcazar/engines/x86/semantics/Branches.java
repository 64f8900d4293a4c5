package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Near transfers of control and the sixteen conditions (APM volume 3). The generic forms find
 * {@code cpu.rip} at the next instruction and set it to the target.
 */
public final class Branches {
    private static final int REPNE = 0xf2, REPE = 0xf3;

    private Branches() {}

    public static boolean o(Cpu cpu) {
        return cpu.overflow();
    }

    public static boolean no(Cpu cpu) {
        return !cpu.overflow();
    }

    public static boolean b(Cpu cpu) {
        return cpu.carry();
    }

    public static boolean ae(Cpu cpu) {
        return !cpu.carry();
    }

    public static boolean e(Cpu cpu) {
        return cpu.zero();
    }

    public static boolean ne(Cpu cpu) {
        return !cpu.zero();
    }

    public static boolean be(Cpu cpu) {
        return cpu.carry() || cpu.zero();
    }

    public static boolean a(Cpu cpu) {
        return !(cpu.carry() || cpu.zero());
    }

    public static boolean s(Cpu cpu) {
        return cpu.sign();
    }

    public static boolean ns(Cpu cpu) {
        return !cpu.sign();
    }

    public static boolean p(Cpu cpu) {
        return cpu.parity();
    }

    public static boolean np(Cpu cpu) {
        return !cpu.parity();
    }

    public static boolean l(Cpu cpu) {
        return cpu.sign() != cpu.overflow();
    }

    public static boolean ge(Cpu cpu) {
        return cpu.sign() == cpu.overflow();
    }

    public static boolean le(Cpu cpu) {
        return cpu.zero() || cpu.sign() != cpu.overflow();
    }

    public static boolean g(Cpu cpu) {
        return !cpu.zero() && cpu.sign() == cpu.overflow();
    }

    /** Condition by the low four bits of an opcode. */
    public static boolean condition(Cpu cpu, int code) {
        return switch (code & 15) {
            case 0 -> o(cpu);
            case 1 -> no(cpu);
            case 2 -> b(cpu);
            case 3 -> ae(cpu);
            case 4 -> e(cpu);
            case 5 -> ne(cpu);
            case 6 -> be(cpu);
            case 7 -> a(cpu);
            case 8 -> s(cpu);
            case 9 -> ns(cpu);
            case 10 -> p(cpu);
            case 11 -> np(cpu);
            case 12 -> l(cpu);
            case 13 -> ge(cpu);
            case 14 -> le(cpu);
            default -> g(cpu);
        };
    }

    /** Jcc. */
    public static void jcc(Cpu cpu, Instruction insn) {
        if (condition(cpu, insn.opcode)) {
            relative(cpu, insn);
        }
    }

    private static void relative(Cpu cpu, Instruction insn) {
        go(cpu, insn, cpu.rip + insn.immediate);
    }

    /** Sets RIP, truncated to the operand size; #GP(0) beyond the limit or if not canonical. */
    private static void go(Cpu cpu, Instruction insn, long target) {
        long rip = Memory.trim(target, insn.operandSize);
        check(cpu, insn, rip);
        cpu.rip = rip;
    }

    private static void check(Cpu cpu, Instruction insn, long rip) {
        boolean wrong =
                insn.mode == 64
                        ? !Segments.canonical(cpu, rip)
                        : Long.compareUnsigned(rip, cpu.segmentLimit[1]) > 0;
        if (wrong) {
            throw cpu.generalProtection(0);
        }
    }

    /** Near JMP, relative or indirect. */
    public static void jmp(Cpu cpu, Instruction insn) {
        if (insn.modrm < 0) {
            relative(cpu, insn);
        } else {
            go(cpu, insn, Operands.readRm(cpu, insn, insn.operandSize));
        }
    }

    /** Near CALL, relative or indirect. */
    public static void call(Cpu cpu, Instruction insn) {
        long next = cpu.rip;
        long target =
                insn.modrm < 0
                        ? next + insn.immediate
                        : Operands.readRm(cpu, insn, insn.operandSize);
        target = Memory.trim(target, insn.operandSize);
        Stack.probePush(cpu, insn.operandSize);
        check(cpu, insn, target);
        Stack.push(cpu, insn.operandSize, next);
        cpu.rip = target;
    }

    /** Near RET, with or without bytes to release. */
    public static void ret(Cpu cpu, Instruction insn) {
        long target = Stack.peek(cpu, insn.operandSize, 0);
        check(cpu, insn, target);
        int release = insn.row.operands().isEmpty() ? 0 : (int) insn.immediate & 0xffff;
        Stack.release(cpu, insn.operandSize + release);
        cpu.rip = target;
    }

    public static void loop(Cpu cpu, Instruction insn) {
        loop(cpu, insn, true);
    }

    /** A repeat prefix decides which ZF it wants, as with strings: no manual says so. */
    public static void loope(Cpu cpu, Instruction insn) {
        loop(cpu, insn, cpu.zero() == (insn.repeat != REPNE));
    }

    /** See {@link #loope}. */
    public static void loopne(Cpu cpu, Instruction insn) {
        loop(cpu, insn, cpu.zero() == (insn.repeat == REPE));
    }

    private static void loop(Cpu cpu, Instruction insn, boolean wanted) {
        long left = Memory.trim(cpu.gpr[1] - 1, insn.addressSize);
        if (left != 0 && wanted) {
            relative(cpu, insn);
        }
        Memory.setLow(cpu, 1, insn.addressSize, left);
    }

    public static void jcxz(Cpu cpu, Instruction insn) {
        if (Memory.trim(cpu.gpr[1], insn.addressSize) == 0) {
            relative(cpu, insn);
        }
    }
}

package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** x87 addition, subtraction, multiplication and division in all their operand forms. */
public final class X87Arithmetic {
    private static final int ADD = 0;
    private static final int MUL = 1;
    private static final int SUB = 2;
    private static final int SUBR = 3;
    private static final int DIV = 4;
    private static final int DIVR = 5;

    private X87Arithmetic() {}

    public static void fadd(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, ADD);
    }

    public static void faddTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, ADD);
    }

    public static void faddp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, ADD);
    }

    public static void fadd32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, ADD);
    }

    public static void fadd64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, ADD);
    }

    public static void fiadd16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, ADD);
    }

    public static void fiadd32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, ADD);
    }

    public static void fmul(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, MUL);
    }

    public static void fmulTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, MUL);
    }

    public static void fmulp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, MUL);
    }

    public static void fmul32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, MUL);
    }

    public static void fmul64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, MUL);
    }

    public static void fimul16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, MUL);
    }

    public static void fimul32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, MUL);
    }

    public static void fsub(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, SUB);
    }

    public static void fsubTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, SUB);
    }

    public static void fsubp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, SUB);
    }

    public static void fsub32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, SUB);
    }

    public static void fsub64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, SUB);
    }

    public static void fisub16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, SUB);
    }

    public static void fisub32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, SUB);
    }

    public static void fsubr(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, SUBR);
    }

    public static void fsubrTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, SUBR);
    }

    public static void fsubrp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, SUBR);
    }

    public static void fsubr32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, SUBR);
    }

    public static void fsubr64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, SUBR);
    }

    public static void fisubr16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, SUBR);
    }

    public static void fisubr32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, SUBR);
    }

    public static void fdiv(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, DIV);
    }

    public static void fdivTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, DIV);
    }

    public static void fdivp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, DIV);
    }

    public static void fdiv32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, DIV);
    }

    public static void fdiv64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, DIV);
    }

    public static void fidiv16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, DIV);
    }

    public static void fidiv32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, DIV);
    }

    public static void fdivr(Cpu cpu, Instruction insn) {
        toTop(cpu, insn, DIVR);
    }

    public static void fdivrTo(Cpu cpu, Instruction insn) {
        toOther(cpu, insn, DIVR);
    }

    public static void fdivrp(Cpu cpu, Instruction insn) {
        andPop(cpu, insn, DIVR);
    }

    public static void fdivr32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, DIVR);
    }

    public static void fdivr64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, DIVR);
    }

    public static void fidivr16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, DIVR);
    }

    public static void fidivr32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, DIVR);
    }

    /** ST(0) op ST(i) into ST(0). */
    private static void toTop(Cpu cpu, Instruction insn, int op) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        if (X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i)) {
            underflow(cpu, 0);
            return;
        }
        FloatStatus s = X87.status(cpu);
        X87.finish(cpu, s, 0, compute(op, X87.get(cpu, 0), X87.get(cpu, i), s));
    }

    /** ST(i) op ST(0) into ST(i). */
    private static boolean toOther(Cpu cpu, Instruction insn, int op) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        if (X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i)) {
            return underflow(cpu, i);
        }
        FloatStatus s = X87.status(cpu);
        return X87.finish(cpu, s, i, compute(op, X87.get(cpu, i), X87.get(cpu, 0), s));
    }

    private static void andPop(Cpu cpu, Instruction insn, int op) {
        if (toOther(cpu, insn, op)) {
            X87.pop(cpu);
        }
    }

    private static void real(Cpu cpu, Instruction insn, int bytes, int op) {
        long bits = X87.read(cpu, insn, bytes);
        X87.pointers(cpu, insn);
        if (X87.isEmpty(cpu, 0)) {
            underflow(cpu, 0);
            return;
        }
        FloatStatus s = X87.status(cpu);
        Float80 b = X87.ofBits(bits, bytes, s);
        X87.finish(cpu, s, 0, compute(op, X87.get(cpu, 0), b, s));
    }

    private static void integer(Cpu cpu, Instruction insn, int bytes, int op) {
        Float80 b = Float80.ofLong(X87.readSigned(cpu, insn, bytes));
        X87.pointers(cpu, insn);
        if (X87.isEmpty(cpu, 0)) {
            underflow(cpu, 0);
            return;
        }
        FloatStatus s = X87.status(cpu);
        X87.finish(cpu, s, 0, compute(op, X87.get(cpu, 0), b, s));
    }

    private static boolean underflow(Cpu cpu, int i) {
        boolean masked = X87.stackFault(cpu, false);
        if (masked) {
            X87.set(cpu, i, Float80.INDEFINITE);
        }
        return masked;
    }

    private static Float80 compute(int op, Float80 a, Float80 b, FloatStatus s) {
        return switch (op) {
            case ADD -> Float80.add(a, b, false, s);
            case MUL -> Float80.multiply(a, b, s);
            case SUB -> Float80.add(a, b, true, s);
            case SUBR -> Float80.add(b, a, true, s);
            case DIV -> Float80.divide(a, b, s);
            default -> Float80.divide(b, a, s);
        };
    }
}

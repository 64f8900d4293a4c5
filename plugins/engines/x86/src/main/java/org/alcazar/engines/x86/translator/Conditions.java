package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.semantics.Branches;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes branches on conditions: straight from the operands of the instruction that set the flags
 * where that is known, else by the flags themselves.
 */
final class Conditions {
    private static final String[] NAMES = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    static final int E = 4, NE = 5;
    private static final int B = 2, AE = 3, BE = 6, ABOVE = 7;
    private static final int S = 8, NS = 9, L = 12, GE = 13, LE = 14, G = 15;

    private static final ClassDesc CD_LONG_CLASS = Frame.desc(Long.class);
    private static final ClassDesc CD_INTEGER = Frame.desc(Integer.class);
    private static final ClassDesc BRANCHES = Frame.desc(Branches.class);

    private Conditions() {}

    /**
     * Jumps if a condition holds.
     *
     * @param kind of {@link DeferredFlags}, or -1 if a local variable has it
     * @return the kind afterwards
     */
    static int jump(CodeBuilder c, Frame frame, int kind, int condition, Label to) {
        if (kind > 0 && direct(c, kind, condition, to)) {
            return kind;
        }
        frame.settle(c, kind);
        c.aload(Frame.CPU_VAR);
        c.invokestatic(BRANCHES, NAMES[condition], MethodTypeDesc.of(CD_boolean, Frame.CPU));
        c.ifne(to);
        return DeferredFlags.NONE;
    }

    private static boolean direct(CodeBuilder c, int kind, int condition, Label to) {
        if ((kind & DeferredFlags.ROTATED) != 0) {
            return switch (condition) {
                case E, NE, S, NS -> {
                    int first = kind & DeferredFlags.FIRST;
                    yield first != DeferredFlags.NONE && direct(c, first, condition, to);
                }
                case B, AE -> turned(c, kind, condition, to);
                default -> false;
            };
        }
        return switch (kind & ~3) {
            case DeferredFlags.SUB -> compare(c, kind, condition, to);
            case DeferredFlags.LOGIC -> logic(c, kind, condition, to);
            case DeferredFlags.IMUL -> false;
            case DeferredFlags.FLOAT -> order(c, condition, to);
            default -> result(c, kind, condition, to);
        };
    }

    /** Leaves an operand's value, sign-extended, as a long for quadwords, else as an int. */
    private static void operand(CodeBuilder c, int kind, int local) {
        c.lload(local);
        narrow(c, kind);
    }

    private static void narrow(CodeBuilder c, int kind) {
        switch (kind & 3) {
            case 0 -> c.l2i().i2b();
            case 1 -> c.l2i().i2s();
            case 2 -> c.l2i();
            default -> {}
        }
    }

    private static boolean wide(int kind) {
        return (kind & 3) == 3;
    }

    private static boolean compare(CodeBuilder c, int kind, int condition, Label to) {
        switch (condition) {
            case S, NS -> {
                c.lload(Frame.A).lload(Frame.B).lsub();
                narrow(c, kind);
                zero(c, kind, condition == S ? Opcode.IFLT : Opcode.IFGE, to);
            }
            case E, NE, L, GE, LE, G -> {
                operand(c, kind, Frame.A);
                operand(c, kind, Frame.B);
                if (wide(kind)) {
                    c.lcmp();
                    c.branch(againstZero(condition), to);
                } else {
                    c.branch(between(condition), to);
                }
            }
            case B, AE, BE, ABOVE -> {
                operand(c, kind, Frame.A);
                operand(c, kind, Frame.B);
                unsigned(c, kind);
                Opcode[] by = {Opcode.IFLT, Opcode.IFGE, Opcode.IFLE, Opcode.IFGT};
                c.branch(
                        by[condition == B ? 0 : condition == AE ? 1 : condition == BE ? 2 : 3], to);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void unsigned(CodeBuilder c, int kind) {
        if (wide(kind)) {
            c.invokestatic(
                    CD_LONG_CLASS, "compareUnsigned", MethodTypeDesc.of(CD_int, CD_long, CD_long));
        } else {
            c.invokestatic(
                    CD_INTEGER, "compareUnsigned", MethodTypeDesc.of(CD_int, CD_int, CD_int));
        }
    }

    private static Opcode againstZero(int condition) {
        return switch (condition) {
            case E -> Opcode.IFEQ;
            case NE -> Opcode.IFNE;
            case L -> Opcode.IFLT;
            case GE -> Opcode.IFGE;
            case LE -> Opcode.IFLE;
            default -> Opcode.IFGT;
        };
    }

    private static Opcode between(int condition) {
        return switch (condition) {
            case E -> Opcode.IF_ICMPEQ;
            case NE -> Opcode.IF_ICMPNE;
            case L -> Opcode.IF_ICMPLT;
            case GE -> Opcode.IF_ICMPGE;
            case LE -> Opcode.IF_ICMPLE;
            default -> Opcode.IF_ICMPGT;
        };
    }

    /** With the narrowed value on the stack. */
    private static void zero(CodeBuilder c, int kind, Opcode opcode, Label to) {
        if (wide(kind)) {
            c.loadConstant(0L).lcmp();
        }
        c.branch(opcode, to);
    }

    /** CF and OF are clear. */
    private static boolean logic(CodeBuilder c, int kind, int condition, Label to) {
        Opcode opcode;
        switch (condition) {
            case 0, B -> {
                return true; // never
            }
            case 1, AE -> {
                c.goto_(to); // what follows is dead
                return true;
            }
            case E, BE -> opcode = Opcode.IFEQ;
            case NE, ABOVE -> opcode = Opcode.IFNE;
            case S, L -> opcode = Opcode.IFLT;
            case NS, GE -> opcode = Opcode.IFGE;
            case LE -> opcode = Opcode.IFLE;
            case G -> opcode = Opcode.IFGT;
            default -> {
                return false;
            }
        }
        operand(c, kind, Frame.A);
        zero(c, kind, opcode, to);
        return true;
    }

    /** Of two doubles, neither of them NaN: PF, OF and SF are clear. */
    private static boolean order(CodeBuilder c, int condition, Label to) {
        switch (condition) {
            case 0, S, 10, L -> {
                return true; // never
            }
            case 1, NS, 11, GE -> {
                c.goto_(to); // what follows is dead
                return true;
            }
            default -> {}
        }
        c.lload(Frame.A);
        VectorLocals.toDouble(c);
        c.lload(Frame.B);
        VectorLocals.toDouble(c);
        boolean below = condition == B || condition == AE;
        // Where a NaN would lead does not matter, but this way it is one comparison.
        if (below || condition == E || condition == NE) {
            c.dcmpg();
        } else {
            c.dcmpl();
        }
        c.branch(
                switch (condition) {
                    case B -> Opcode.IFLT;
                    case AE -> Opcode.IFGE;
                    case E, LE -> Opcode.IFEQ;
                    case NE, G -> Opcode.IFNE;
                    case BE -> Opcode.IFLE;
                    default -> Opcode.IFGT;
                },
                to);
        return true;
    }

    /** Conditions on the result alone, and CF where it is easy. */
    private static boolean result(CodeBuilder c, int kind, int condition, Label to) {
        return switch (condition) {
            case E, NE, S, NS -> {
                value(c, kind);
                zero(c, kind, sign(condition), to);
                yield true;
            }
            case B, AE -> carry(c, kind, condition, to);
            default -> false;
        };
    }

    private static Opcode sign(int condition) {
        return switch (condition) {
            case S -> Opcode.IFLT;
            case NS -> Opcode.IFGE;
            default -> againstZero(condition);
        };
    }

    private static boolean carry(CodeBuilder c, int kind, int condition, Label to) {
        return switch (kind & ~3) {
            case DeferredFlags.INC, DeferredFlags.DEC, DeferredFlags.MUL -> {
                c.lload(Frame.B).loadConstant(0L).lcmp();
                c.branch(condition == B ? Opcode.IFNE : Opcode.IFEQ, to);
                yield true;
            }
            case DeferredFlags.ADD -> {
                value(c, kind);
                operand(c, kind, Frame.A);
                unsigned(c, kind);
                c.branch(condition == B ? Opcode.IFLT : Opcode.IFGE, to);
                yield true;
            }
            default -> false;
        };
    }

    /** CF of a rotate is a bit of its result. */
    private static boolean turned(CodeBuilder c, int kind, int condition, Label to) {
        boolean right = (kind & DeferredFlags.RIGHT) != 0;
        c.lload(Frame.TURNED).loadConstant(1L << (right ? DeferredFlags.top(kind) : 0)).land();
        c.loadConstant(0L).lcmp().branch(condition == B ? Opcode.IFNE : Opcode.IFEQ, to);
        return true;
    }

    /** The result, narrowed. */
    private static void value(CodeBuilder c, int kind) {
        switch (kind & ~3) {
            case DeferredFlags.ADD -> c.lload(Frame.A).lload(Frame.B).ladd();
            case DeferredFlags.ADC -> c.lload(Frame.A).lload(Frame.B).ladd().lload(Frame.C).ladd();
            case DeferredFlags.SBB -> c.lload(Frame.A).lload(Frame.B).lsub().lload(Frame.C).lsub();
            case DeferredFlags.MUL -> c.lload(Frame.A);
            case DeferredFlags.INC -> c.lload(Frame.A).loadConstant(1L).ladd();
            case DeferredFlags.DEC -> c.lload(Frame.A).loadConstant(1L).lsub();
            case DeferredFlags.SHL -> c.lload(Frame.A).lload(Frame.B).l2i().lshl();
            case DeferredFlags.SHR -> {
                c.lload(Frame.A);
                if (!wide(kind)) {
                    c.loadConstant(-1L >>> 64 - (8 << (kind & 3))).land();
                }
                c.lload(Frame.B).l2i().lushr();
            }
            default -> {
                operand(c, kind, Frame.A);
                if (!wide(kind)) {
                    c.i2l();
                }
                c.lload(Frame.B).l2i().lshr();
            }
        }
        narrow(c, kind);
    }
}

package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes what works on RDX and RAX: multiplication, division, sign extension. Quotients that do not
 * fit, and dividends that need all of 128 bits, are left to the interpreter.
 */
final class WideWriter {
    private static final long LOW32 = 0xffffffffL;
    private static final ClassDesc MATH = Frame.desc(Math.class);
    private static final ClassDesc LONG = Frame.desc(Long.class);
    private static final MethodTypeDesc BINARY = MethodTypeDesc.of(CD_long, CD_long, CD_long);

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;

    WideWriter(CodeBuilder c, Frame frame, InstructionWriter writer) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
    }

    /**
     * Writes an instruction if it is one of these, of 4 or 8 bytes.
     *
     * @return false with nothing written if not
     */
    boolean write(Instruction insn) {
        int bytes = insn.operandSize;
        if (bytes < 4 || insn.lock) {
            return false;
        }
        String semantics = insn.row.semantics();
        if (semantics.startsWith("MulDiv.")
                && insn.row.operands().getFirst().bytes(insn) != bytes) {
            return false;
        }
        switch (semantics) {
            case "MulDiv.mul" -> multiply(insn, bytes, true);
            case "MulDiv.imul1" -> multiply(insn, bytes, false);
            case "MulDiv.div" -> divide(insn, bytes, true);
            case "MulDiv.idiv" -> divide(insn, bytes, false);
            case "Moves.cbw" -> {
                frame.get(c, X86.RAX).l2i();
                if (bytes == 4) {
                    c.i2s();
                }
                c.i2l();
                writer.toRegister(X86.RAX, bytes);
            }
            case "Moves.cwd" -> {
                frame.get(c, X86.RAX);
                extend(bytes, false);
                c.loadConstant(63).lshr();
                writer.toRegister(X86.RDX, bytes);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void extend(int bytes, boolean unsigned) {
        if (bytes == 4) {
            if (unsigned) {
                c.loadConstant(LOW32).land();
            } else {
                c.l2i().i2l();
            }
        }
    }

    private void operand(Instruction insn, int bytes, boolean unsigned) {
        writer.rm(insn, bytes);
        extend(bytes, unsigned);
        c.lstore(Frame.T1);
    }

    private void multiply(Instruction insn, int bytes, boolean unsigned) {
        operand(insn, bytes, unsigned);
        frame.get(c, X86.RAX);
        extend(bytes, unsigned);
        c.lstore(Frame.T0);
        c.lload(Frame.T0).lload(Frame.T1).lmul().lstore(Frame.T2);
        if (bytes == 8) {
            c.lload(Frame.T0).lload(Frame.T1);
            c.invokestatic(MATH, unsigned ? "unsignedMultiplyHigh" : "multiplyHigh", BINARY);
        } else {
            c.lload(Frame.T2).loadConstant(32).lushr();
        }
        frame.set(c, X86.RDX);
        c.lload(Frame.T2);
        writer.toRegister(X86.RAX, bytes);
        if (unsigned) {
            c.lload(Frame.T2).lstore(Frame.A);
            frame.get(c, X86.RDX).lstore(Frame.B);
        } else {
            c.lload(Frame.T0).lstore(Frame.A).lload(Frame.T1).lstore(Frame.B);
        }
        writer.kind =
                (unsigned ? DeferredFlags.MUL : DeferredFlags.IMUL)
                        | Integer.numberOfTrailingZeros(bytes);
    }

    /** Flags stay as they are. */
    private void divide(Instruction insn, int bytes, boolean unsigned) {
        operand(insn, bytes, unsigned);
        c.lload(Frame.T1).loadConstant(0L).lcmp().ifeq(writer.out());
        if (!unsigned) {
            c.lload(Frame.T1).loadConstant(-1L).lcmp().ifeq(writer.out());
        }
        if (bytes == 8) {
            frame.get(c, X86.RAX).lstore(Frame.T0);
            frame.get(c, X86.RDX);
            if (unsigned) {
                c.loadConstant(0L);
            } else {
                c.lload(Frame.T0).loadConstant(63).lshr();
            }
            c.lcmp().ifne(writer.out());
        } else {
            frame.get(c, X86.RDX).loadConstant(32).lshl();
            frame.get(c, X86.RAX).loadConstant(LOW32).land().lor().lstore(Frame.T0);
        }
        c.lload(Frame.T0).lload(Frame.T1);
        if (unsigned) {
            c.invokestatic(LONG, "divideUnsigned", BINARY);
        } else {
            c.ldiv();
        }
        c.lstore(Frame.T2);
        if (bytes == 4) {
            c.lload(Frame.T2);
            extend(4, unsigned);
            c.lload(Frame.T2).lcmp().ifne(writer.out());
        }
        c.lload(Frame.T0).lload(Frame.T1);
        if (unsigned) {
            c.invokestatic(LONG, "remainderUnsigned", BINARY);
        } else {
            c.lrem();
        }
        writer.toRegister(X86.RDX, bytes);
        c.lload(Frame.T2);
        writer.toRegister(X86.RAX, bytes);
    }
}

package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.Binding;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.MethodTypeDesc;
import java.util.Map;
import java.util.Objects;

/**
 * Writes shifts and rotates, by constants and by CL. A count of 0 leaves the flags as they are, so
 * after a shift by CL a local variable says of which kind they are.
 */
final class ShiftWriter {
    /** The deferred kind of a shift's flags, or what a rotate adds to the kind there is. */
    private static final Map<String, Integer> KINDS =
            Map.of(
                    "Shift.shl", DeferredFlags.SHL,
                    "Shift.shr", DeferredFlags.SHR,
                    "Shift.sar", DeferredFlags.SAR,
                    "Shift.rol", DeferredFlags.ROTATED,
                    "Shift.ror", DeferredFlags.ROTATED | DeferredFlags.RIGHT);

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;

    ShiftWriter(CodeBuilder c, Frame frame, InstructionWriter writer) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
    }

    static boolean writes(String semantics) {
        return KINDS.containsKey(semantics);
    }

    /** Writes one of these, whose memory operand has been found. */
    void write(Instruction insn, Binding b) {
        int operation = Objects.requireNonNull(KINDS.get(insn.row.semantics()));
        Place operand = b.arguments.getFirst();
        Place count = b.arguments.get(1);
        int mask = operand.bytes() == 8 ? 63 : 31;
        if (count.kind() == Kind.IMMEDIATE) {
            int n = (int) InstructionWriter.immediate(insn, count) & mask;
            c.loadConstant((long) n).lstore(Frame.T1);
            compute(insn, b, operation, operand);
            if (n != 0) {
                writer.kind = flags(operation, operand.bytes(), writer.kind);
            }
            return;
        }
        writer.raw(insn, count);
        c.loadConstant((long) mask).land().lstore(Frame.T1);
        compute(insn, b, operation, operand);
        if (writer.kind >= 0) {
            c.loadConstant(writer.kind).istore(Frame.KIND);
        }
        Label same = c.newLabel();
        c.lload(Frame.T1).loadConstant(0L).lcmp().ifeq(same);
        int kind = flags(operation, operand.bytes(), writer.kind);
        if (kind >= 0) {
            c.loadConstant(kind).istore(Frame.KIND);
        }
        c.labelBinding(same);
        writer.kind = -1;
    }

    /** Leaves a shift's operand in {@link Frame#T0}, but a rotate's result. */
    private void compute(Instruction insn, Binding b, int operation, Place operand) {
        writer.raw(insn, operand);
        boolean rotate = (operation & DeferredFlags.ROTATED) != 0;
        if (rotate) {
            rotate(operation == DeferredFlags.ROTATED, operand.bytes());
            c.dup2().lstore(Frame.T0);
        } else {
            c.dup2().lstore(Frame.T0);
            shift(operation, operand.bytes());
        }
        if (b.result != null) {
            writer.result(insn, b.result);
        }
    }

    private void shift(int operation, int bytes) {
        switch (operation) {
            case DeferredFlags.SHL -> {
                count();
                c.lshl();
            }
            case DeferredFlags.SHR -> {
                zeroExtend(bytes);
                count();
                c.lushr();
            }
            default -> {
                signExtend(bytes);
                count();
                c.lshr();
            }
        }
    }

    private void count() {
        c.lload(Frame.T1).l2i();
    }

    private void zeroExtend(int bytes) {
        if (bytes < 8) {
            c.loadConstant(-1L >>> 64 - 8 * bytes).land();
        }
    }

    private void signExtend(int bytes) {
        switch (bytes) {
            case 1 -> c.l2i().i2b().i2l();
            case 2 -> c.l2i().i2s().i2l();
            case 4 -> c.l2i().i2l();
            default -> {}
        }
    }

    private void rotate(boolean left, int bytes) {
        String name = left ? "rotateLeft" : "rotateRight";
        if (bytes == 8) {
            count();
            c.invokestatic(
                    Frame.desc(Long.class), name, MethodTypeDesc.of(CD_long, CD_long, CD_int));
        } else if (bytes == 4) {
            c.l2i();
            count();
            c.invokestatic(
                    Frame.desc(Integer.class), name, MethodTypeDesc.of(CD_int, CD_int, CD_int));
            c.i2l();
        } else {
            // Shifted out of two copies, one beside the other.
            zeroExtend(bytes);
            c.dup2().loadConstant(8 * bytes).lshl().lor();
            count();
            c.loadConstant(8 * bytes - 1).iand();
            if (left) {
                c.lshl().loadConstant(8 * bytes);
            }
            c.lushr();
        }
    }

    /** Defers the flags. @return their kind; -1 if {@link Frame#KIND} has it */
    private int flags(int operation, int bytes, int before) {
        int size = Integer.numberOfTrailingZeros(bytes);
        if ((operation & DeferredFlags.ROTATED) == 0) {
            c.lload(Frame.T0).lstore(Frame.A).lload(Frame.T1).lstore(Frame.B);
            return operation | size;
        }
        c.lload(Frame.T0).lstore(Frame.TURNED);
        int rotated = operation | size << DeferredFlags.TURNED_SIZE;
        if (before >= 0) {
            return before & DeferredFlags.FIRST | rotated;
        }
        c.iload(Frame.KIND).loadConstant(DeferredFlags.FIRST).iand();
        c.loadConstant(rotated).ior().istore(Frame.KIND);
        return -1;
    }
}

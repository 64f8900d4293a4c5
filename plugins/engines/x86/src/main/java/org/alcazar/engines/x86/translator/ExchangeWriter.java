package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.Binding;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes instructions that read and write memory as a whole for other cores: those with LOCK, and
 * XCHG, XADD and CMPXCHG. What is not aligned is left to the interpreter.
 */
final class ExchangeWriter {
    private static final ClassDesc RAM = Frame.desc(GuestRam.class);

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;

    ExchangeWriter(CodeBuilder c, Frame frame, InstructionWriter writer) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
    }

    /** Leaves to the interpreter if the operand at {@link Frame#LA} is not aligned. */
    void aligned(int bytes) {
        c.lload(Frame.LA).l2i().loadConstant(bytes - 1).iand().ifne(writer.out());
    }

    /**
     * Arithmetic with LOCK by its semantics, whose result is on the stack after {@code call}: tried
     * until nobody comes between. The flags are in the core's state.
     */
    void locked(Binding b, Runnable call) {
        int bytes = b.memoryBytes;
        aligned(bytes);
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "flagResult", CD_long).lstore(Frame.A);
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "flagAux", CD_long).lstore(Frame.B);
        Label again = c.newBoundLabel();
        c.aload(Frame.CPU_VAR).lload(Frame.A).putfield(Frame.CPU, "flagResult", CD_long);
        c.aload(Frame.CPU_VAR).lload(Frame.B).putfield(Frame.CPU, "flagAux", CD_long);
        tried(
                bytes,
                again,
                () -> {
                    call.run();
                    if (b.method.getReturnType() != long.class) {
                        c.i2l();
                    }
                });
    }

    /**
     * Changes memory as a whole.
     *
     * @param change leaves the new value, made from the old one in {@link Frame#T0}
     */
    void modify(int bytes, Runnable change) {
        tried(bytes, c.newBoundLabel(), change);
    }

    private void tried(int bytes, Label again, Runnable change) {
        writer.load(bytes);
        c.lstore(Frame.T0);
        change.run();
        writer.truncate(bytes);
        c.lstore(Frame.T1);
        exchange(bytes);
        c.lload(Frame.T0).lcmp().ifne(again);
    }

    /** Leaves the old value: {@link Frame#T1} is stored if that is {@link Frame#T0}. */
    private void exchange(int bytes) {
        c.lload(Frame.HPA).loadConstant(bytes).lload(Frame.T0).lload(Frame.T1);
        c.invokestatic(
                RAM, "exchange", MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_long, CD_long));
    }

    /**
     * XCHG, XADD or CMPXCHG with memory.
     *
     * @return false if the operand size is one for the interpreter
     */
    boolean write(Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        if (bytes == 1) {
            return false;
        }
        writer.address(insn, bytes, true);
        aligned(bytes);
        writer.find(bytes, true);
        switch (insn.row.semantics()) {
            case "Moves.xchg" -> swap(insn, bytes, false);
            case "Alu.xadd" -> swap(insn, bytes, true);
            default -> compare(insn, bytes);
        }
        return true;
    }

    private void swap(Instruction insn, int bytes, boolean add) {
        modify(
                bytes,
                () -> {
                    frame.get(c, insn.reg);
                    if (add) {
                        c.lload(Frame.T0).ladd();
                    }
                });
        if (add) {
            c.lload(Frame.T0).lstore(Frame.A);
            frame.get(c, insn.reg).lstore(Frame.B);
            writer.kind = DeferredFlags.ADD | Integer.numberOfTrailingZeros(bytes);
        }
        c.lload(Frame.T0);
        writer.toRegister(insn.reg, bytes);
    }

    private void compare(Instruction insn, int bytes) {
        frame.get(c, X86.RAX);
        writer.truncate(bytes);
        c.lstore(Frame.T0);
        frame.get(c, insn.reg);
        writer.truncate(bytes);
        c.lstore(Frame.T1);
        exchange(bytes);
        c.lstore(Frame.T1);
        c.lload(Frame.T0).lstore(Frame.A).lload(Frame.T1).lstore(Frame.B);
        writer.kind = DeferredFlags.SUB | Integer.numberOfTrailingZeros(bytes);
        Label same = c.newLabel();
        c.lload(Frame.T0).lload(Frame.T1).lcmp().ifeq(same);
        c.lload(Frame.T1);
        writer.toRegister(X86.RAX, bytes);
        c.labelBinding(same);
    }
}

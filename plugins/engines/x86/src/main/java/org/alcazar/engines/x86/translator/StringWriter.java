package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/** Writes string instructions without repetition. */
final class StringWriter {
    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;

    StringWriter(CodeBuilder c, Frame frame, InstructionWriter writer) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
    }

    /**
     * Writes one of these.
     *
     * @return false with nothing written if it is one for the interpreter
     */
    boolean write(Instruction insn) {
        int bytes = (insn.opcode & 1) == 0 ? 1 : insn.operandSize;
        switch (insn.row.semantics()) {
            case "Strings.lods" -> {
                source(insn, bytes);
                writer.toRegister(X86.RAX, bytes);
                advance(insn, X86.RSI, bytes);
            }
            case "Strings.stos" -> {
                destination(insn, bytes, true);
                frame.get(c, X86.RAX);
                writer.store(bytes);
                advance(insn, X86.RDI, bytes);
            }
            case "Strings.movs" -> {
                source(insn, bytes);
                c.lstore(Frame.T0);
                destination(insn, bytes, true);
                c.lload(Frame.T0);
                writer.store(bytes);
                advance(insn, X86.RSI, bytes);
                advance(insn, X86.RDI, bytes);
            }
            case "Strings.scas" -> {
                destination(insn, bytes, false);
                frame.get(c, X86.RAX).lstore(Frame.A);
                compare(bytes);
                advance(insn, X86.RDI, bytes);
            }
            case "Strings.cmps" -> {
                source(insn, bytes);
                c.lstore(Frame.T0);
                destination(insn, bytes, false);
                c.lload(Frame.T0).lstore(Frame.A);
                compare(bytes);
                advance(insn, X86.RSI, bytes);
                advance(insn, X86.RDI, bytes);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Leaves what is at DS:rSI. */
    private void source(Instruction insn, int bytes) {
        find(
                insn,
                X86.RSI,
                insn.segmentOverride >= 0 ? insn.segmentOverride : X86.DS,
                bytes,
                false);
        writer.load(bytes);
    }

    private void destination(Instruction insn, int bytes, boolean write) {
        find(insn, X86.RDI, X86.ES, bytes, write);
    }

    private void find(Instruction insn, int register, int segment, int bytes, boolean write) {
        frame.get(c, register);
        writer.truncate(insn.addressSize);
        writer.inSegment(segment, bytes, write);
        writer.search(bytes, write);
    }

    /** Compares {@link Frame#A} with what has been found. */
    private void compare(int bytes) {
        writer.load(bytes);
        c.lstore(Frame.B);
        writer.kind = DeferredFlags.SUB | Integer.numberOfTrailingZeros(bytes);
    }

    private void advance(Instruction insn, int register, int bytes) {
        frame.get(c, register).aload(Frame.CPU_VAR).loadConstant(bytes);
        c.invokestatic(
                Frame.desc(Guards.class), "step", MethodTypeDesc.of(CD_long, Frame.CPU, CD_int));
        c.ladd();
        writer.toRegister(register, insn.addressSize);
    }
}

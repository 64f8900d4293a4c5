package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.MethodTypeDesc;
import java.util.Objects;

/** Writes pushes and pops, in 64-bit mode and in flat 32-bit mode. */
final class StackWriter {
    private static final long LOW32 = 0xffffffffL;

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;
    private final StateWriter state;
    private final boolean long64;

    StackWriter(
            CodeBuilder c,
            Frame frame,
            InstructionWriter writer,
            StateWriter state,
            boolean long64) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.state = state;
        this.long64 = long64;
    }

    /** Bytes of what the mode pushes. */
    int word() {
        return long64 ? 8 : 4;
    }

    /** Leaves RSP and a distance, as an address. */
    void top(int distance) {
        frame.get(c, X86.RSP);
        if (distance != 0) {
            c.loadConstant((long) distance).ladd();
        }
        if (!long64) {
            c.loadConstant(LOW32).land();
        }
    }

    /** Leaves what is at the top of the stack; {@link #drop} takes it away. */
    void peek() {
        top(0);
        c.lstore(Frame.LA);
        find(word(), false);
        writer.load(word());
    }

    /** Finds {@link Frame#HPA}, most often in the page that was written last. */
    void find(int bytes, boolean write) {
        frame.stack = true;
        Label search = c.newLabel();
        Label found = c.newLabel();
        c.lload(Frame.LA).loadConstant(-4096L | bytes - 1).land();
        c.lload(Frame.STACK_PAGE).lcmp().ifne(search);
        c.lload(Frame.LA).lload(Frame.STACK_ADDEND).ladd().lstore(Frame.HPA).goto_(found);
        c.labelBinding(search);
        writer.search(bytes, write);
        if (write) {
            c.lload(Frame.LA).loadConstant(-4096L).land().lstore(Frame.STACK_PAGE);
            c.lload(Frame.HPA).lload(Frame.LA).lsub().lstore(Frame.STACK_ADDEND);
        }
        c.labelBinding(found);
    }

    void drop(int bytes) {
        top(bytes);
        frame.set(c, X86.RSP);
    }

    /** Makes room for a word: {@link Frame#LA} is the new RSP, which is not set yet. */
    void room() {
        top(-word());
        c.dup2().lstore(Frame.T1).lstore(Frame.LA);
        find(word(), true);
    }

    /** Pushes {@link Frame#T0}. */
    private void push() {
        room();
        c.lload(Frame.T0);
        writer.store(word());
        pushed();
    }

    void pushed() {
        c.lload(Frame.T1);
        frame.set(c, X86.RSP);
    }

    /**
     * PUSH, POP to a general register, LEAVE, PUSHF.
     *
     * @return false with nothing written for others
     */
    boolean write(Instruction insn) {
        String semantics = insn.row.semantics();
        if (insn.operandSize != word()) {
            return false;
        }
        Operand operand = insn.row.operands().isEmpty() ? null : insn.row.operands().getFirst();
        switch (semantics) {
            case "Stack.push" -> {
                OperandKind where = Objects.requireNonNull(operand).kind();
                switch (where) {
                    case IMMEDIATE -> c.loadConstant(insn.immediate);
                    case OPCODE_REGISTER -> frame.get(c, insn.rm);
                    default -> {
                        if (insn.memory) {
                            writer.address(insn, word(), false);
                            writer.find(word(), false);
                            writer.load(word());
                        } else {
                            frame.get(c, insn.rm);
                        }
                    }
                }
                c.lstore(Frame.T0);
                push();
            }
            case "Stack.pushSegment" -> {
                state.selector(Objects.requireNonNull(operand).fixed());
                c.lstore(Frame.T0);
                push();
            }
            case "Stack.pop" -> {
                if (Objects.requireNonNull(operand).kind() != OperandKind.OPCODE_REGISTER) {
                    return false;
                }
                peek();
                c.lstore(Frame.T0);
                drop(word());
                c.lload(Frame.T0);
                writer.toRegister(insn.rm, word());
            }
            case "Stack.pushf" -> {
                frame.settle(c, writer.kind);
                writer.kind = DeferredFlags.NONE;
                c.aload(Frame.CPU_VAR);
                c.invokevirtual(Frame.CPU, "rflags", MethodTypeDesc.of(CD_long));
                c.loadConstant(~(long) (Bits.VM | Bits.RF)).land().lstore(Frame.T0);
                push();
            }
            case "Stack.leave" -> {
                frame.get(c, X86.RBP);
                if (!long64) {
                    c.loadConstant(LOW32).land();
                }
                c.lstore(Frame.LA);
                find(word(), false);
                writer.load(word());
                c.lload(Frame.LA).loadConstant((long) word()).ladd();
                if (!long64) {
                    c.loadConstant(LOW32).land();
                }
                frame.set(c, X86.RSP);
                frame.set(c, X86.RBP);
            }
            default -> {
                return false;
            }
        }
        return true;
    }
}

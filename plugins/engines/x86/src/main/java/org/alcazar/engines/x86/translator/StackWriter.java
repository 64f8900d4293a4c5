package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Objects;

/** Writes pushes and pops. */
final class StackWriter {
    private static final long LOW32 = 0xffffffffL;
    private static final ClassDesc GUARDS = Frame.desc(Guards.class);

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;
    private final StateWriter state;
    private final boolean long64;
    private final boolean flat;

    StackWriter(
            CodeBuilder c,
            Frame frame,
            InstructionWriter writer,
            StateWriter state,
            boolean long64,
            boolean flat) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.state = state;
        this.long64 = long64;
        this.flat = flat;
    }

    /** Whether an instruction pushes, pops or jumps by words that are written out. */
    boolean fits(Instruction insn) {
        return insn.operandSize == 8 || !long64;
    }

    /** Bytes of what the present instruction pushes. */
    int word() {
        return writer.operandSize();
    }

    /** Leaves RSP and a distance, as an offset. */
    void top(int distance) {
        frame.get(c, X86.RSP);
        if (distance != 0) {
            c.loadConstant((long) distance).ladd();
        }
        inStack();
    }

    /** Of the long on the stack, leaves as much as the stack pointer has. */
    private void inStack() {
        if (long64) {
            return;
        }
        if (flat) {
            c.loadConstant(LOW32).land();
        } else {
            c.aload(Frame.CPU_VAR);
            c.invokestatic(GUARDS, "top", MethodTypeDesc.of(CD_long, CD_long, Frame.CPU));
        }
    }

    /** Makes the long on the stack, which {@link #top} has left, the stack pointer. */
    private void toPointer() {
        if (!flat) {
            frame.get(c, X86.RSP).aload(Frame.CPU_VAR);
            c.invokestatic(
                    GUARDS, "pointer", MethodTypeDesc.of(CD_long, CD_long, CD_long, Frame.CPU));
        }
        frame.set(c, X86.RSP);
    }

    /** Leaves what is at the top of the stack; {@link #drop} takes it away. */
    void peek() {
        top(0);
        writer.inSegment(X86.SS, word(), false);
        find(word(), false);
        writer.load(word());
    }

    /** Finds {@link Frame#HPA}, most often in the page that was written last. */
    void find(int bytes, boolean write) {
        if (frame.quick) {
            writer.search(bytes, write);
            return;
        }
        frame.stack = true;
        writer.pages.inPage(Frame.STACK_PAGE, bytes, write, write);
    }

    void drop(int bytes) {
        top(bytes);
        toPointer();
    }

    /** Makes room for a word: {@link Frame#T1} is the new RSP, which is not set yet. */
    void room() {
        top(-word());
        c.dup2().lstore(Frame.T1);
        writer.inSegment(X86.SS, word(), true);
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
        toPointer();
    }

    /**
     * PUSH, POP to a general register, LEAVE, PUSHF.
     *
     * @return false with nothing written for others
     */
    boolean write(Instruction insn) {
        String semantics = insn.row.semantics();
        if (!fits(insn)) {
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
                if (!flat) {
                    return false; // in virtual-8086 mode it may fault
                }
                frame.settle(c, writer.kind);
                writer.kind = DeferredFlags.NONE;
                c.aload(Frame.CPU_VAR);
                c.invokevirtual(Frame.CPU, "rflags", MethodTypeDesc.of(CD_long));
                c.loadConstant(~(long) (Bits.VM | Bits.RF)).land().lstore(Frame.T0);
                push();
            }
            case "Stack.leave" -> {
                frame.get(c, X86.RBP);
                inStack();
                c.dup2().lstore(Frame.T1);
                writer.inSegment(X86.SS, word(), false);
                find(word(), false);
                writer.load(word());
                c.lload(Frame.T1).loadConstant((long) word()).ladd();
                inStack();
                toPointer();
                writer.toRegister(X86.RBP, word());
            }
            default -> {
                return false;
            }
        }
        return true;
    }
}

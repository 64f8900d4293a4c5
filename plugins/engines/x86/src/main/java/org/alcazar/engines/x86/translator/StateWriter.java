package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.semantics.Mmx;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;

/**
 * Writes instructions that read or change the core's state otherwise than by general registers and
 * status flags, as far as a region can go on behind them.
 */
final class StateWriter {
    private static final ClassDesc MMX = Frame.desc(Mmx.class);

    /** The x87 status word's ES. */
    private static final int FLOAT_ERROR = 0x80;

    private static final Set<String> NOTHING =
            Set.of(
                    "SystemInstructions.nop",
                    "SystemInstructions.prefetch",
                    "SystemInstructions.lfence",
                    "SystemInstructions.sfence");

    /** End blocks by the table, but the next instruction follows whatever happens. */
    private static final Set<String> HARMLESS =
            Set.of("Flags.cli", "Flags.sti", "SystemInstructions.clac", "SystemInstructions.stac");

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;

    StateWriter(CodeBuilder c, Frame frame, InstructionWriter writer) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
    }

    /** Whether what follows depends on what it does, so that the region ends before it. */
    static boolean ends(Instruction insn) {
        return insn.row.has(Row.ENDS_BLOCK) && !HARMLESS.contains(insn.row.semantics());
    }

    /**
     * Writes an instruction if it is one of these.
     *
     * @return false with nothing written if not
     */
    boolean write(Instruction insn) {
        String semantics = insn.row.semantics();
        if (NOTHING.contains(semantics)) {
            return true;
        }
        switch (semantics) {
            case "Flags.cli", "SystemInstructions.mfence" -> writer.apart(insn);
            case "SystemInstructions.swapgs" -> {
                writer.apart(insn);
                frame.loadBases(c);
            }
            case "SystemInstructions.clac", "SystemInstructions.stac" -> {
                writer.apart(insn);
                frame.views = true;
                frame.loadView(c);
            }
            case "SystemInstructions.movFromSegment" -> fromSegment(insn);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void fromSegment(Instruction insn) {
        if (insn.memory) {
            writer.address(insn, 2, true);
            writer.find(2, true);
        }
        selector(insn.reg);
        if (insn.memory) {
            writer.store(2);
        } else {
            writer.toRegister(insn.rm, insn.operandSize);
        }
    }

    /** Leaves a segment register's selector. */
    void selector(int segment) {
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "selector", CD_int.arrayType());
        c.loadConstant(segment).iaload().i2l();
    }

    // ---- MMX

    /** Before an MMX instruction does anything. */
    void enterMmx(boolean waits) {
        frame.x87 = true;
        if (waits) {
            noneIsPending();
        }
    }

    /** Leaves if an x87 exception is pending: the interpreter tells whom it concerns. */
    void noneIsPending() {
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "fsw", CD_int);
        c.loadConstant(FLOAT_ERROR).iand().ifne(writer.out());
    }

    /** After the instruction's operands are read, and nothing more can go wrong. */
    void entered() {
        c.aload(Frame.CPU_VAR).invokestatic(MMX, "enter", MethodTypeDesc.of(CD_void, Frame.CPU));
    }

    /** Leaves a register's value. */
    void mmx(int register) {
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "fpSignificand", Frame.LONGS);
        c.loadConstant(register & 7).laload();
    }

    /** Stores the long on the stack to a register. */
    void toMmx(int register) {
        c.lstore(Frame.T0).aload(Frame.CPU_VAR).loadConstant(register).lload(Frame.T0);
        c.invokestatic(MMX, "write", MethodTypeDesc.of(CD_void, Frame.CPU, CD_int, CD_long));
    }
}

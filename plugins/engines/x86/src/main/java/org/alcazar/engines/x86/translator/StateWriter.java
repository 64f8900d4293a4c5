package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Row;

import java.lang.classfile.CodeBuilder;
import java.util.Set;

/**
 * Writes instructions that read or change the core's state otherwise than by general registers and
 * status flags, as far as a region can go on behind them.
 */
final class StateWriter {
    private static final Set<String> NOTHING =
            Set.of(
                    "SystemInstructions.nop",
                    "SystemInstructions.prefetch",
                    "SystemInstructions.lfence",
                    "SystemInstructions.sfence");

    /** End blocks by the table, but the next instruction follows whatever happens. */
    private static final Set<String> HARMLESS =
            Set.of("Flags.cli", "SystemInstructions.clac", "SystemInstructions.stac");

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
}

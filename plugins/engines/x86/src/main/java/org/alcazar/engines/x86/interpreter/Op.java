package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Instruction;
import org.jspecify.annotations.Nullable;

/**
 * A node of decoded code: one guest instruction, or two that belong together (compare and branch).
 * Subclasses are spun by {@link Spinner} or written by hand for control flow. The operand fields
 * serve all shapes; which of them mean something depends on the class.
 */
abstract class Op {
    /**
     * What runs after this one; a {@link LeaveOp} once the block is dropped. Not used by nodes that
     * end a block.
     */
    @Nullable Op next;

    Block block = Block.NONE;

    /** Decoded form, for generic semantics. */
    @Nullable Instruction insn;

    /**
     * Sum of displacement and, for RIP-relative addresses, RIP; truncated to the address size where
     * there is no register.
     */
    long disp;

    /** Immediate operand; for generic semantics the address of the next instruction. */
    long imm;

    /** General registers of the operands in their order. */
    byte r1;

    byte r2;
    byte r3;
    byte base = Instruction.NO_REGISTER;
    byte index = Instruction.NO_REGISTER;
    byte scale;
    byte segment;

    /** Bytes of the instruction. */
    byte length;

    /** Instructions of the block before this one. */
    short at;

    /** Bytes of the block before this instruction. */
    short offset;

    /**
     * Does it.
     *
     * @return the node to go on with; null to go on from {@code core.rip} by way of the run loop
     */
    abstract @Nullable Op exec(Core core);

    /** A node of the same class with empty fields. */
    abstract Op fresh();

    /**
     * Whether semantics gets the instruction itself; {@link #imm} is the address of the next one
     * then.
     */
    boolean isGeneric() {
        return false;
    }

    /** Whether its memory accesses go through SS. */
    final boolean usesStack(Core core) {
        if (insn == null) {
            return false;
        }
        if (insn.memory && insn.segment == 2) {
            return true;
        }
        boolean stack =
                insn.row.semantics().startsWith("Stack.")
                        || insn.row.semantics().equals("Branches.call")
                        || insn.row.semantics().equals("Branches.ret");
        // With an operand in memory besides: which of the two it was.
        return stack && (!insn.memory || Math.abs(core.mmu.nonCanonicalAt - core.gpr[4]) <= 16);
    }

    /** Address of the instruction. */
    final long rip() {
        return block.rip + offset & block.ripMask;
    }
}

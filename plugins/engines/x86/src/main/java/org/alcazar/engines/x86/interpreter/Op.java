package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Instruction;
import org.jspecify.annotations.Nullable;

/**
 * A node of decoded code: one guest instruction, or two that belong together (compare and branch).
 * Subclasses are spun by {@link Spinner} or written by hand for control flow. The operand fields
 * serve all shapes; which of them mean something depends on the class.
 */
abstract class Op {
    /** Has an operand in memory; through SS; pushes or pops. */
    private static final int MEMORY = 1, BY_SS = 2, STACK = 4;

    /**
     * What runs after this one; a {@link LeaveOp} once the block is dropped. Not used by nodes that
     * end a block.
     */
    @Nullable Op next;

    Block block = Block.NONE;

    /** Decoded form, for {@link #wantsInstruction} and for nodes that end a block. */
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
    byte at;

    /** Bits: {@link #MEMORY}, {@link #BY_SS} and {@link #STACK}. */
    byte accesses;

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

    /** Whether it needs {@link #insn}. */
    boolean wantsInstruction() {
        return false;
    }

    /** Of what it does, for statistics. */
    final String name() {
        return insn != null
                ? insn.row.semantics()
                : getClass().getSimpleName().replaceAll("Spun\\$|/.*", "").replace('$', '.');
    }

    /** Notes what {@link #usesStack} has to know. */
    final void describe(Instruction of) {
        String semantics = of.row.semantics();
        boolean stack =
                semantics.startsWith("Stack.")
                        || semantics.equals("Branches.call")
                        || semantics.equals("Branches.ret");
        int bits = stack ? STACK : 0;
        if (of.memory) {
            bits |= of.segment == 2 ? MEMORY | BY_SS : MEMORY;
        }
        accesses = (byte) bits;
    }

    /** Whether its memory accesses go through SS. */
    final boolean usesStack(Core core) {
        if ((accesses & BY_SS) != 0) {
            return true;
        }
        // With an operand in memory besides: which of the two it was.
        return (accesses & STACK) != 0
                && ((accesses & MEMORY) == 0
                        || Math.abs(core.mmu.nonCanonicalAt - core.gpr[4]) <= 16);
    }

    /** Address of the instruction. */
    final long rip() {
        return block.rip + offset & block.ripMask;
    }
}

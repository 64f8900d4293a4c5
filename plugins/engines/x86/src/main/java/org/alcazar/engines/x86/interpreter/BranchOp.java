package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.jspecify.annotations.Nullable;

/**
 * A node that ends a block, with two ways out that are linked to the blocks they lead to once these
 * are known.
 */
abstract class BranchOp extends Op {
    long takenRip;

    /** Address of the next instruction. */
    long fallRip;

    Block taken = Block.NONE;
    Block fall = Block.NONE;

    @Override
    boolean wantsInstruction() {
        return true;
    }

    final @Nullable Op take(Core core) {
        Block b = taken;
        long after = core.retired + b.count;
        if (core.knows(b.known) && core.requests.pending() == 0 && after <= core.limit) {
            core.retired = after;
            return core.begin(b);
        }
        return unlinked(core, true);
    }

    final @Nullable Op fallThrough(Core core) {
        Block b = fall;
        long after = core.retired + b.count;
        if (core.knows(b.known) && core.requests.pending() == 0 && after <= core.limit) {
            core.retired = after;
            return core.begin(b);
        }
        return unlinked(core, false);
    }

    private @Nullable Op unlinked(Core core, boolean way) {
        Block b = way ? taken : fall;
        long after = core.retired + b.count;
        if (core.requests.pending() == 0 && after <= core.limit && core.finds(b)) {
            core.retired = after;
            return core.begin(b);
        }
        core.rip = way ? takenRip : fallRip;
        core.link = this;
        core.linkTaken = way;
        return null;
    }

    final @Nullable Op go(Core core, boolean condition) {
        return condition ? take(core) : fallThrough(core);
    }

    /**
     * After generic semantics that only ever go on behind the instruction, or stay at it to be
     * continued (REP).
     */
    final @Nullable Op after(Core core) {
        if (core.rip == fallRip) {
            return fallThrough(core);
        }
        core.retired--;
        // What interrupts a repetition finds RF set, as in the middle of any instruction.
        core.flags |= Bits.RF;
        return core.leave(core.rip);
    }

    /** After generic semantics that may have changed anything. */
    final @Nullable Op leave(Core core) {
        return core.resume();
    }
}

package org.alcazar.engines.x86.interpreter;

import org.jspecify.annotations.Nullable;

/**
 * Takes the place of what follows in a block that has been dropped while it ran: the rest is
 * decoded anew.
 */
final class LeaveOp extends Op {
    private final long rip;
    private final int refund;

    /**
     * @param rip where to go on
     * @param refund instructions of the block from there on, which were counted in advance
     */
    LeaveOp(long rip, int refund) {
        this.rip = rip;
        this.refund = refund;
    }

    @Override
    @Nullable Op exec(Core core) {
        core.retired -= refund;
        return core.leave(rip);
    }

    @Override
    Op fresh() {
        return new LeaveOp(rip, refund);
    }
}

package org.alcazar.paging.shadow;

import org.alcazar.machine.ControlBlock;
import org.jspecify.annotations.Nullable;

/** What is kept for each core. With the lock held. */
final class CoreState {
    final int index;
    final GuestMode mode;
    final GuestWalk walk;

    /** Set by {@code enter}. */
    @Nullable ControlBlock block;

    /** Table that is the core's root, or {@link Tables#NONE}: to be found again. */
    int root = Tables.NONE;

    /** Table that {@link ControlBlock#translationRoot} names, even if it is a root no more. */
    int walked = Tables.NONE;

    /** Linear address of the last fault. */
    long linear;

    /** What its exit told: {@code value}, and bytes. */
    long fault;

    int size;

    /** Top table, and the one below, of a mode with 32-bit addresses. */
    int narrowRoot = Tables.NONE;

    int narrowTable = Tables.NONE;

    /** The core's own tables: a virtual TLB's. */
    int ownRoot = Tables.NONE;

    /** Own tables apart from the root, chained by {@link Tables#link}. */
    int ownTables = Tables.NONE;

    /** Some guest table can't be tracked, so the core has a virtual TLB up to its next flush. */
    boolean untracked;

    CoreState(int index, GuestMode mode, GuestWalk walk) {
        this.index = index;
        this.mode = mode;
        this.walk = walk;
    }
}

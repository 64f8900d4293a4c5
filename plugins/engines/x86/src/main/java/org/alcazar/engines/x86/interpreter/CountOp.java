package org.alcazar.engines.x86.interpreter;

import org.jspecify.annotations.Nullable;

/** At the head of a block: counts how often it runs, until it is hot. */
final class CountOp extends Op {
    /** Runs until it is hot. */
    int left;

    /** Is asked for as part of another block's region: to be counted again before its own. */
    boolean awaited;

    private final Regions regions;

    CountOp(Block block, Regions regions, int threshold) {
        this.block = block;
        this.regions = regions;
        left = threshold;
        next = block.first;
    }

    @Override
    @Nullable Op exec(Core core) {
        if (--left == 0) {
            return regions.hot(block, this);
        }
        return next;
    }

    @Override
    Op fresh() {
        throw new IllegalStateException("belongs to one block");
    }
}

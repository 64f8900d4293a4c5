package org.alcazar.engines.x86.interpreter;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/** Ends a block with a branch to an address that the guest computes. */
abstract class IndirectOp extends BranchOp {
    private static final int SIZE = 32;

    /** A target is kept in one of so many places. */
    private static final int WAYS = 4;

    /** No address that {@link #jump} is given. */
    private static final long NOWHERE = 1L << 63;

    private static final long[] UNUSED = filled();

    /** Where it went, for the translator. */
    private long[] went = UNUSED;

    private static long[] filled() {
        long[] all = new long[SIZE];
        Arrays.fill(all, NOWHERE);
        return all;
    }

    /** Goes to a canonical address. */
    final @Nullable Op jump(Core core, long rip) {
        int slot = (int) (rip ^ rip >>> 4 ^ rip >>> 9) & SIZE - 1;
        if (went[slot] != rip) {
            note(rip, slot);
        }
        return core.jump(rip);
    }

    private void note(long rip, int slot) {
        if (went == UNUSED) {
            went = filled();
        }
        int at = slot;
        for (int i = 0; i < WAYS; i++, at = at + 1 & SIZE - 1) {
            if (went[at] == rip) {
                return;
            }
            if (went[at] == NOWHERE) {
                break;
            }
        }
        went[at] = rip;
    }

    /** Where it went, as far as that is kept. */
    final long[] targets() {
        return Arrays.stream(went).filter(rip -> rip != NOWHERE).toArray();
    }
}

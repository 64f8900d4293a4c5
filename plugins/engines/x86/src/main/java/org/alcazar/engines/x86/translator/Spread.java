package org.alcazar.engines.x86.translator;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Spreads addresses over the places of a small table, no two in one place: {@code (int) address *
 * factor >>> shift}. HotSpot jumps through a table if its cases are dense.
 *
 * @param factor odd
 * @param shift 32 less log2 of the places
 */
record Spread(int factor, int shift) {
    private static final int GOLDEN = 0x9e3779b9;

    /** Tables of one size that are tried. */
    private static final int TRIES = 200;

    /**
     * Finds one.
     *
     * @param addresses that differ in their low 32 bits
     */
    static Spread of(List<Long> addresses) {
        int bits = 32 - Integer.numberOfLeadingZeros(addresses.size() - 1);
        int factor = 1;
        for (int tries = 1; ; tries++) {
            Spread spread = new Spread(factor, 32 - bits);
            if (spread.fits(addresses)) {
                return spread;
            }
            factor += GOLDEN << 1;
            if (tries % TRIES == 0) {
                bits++;
            }
        }
    }

    private boolean fits(List<Long> addresses) {
        Set<Integer> places = new HashSet<>();
        return addresses.stream().allMatch(a -> places.add(place(a)));
    }

    int place(long address) {
        return (int) address * factor >>> shift;
    }

    int places() {
        return 1 << 32 - shift;
    }
}

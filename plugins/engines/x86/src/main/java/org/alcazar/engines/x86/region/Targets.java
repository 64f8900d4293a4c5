package org.alcazar.engines.x86.region;

import org.alcazar.engines.x86.state.Cpu;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/** The regions of one core, in one mode, that indirect calls went to lately, by address. */
public final class Targets {
    private static final int SIZE = 1024;

    /** No address of a region. */
    private static final long NOTHING = -1;

    private final long[] rips = new long[SIZE];
    private final @Nullable Region[] regions = new @Nullable Region[SIZE];

    /** Makes an empty one. */
    public Targets() {
        Arrays.fill(rips, NOTHING);
    }

    private static int slot(long rip) {
        return (int) (rip ^ rip >>> 10) & SIZE - 1;
    }

    @Nullable Region find(Cpu cpu, long rip) {
        int at = slot(rip);
        Region last = rips[at] == rip ? regions[at] : null;
        return last != null && cpu.knows(last.known) ? last : null;
    }

    void put(long rip, Region region) {
        int at = slot(rip);
        rips[at] = rip;
        regions[at] = region;
    }
}

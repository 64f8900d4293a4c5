package org.alcazar.engines.x86.region;

import org.alcazar.engines.x86.state.Cpu;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/** The regions of one core, at one privilege, that indirect calls went to lately, by address. */
public final class Targets {
    private static final int SIZE = 1024;

    /** No address of a region. */
    private static final long NOTHING = -1;

    private final long[] rips = new long[SIZE];
    private final @Nullable Region[] regions = new @Nullable Region[SIZE];

    /** {@link Cpu#epoch} for which this is right. */
    private int epoch;

    /** Makes an empty one. */
    public Targets() {
        Arrays.fill(rips, NOTHING);
    }

    private static int slot(long rip) {
        return (int) (rip ^ rip >>> 10) & SIZE - 1;
    }

    @Nullable Region find(Cpu cpu, long rip) {
        int at = slot(rip);
        return epoch == cpu.epoch && rips[at] == rip ? regions[at] : null;
    }

    void put(Cpu cpu, long rip, Region region) {
        if (epoch != cpu.epoch) {
            epoch = cpu.epoch;
            Arrays.fill(rips, NOTHING);
            Arrays.fill(regions, null);
        }
        int at = slot(rip);
        rips[at] = rip;
        regions[at] = region;
    }
}

package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.X86;

/**
 * The random numbers of a core: a counter that is scrambled, evenly spread but open to who knows
 * the seed. Each core has a stream of its own that follows from the engine's seed, so that equal
 * runs see equal numbers; where it has got to is part of the core's state.
 */
public final class RandomStream {
    private static final long STEP = 0x9e37_79b9_7f4a_7c15L;

    private RandomStream() {}

    /** Starts the stream of a core. */
    public static void seed(Cpu cpu, long seed) {
        cpu.extended[X86.RANDOM] = scramble(seed ^ scramble(cpu.index + STEP));
    }

    /** The next number, of 64 bits. */
    public static long next(Cpu cpu) {
        cpu.extended[X86.RANDOM] += STEP;
        return scramble(cpu.extended[X86.RANDOM]);
    }

    /** Each bit of the argument changes about half of the result's; no two give the same. */
    private static long scramble(long value) {
        long v = value;
        v = (v ^ v >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        v = (v ^ v >>> 27) * 0x94d0_49bb_1331_11ebL;
        return v ^ v >>> 31;
    }
}

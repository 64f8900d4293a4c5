package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.region.Region;

/** What the classes of regions extend. */
abstract class TranslatedRegion extends Region {
    /** Of the instructions whose semantics want them whole. */
    protected Instruction[] constants = {};

    /** For the ways out, by number: see {@link Ways}. */
    private long[] ways = {};

    final void constants(Instruction[] all, long[] waysOut) {
        constants = all;
        ways = waysOut;
    }

    /** The address that a way out goes to. */
    protected final long rip(int way) {
        return ways[2 * way];
    }

    /** What else there is to know of a way out. */
    protected final long rest(int way) {
        return ways[2 * way + 1];
    }
}

package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.region.Region;

/** What the classes of regions extend. */
abstract class TranslatedRegion extends Region {
    /** Of the instructions whose semantics want them whole. */
    protected Instruction[] constants = {};

    final void constants(Instruction[] all) {
        constants = all;
    }
}

package org.alcazar.host.tck;

import org.alcazar.host.tck.tiny.TinyFixture;

/**
 * The contract of engines holds for a big-endian machine with a software-loaded TLB, so it is
 * neutral.
 */
class TinyEngineTest extends EngineTck {
    TinyEngineTest() {
        super(new TinyFixture());
    }
}

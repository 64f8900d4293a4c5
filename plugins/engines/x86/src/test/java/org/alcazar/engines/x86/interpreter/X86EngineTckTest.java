package org.alcazar.engines.x86.interpreter;

import org.alcazar.host.tck.EngineTck;

/** The interpreter is an engine. */
class X86EngineTckTest extends EngineTck {
    X86EngineTckTest() {
        super(new X86Fixture());
    }
}

package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.TestEngines;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Guests and random code on both engines: all is translated before it runs, and each run of
 * translated code is compared with what the interpreter makes of it.
 */
@ExtendWith(TestEngines.InLockstep.class)
class LockstepTest {
    @Nested
    class MicroGuests extends MicroGuestTest {}

    @Nested
    class RandomCode extends RandomCodeTest {
        @Override
        long usual() {
            return 300;
        }
    }
}

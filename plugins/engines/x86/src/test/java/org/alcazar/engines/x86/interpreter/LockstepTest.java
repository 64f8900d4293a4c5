package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.tiers.X86LockstepProvider;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.HexFormat;
import java.util.Map;

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

    @Test
    @DisplayName("what closes an interrupt shadow closes it on both sides")
    void interruptShadow() {
        // Translated when it has run a while, so that all of the loop is one region.
        EngineProvider engine =
                new X86LockstepProvider() {
                    @Override
                    protected Translator translator(CpuModel model, Map<String, String> options) {
                        return new RegionTranslator(model.table(), 64, false);
                    }
                };
        try (BareMachine machine = new BareMachine(engine)) {
            machine.load(0x100000, HexFormat.of().parseHex("fafb90ffc975f9f4"));
            // cli; sti; nop; dec ecx; jnz; hlt
            machine.longMode(0x100000);
            machine.group(X86.GENERAL)[X86.RCX] = 1000;
            assertEquals(Exit.IDLE, machine.run(100_000));
            assertTrue(machine.core.counters().get("lockstep-verified") > 0);
        }
    }
}

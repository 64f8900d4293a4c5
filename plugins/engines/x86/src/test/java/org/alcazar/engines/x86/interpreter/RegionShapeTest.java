package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.Map;

/** What belongs together in a region: counted by how often regions are entered. */
class RegionShapeTest {
    private static final long CODE = 0x100000;
    private static final int THRESHOLD = 640;

    /** Translates at once what is hot. */
    private static final class AtOnce extends X86TranslatorProvider {
        @Override
        protected Translator translator(CpuModel model, Map<String, String> options) {
            return new RegionTranslator(model.table(), THRESHOLD, false);
        }
    }

    @Test
    @DisplayName("what a loop does every sixteenth time is in its region")
    void rareBranches() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0xf6, 0xc1, 0x0f, // 0: test cl, 15
                0x74, 0x05, //       3: jz 0xa
                0xff, 0xc9, //       5: dec ecx
                0x75, 0xf7, //       7: jnz 0
                0xf4, //             9: hlt
                0x48, 0xff, 0xc0, // a: inc rax
                0xeb, 0xf6, //       d: jmp 5
            };
            byte[] bytes = new byte[code.length];
            for (int i = 0; i < code.length; i++) {
                bytes[i] = (byte) code[i];
            }
            machine.load(CODE, bytes);
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 160_000;
            machine.group(X86.GENERAL)[X86.RAX] = 0;
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(10_000, machine.register(X86.RAX));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("regions-installed") > 0);
            assertTrue(counters.get("region-runs") < 100, counters::toString);
        }
    }
}

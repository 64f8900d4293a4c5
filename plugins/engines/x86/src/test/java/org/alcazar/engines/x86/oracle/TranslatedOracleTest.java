package org.alcazar.engines.x86.oracle;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** The same with all code translated before it runs. */
@ExtendWith(TestEngines.Translated.class)
class TranslatedOracleTest extends OracleTest {
    @Override
    int usual() {
        return 4;
    }

    @Override
    int smallest() {
        return 32;
    }

    @AfterEach
    void regionsHaveRun() {
        counters().forEach((name, count) -> System.out.println(name + " " + count));
        assertTrue(counters().getOrDefault("region-runs", 1L) > 0);
    }
}

package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;

class FootprintTest {
    private static final String COUNTERS =
            """
            sun.gc.generation.0.space.0.used=10
            sun.gc.generation.1.space.0.used=200
            sun.gc.generation.1.space.0.capacity=4000
            sun.gc.metaspace.used=3000
            """;

    private static final String LOADERS =
            """
            0x0000  0x0000  0x01     137  5  6  org.apache.felix.framework.BundleWiringImpl$BundleClassLoader
            0x0000  0x0000  0x02       6  5  6  org.apache.felix.framework.BundleWiringImpl$BundleClassLoader
                                       9  5  6   + hidden classes
            0x0000  0x0000  0x03     972  5  6  jdk.internal.loader.ClassLoaders$AppClassLoader
            Total = 3                1124  15  18
            """;

    @Test
    void readsWhatTheJdksToolPrints() throws Exception {
        assertEquals(new Footprint(210, 3000, 1124, 2), Footprint.of(COUNTERS, LOADERS));
        assertThrows(IOException.class, () -> Footprint.of("", LOADERS));
    }

    @Test
    void looksIntoAJvm() throws Exception {
        Footprint own = Footprint.of(ProcessHandle.current().pid());
        assertTrue(own.heap() > 0 && own.metaspace() > 0 && own.classes() > 0, own.toString());
        assertEquals(0, own.loaders());
    }
}

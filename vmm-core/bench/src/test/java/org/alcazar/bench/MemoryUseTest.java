package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Map;

class MemoryUseTest {
    private static final String STATISTICS =
            """
            { "process-memory": {
                "heap": { "used": 104857600, "committed": 209715200, "peak": 157286400, "live": 1 },
                "metaspace": { "used": 20971520, "committed": 20971520, "peak": 20971520 },
                "code-cache": { "used": 31457280, "committed": 31457280, "peak": 41943040 } },
              "memory": { "guest-bytes": 536870912 } }
            """;

    @Test
    void partsAddUp() {
        MemoryUse use = MemoryUse.parse(STATISTICS);
        assertEquals(150, use.total("used"));
        assertEquals(210, use.total("peak"));
        assertEquals(250, use.total("committed"));
        assertEquals(
                "MiB of Alcazar's process at its end (peak): heap 100 (150), metaspace 20 (20),"
                        + " code-cache 30 (40), together 150 (210), committed 250; at most 400 are"
                        + " wanted",
                use.text());
    }

    @Test
    void aFileWithoutThemHasNone() {
        assertEquals(Map.of(), MemoryUse.parse("{\"status\": 0}").bytes());
    }
}

package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostPrimitives.Daemon;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class PrimitivesTest {
    private enum Thing implements Counted {
        PAGE_ALLOCATION,
        MESSAGE;

        @Override
        public String meaning() {
            return "a " + key();
        }
    }

    @TempDir private Path folder;

    private static String own() throws IOException {
        try (InputStream in = Thing.class.getResourceAsStream(Primitives.RESOURCE)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private Primitives<Thing> read(String text) throws IOException, HostRefusal {
        Path file = Files.writeString(folder.resolve("costs"), text);
        return Primitives.read("test", Thing.class, file.toString());
    }

    @Test
    void countsArePricedByTheHostsOwnTable() throws HostRefusal {
        Primitives<Thing> primitives = Primitives.read("test", Thing.class, "");
        primitives.count(Thing.MESSAGE);
        primitives.count(Thing.MESSAGE, 4);
        assertEquals(Map.of("page-allocation", 0L, "message", 5L), primitives.counts());
        assertEquals(
                List.of("page-allocation", "message"), List.copyOf(primitives.counts().keySet()));
        var first = primitives.primitives().getFirst();
        assertEquals("page-allocation", first.name());
        assertEquals("a page-allocation", first.meaning());
        assertEquals(1200, first.cycles());
        assertEquals("counted by hand", first.source());
        assertEquals(500, primitives.cycles(Thing.MESSAGE));
        assertEquals(2_000_000_000, primitives.machine().hertz());
        assertEquals(250, primitives.noise().ticksPerSecond());
        assertEquals(
                List.of(new Daemon("flusher", 5_000_000_000L, 100_000)),
                primitives.noise().daemons());
    }

    @Test
    void nothingIsLostWhereManyCount() throws Exception {
        Primitives<Thing> primitives = Primitives.read("test", Thing.class, "");
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int j = 0; j < 10_000; j++) {
                                    primitives.count(Thing.PAGE_ALLOCATION);
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(40_000, primitives.counted(Thing.PAGE_ALLOCATION));
    }

    @Test
    void aFileReplacesTheTable() throws Exception {
        Primitives<Thing> primitives = read(own().replace("= 500", "= 7"));
        assertEquals(7, primitives.cycles(Thing.MESSAGE));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "message.cycles = 500 | | the key 'message.cycles' is missing",
                "message.cycles | mesage.cycles | the key 'message.cycles' is missing; is"
                        + " 'mesage.cycles' meant for it?",
                "= 500 | = -5 | message.cycles: '-5' is not a whole number of at least 0",
                "= 500 | = many | message.cycles: 'many' is not a whole number of at least 0",
                "machine.hertz = 2000000000 | | the key 'machine.hertz' is missing",
                "hertz = 2000000000 | hertz = 0 | machine.hertz: 0 is no frequency",
                "a paper | | the key 'message.source' is missing",
                "daemon.flusher.cycles = 100000 | | the key 'daemon.flusher.cycles' is missing",
                "= 5s | = soon | daemon.flusher.period: 'soon' is not a time such as 250ms",
                "noise.tick-cycles = 3000 | noise.tick-cycles = 3000\\ncolour=red | unknown key"
                        + " 'colour'",
                "noise.tick-cycles = 3000 | message.cycles = 1 | 'message.cycles' is given twice",
            })
    void aFileThatIsWrongIsRefusedInOneLine(String from, String to, String message)
            throws IOException {
        String text = own().replace(from, to == null ? "" : to.replace("\\n", "\n"));
        HostRefusal refusal = assertThrows(HostRefusal.class, () -> read(text));
        assertEquals(
                "host test: " + folder.resolve("costs") + ": " + message, refusal.getMessage());
    }

    @Test
    void aFileThatIsNotThereIsRefused() {
        HostRefusal refusal =
                assertThrows(
                        HostRefusal.class,
                        () -> Primitives.read("test", Thing.class, folder + "/no"));
        assertTrue(refusal.getMessage().startsWith("host test: costs: " + folder + "/no can't"));
    }
}

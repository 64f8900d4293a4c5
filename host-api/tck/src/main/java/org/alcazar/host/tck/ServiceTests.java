package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPackets;
import org.alcazar.host.HostPackets.Channel;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostPrimitives.Primitive;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.host.HostTopology;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Optional services, each where there is one, and all services together. */
abstract class ServiceTests extends PortalTests {
    /** A name of {@link HostPackets} whose two ends find each other when it is opened twice. */
    Optional<String> packetPair() {
        return Optional.empty();
    }

    private <T> T optional(Class<T> service) {
        Optional<T> found = host().find(service);
        assumeTrue(found.isPresent(), () -> "a host may have no " + service.getSimpleName());
        return found.orElseThrow();
    }

    @Test
    void anUnknownServiceIsAbsentAndAKnownOneAlwaysTheSame() {
        assertTrue(host().find(Runnable.class).isEmpty());
        for (Class<?> service : List.of(HostFiles.class, HostConsoles.class, HostPackets.class)) {
            assertEquals(host().find(service), host().find(service));
        }
    }

    @Test
    void filesAppearWholeOrNotAtAll(@TempDir Path folder) throws IOException {
        HostFiles files = optional(HostFiles.class);
        String path = folder.resolve("state").toString();
        files.write(path, out -> out.write("old".getBytes(StandardCharsets.UTF_8)));
        assertThrows(
                IOException.class,
                () ->
                        files.write(
                                path,
                                out -> {
                                    out.write(1);
                                    throw new IOException("disk full");
                                }));
        assertEquals("old", Files.readString(Path.of(path)));
        assertEquals(3, files.size(path));
        try (var in = files.read(path)) {
            assertArrayEquals("old".getBytes(StandardCharsets.UTF_8), in.readAllBytes());
        }
        try (var left = Files.list(folder)) {
            assertEquals(1, left.count(), "nothing half-made stays");
        }
    }

    @Test
    void filesThatAreMissingAreTold(@TempDir Path folder) {
        HostFiles files = optional(HostFiles.class);
        String path = folder.resolve("nobody/wrote/this").toString();
        assertThrows(IOException.class, () -> files.size(path));
        assertThrows(IOException.class, () -> files.read(path));
        assertThrows(IOException.class, () -> files.write(path, out -> out.write(1)));
    }

    @Test
    void consolesWriteInOrder(@TempDir Path folder) throws Exception {
        HostConsoles consoles = optional(HostConsoles.class);
        Path file = folder.resolve("console");
        StringBuilder expected = new StringBuilder();
        try (HostConsoles.Console console = consoles.open("file:" + file)) {
            console.onInput(octet -> {});
            for (int i = 0; i < 100_000; i++) {
                console.write('a' + i % 26);
                expected.append((char) ('a' + i % 26));
            }
            console.flush();
            assertEquals(expected.toString(), Files.readString(file));
            console.write('!');
        }
        assertEquals(expected + "!", Files.readString(file), "close writes the rest");
    }

    @Test
    void consolesThatAreNotThereAreRefused(@TempDir Path folder) throws HostRefusal {
        HostConsoles consoles = optional(HostConsoles.class);
        for (String name :
                List.of("nowhere", "", "file:", "file:" + folder, "file:" + folder + "/x/y")) {
            refused(() -> consoles.open(name));
        }
        AtomicInteger typed = new AtomicInteger();
        HostConsoles.Console none = consoles.open("none");
        none.onInput(octet -> typed.incrementAndGet());
        none.write('x');
        none.flush();
        none.close();
        none.close();
        none.write('y'); // nobody reads it
        assertEquals(0, typed.get());
    }

    @Test
    void framesTravelWholeAndInOrderOrAreCounted() throws Exception {
        HostPackets packets = optional(HostPackets.class);
        assumeTrue(packetPair().isPresent(), "the host's test names no channel");
        String name = packetPair().orElseThrow();
        int frames = 64;
        List<byte[]> received = new CopyOnWriteArrayList<>();
        CountDownLatch first = new CountDownLatch(1);
        try (Channel a = packets.open(name);
                Channel b = packets.open(name)) {
            b.onReceive((frame, bytes) -> {
                byte[] copy = new byte[bytes];
                System.arraycopy(frame, 0, copy, 0, bytes);
                received.add(copy);
                first.countDown();
            });
            int sent = 0;
            for (int i = 0; i < frames; i++) {
                byte[] frame = new byte[100 + i];
                frame[10] = (byte) i;
                frame[frame.length - 1] = (byte) ~i;
                sent += a.send(frame, 10, frame.length - 10) ? 1 : 0;
            }
            await(first, "every single frame");
            int arrived = sent;
            until(() -> received.size() + b.dropped() >= arrived, "a frame that was not counted");
            assertEquals(frames, sent + a.dropped());
            int last = -1;
            for (byte[] frame : received) {
                assertTrue(frame[0] > last, "in order");
                last = frame[0];
                assertEquals(90 + last, frame.length);
                assertEquals((byte) ~last, frame[frame.length - 1]);
            }
            byte[] longest = new byte[HostPackets.LONGEST_FRAME + 1];
            assertThrows(IllegalArgumentException.class, () -> a.send(longest, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> a.send(longest, 0, longest.length));
            assertThrows(IndexOutOfBoundsException.class, () -> a.send(new byte[9], 5, 5));
        }
        packets.open(name).close(); // both ends are free again
    }

    @Test
    void channelsOfNoKnownFormAreRefused() {
        HostPackets packets = optional(HostPackets.class);
        for (String name : List.of("", "lan0", "pigeon:lan0")) {
            refused(() -> packets.open(name));
        }
    }

    @Test
    void topologySpeaksOfTheProcessorsThatThereAre() {
        HostTopology topology = optional(HostTopology.class);
        List<HostTopology.Node> nodes = topology.nodes();
        assertFalse(nodes.isEmpty());
        Set<Integer> numbers = new HashSet<>();
        Set<Integer> cpus = new HashSet<>();
        for (int i = 0; i < nodes.size(); i++) {
            HostTopology.Node node = nodes.get(i);
            assertTrue(numbers.add(node.number()), () -> "twice: " + node);
            assertTrue(node.bytes() >= 0, node::toString);
            assertEquals(nodes.size(), node.distances().size(), node::toString);
            assertEquals(10, node.distances().get(i), node::toString);
            assertTrue(node.distances().stream().allMatch(d -> d >= 10), node::toString);
            for (int cpu : node.cpus()) {
                assertTrue(cpu >= 0 && cpu < processors().count(), node::toString);
                assertTrue(cpus.add(cpu), () -> "at two nodes: " + cpu);
            }
        }
        int level = 0;
        for (HostTopology.Cache cache : topology.caches()) {
            assertTrue(cache.level() >= Math.max(1, level), cache::toString);
            level = cache.level();
            assertTrue(cache.bytes() > 0 && cache.lineBytes() > 0, cache::toString);
            for (int cpu : cache.cpus()) {
                assertTrue(cpu >= 0 && cpu < processors().count(), cache::toString);
            }
        }
    }

    @Test
    void aPreferredNodeIsAPreferenceAlone() throws HostRefusal {
        for (HostTopology.Node node : optional(HostTopology.class).nodes()) {
            PageExtent extent =
                    memory().allocate(
                                    new PageRequest(
                                            "node", 1, 4096, node.number(), Long.MAX_VALUE));
            memory().free(extent);
        }
    }

    @Test
    void primitivesAreNamedPricedAndExplained() {
        HostPrimitives primitives = optional(HostPrimitives.class);
        List<String> names = new ArrayList<>();
        for (Primitive primitive : primitives.primitives()) {
            assertTrue(primitive.name().matches("[a-z0-9]+(-[a-z0-9]+)*"), primitive::toString);
            assertTrue(primitive.cycles() >= 0, primitive::toString);
            oneLine(primitive.meaning());
            oneLine(primitive.source());
            names.add(primitive.name());
        }
        assertEquals(names.size(), new HashSet<>(names).size(), "names are used once");
        assertEquals(names, List.copyOf(primitives.counts().keySet()));
        assertTrue(primitives.machine().hertz() > 0, () -> "" + primitives.machine());
        oneLine(primitives.machine().source());
        HostPrimitives.Noise noise = primitives.noise();
        assertTrue(noise.ticksPerSecond() >= 0 && noise.tickCycles() >= 0, noise::toString);
        oneLine(noise.source());
        for (HostPrimitives.Daemon daemon : noise.daemons()) {
            oneLine(daemon.name());
            assertTrue(daemon.periodNanos() > 0 && daemon.cycles() >= 0, daemon::toString);
        }
    }

    @Test
    void countsOfPrimitivesNeverGoBackAndSomeMove() throws Exception {
        HostPrimitives primitives = optional(HostPrimitives.class);
        Map<String, Long> before = primitives.counts();
        assertTrue(before.values().stream().allMatch(count -> count >= 0), before::toString);
        Map<String, Long> first = before;
        for (int i = 0; i < 5; i++) {
            doSomeOfEverything(i);
            Map<String, Long> now = primitives.counts();
            Map<String, Long> last = before;
            last.forEach((name, count) -> assertTrue(now.getOrDefault(name, -1L) >= count, name));
            before = now;
        }
        assertFalse(before.equals(first), "memory, threads and timers cost this host nothing");
    }

    private void doSomeOfEverything(int number) throws Exception {
        PageExtent extent = memory().allocate(PageRequest.of("all" + number, 1 + number));
        CountDownLatch fired = new CountDownLatch(1);
        try (HostTimer timer = clock().timer("all", fired::countDown)) {
            timer.arm(clock().nanoTime() + 1000);
            await(fired, "a timer beside all the rest");
        }
        CountDownLatch ran = new CountDownLatch(1);
        join(
                start(() -> {
                    processors().sleep(1000);
                    ran.countDown();
                }));
        await(ran, "a thread beside all the rest");
        assertEquals(extent.bytes(), memory().bytesInUse("all" + number));
        memory().free(extent);
    }

    @Test
    void allServicesWorkTogetherFromManyThreads(@TempDir Path folder) throws Exception {
        Optional<HostFiles> files = host().find(HostFiles.class);
        together(
                4,
                number -> {
                    for (int i = 0; i < 12; i++) {
                        doSomeOfEverything(number);
                        processors().callOn(i % processors().count(), () -> {});
                        refused(() -> memory().allocate(PageRequest.of("greedy", Long.MAX_VALUE)));
                        if (files.isPresent()) {
                            String path = folder.resolve("f" + number).toString();
                            files.get().write(path, out -> out.write(number));
                            assertEquals(1, files.get().size(path));
                        }
                    }
                });
        assertEquals(0, memory().bytesInUse("greedy"));
        assertEquals(0, HostMemory.PAGE_SIZE % 4096);
    }

    @Test
    void notesAreLines() {
        optional(HostNotes.class).notes().forEach(HostSuite::oneLine);
    }
}

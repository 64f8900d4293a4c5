package org.alcazar.hosts.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostPackets;
import org.alcazar.host.HostPackets.Channel;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PacketsTest {
    @TempDir private Path folder;
    private LinuxHost host;
    private HostPackets packets;
    private long before;

    @BeforeEach
    void open() throws Exception {
        LinuxHostTest.open("memory=64M").close();
        before = ThreadsTest.descriptors();
        host = LinuxHostTest.open("memory=64M");
        packets = host.find(HostPackets.class).orElseThrow();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        host.close();
        ThreadsTest.awaitDescriptors(before);
        try (var left = Files.list(folder)) {
            assertEquals(0, left.count(), "sockets' files");
        }
    }

    private static byte[] frame(int bytes, int seed) {
        byte[] frame = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            frame[i] = (byte) (seed + i);
        }
        return frame;
    }

    private static BlockingQueue<byte[]> received(Channel channel) {
        BlockingQueue<byte[]> queue = new LinkedBlockingQueue<>();
        channel.onReceive((bytes, count) -> queue.add(Arrays.copyOf(bytes, count)));
        return queue;
    }

    private String name(String form) {
        return form.replace("FOLDER", folder.toString())
                .replace("PID", "alcazar-test-" + ProcessHandle.current().pid());
    }

    @ParameterizedTest
    @ValueSource(strings = {"pair:lan", "unix:FOLDER/lan", "unix:@PID"})
    void framesPassWholeAndInOrderBothWays(String form) throws Exception {
        try (Channel a = packets.open(name(form));
                Channel b = packets.open(name(form))) {
            BlockingQueue<byte[]> atA = received(a);
            BlockingQueue<byte[]> atB = received(b);
            for (int i = 0; i < 50; i++) {
                byte[] there = frame(60 + 37 * i, i);
                byte[] back = frame(1 + i, -i);
                assertTrue(b.send(back, 0, back.length));
                assertArrayEquals(back, atA.take());
                assertTrue(a.send(there, 0, there.length));
                assertArrayEquals(there, atB.take());
            }
            byte[] longest = frame(HostPackets.LONGEST_FRAME, 7);
            assertTrue(a.send(longest, 0, longest.length));
            assertArrayEquals(longest, atB.take());
            assertTrue(a.send(longest, 10, 20));
            assertArrayEquals(Arrays.copyOfRange(longest, 10, 30), atB.take());
            assertEquals(0, a.dropped() + b.dropped());
        }
        var counts = host.find(HostPrimitives.class).orElseThrow().counts();
        assertEquals(102, counts.get("packet-sent"));
        assertEquals(102, counts.get("packet-received"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pair:lan", "unix:FOLDER/lan", "unix:@PID"})
    void aThirdEndIsRefusedUntilOneIsClosed(String form) throws Exception {
        try (Channel a = packets.open(name(form))) {
            Channel b = packets.open(name(form));
            if (!form.startsWith("pair")) { // a pair's name is free again when both have it
                HostRefusal refusal =
                        assertThrows(HostRefusal.class, () -> packets.open(name(form)));
                assertTrue(refusal.getMessage().endsWith("both ends are in use"));
            }
            b.close();
            packets.open(name(form)).close();
            assertFalse(a.send(new byte[60], 0, 60), "nobody there");
        }
    }

    /** As a TAP device which was deleted: it is always ready, and reading it always fails. */
    @Test
    void aReceiverWhoseDescriptorIsBrokenEnds() throws Exception {
        int writeOnly = 1;
        try (Arena arena = Arena.ofConfined()) {
            long broken =
                    Syscall.OPENAT.call(
                            -100, arena.allocateFrom("/dev/null").address(), writeOnly, 0);
            var primitives = Primitives.read("linux", LinuxPrimitive.class, "");
            try (Channel channel = new PacketChannel("broken", (int) broken, primitives)) {
                channel.onReceive((bytes, count) -> {});
                while (Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().equals("packets-broken"))) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void aReceiverThatDoesNotComeLosesFramesAndBlocksNobody() throws Exception {
        try (Channel a = packets.open("pair:lan");
                Channel b = packets.open("pair:lan")) {
            int sent = 0;
            while (a.dropped() < 100) {
                sent += a.send(frame(1500, 0), 0, 1500) ? 1 : 0;
            }
            assertTrue(sent > 10, "sent " + sent);
            BlockingQueue<byte[]> atB = received(b);
            for (int i = 0; i < sent; i++) {
                assertEquals(1500, atB.take().length);
            }
            assertTrue(a.send(frame(5, 0), 0, 5));
            assertEquals(5, atB.take().length);
        }
    }

    @Test
    void whoStaysGoesOnWithWhoeverComesNext() throws Exception {
        String name = name("unix:FOLDER/lan");
        try (Channel a = packets.open(name)) {
            assertFalse(a.send(frame(9, 0), 0, 9), "nobody there yet");
            Channel first = packets.open(name);
            assertTrue(a.send(frame(9, 0), 0, 9));
            first.close();
            assertFalse(a.send(frame(9, 0), 0, 9), "nobody there any more");
            try (Channel b = packets.open(name)) {
                BlockingQueue<byte[]> atB = received(b);
                assertTrue(a.send(frame(9, 3), 0, 9));
                assertArrayEquals(frame(9, 3), atB.take());
            }
            assertEquals(2, a.dropped());
        }
    }

    @Test
    void aSocketsFileThatACrashLeftIsTakenOver() throws Exception {
        String name = name("unix:FOLDER/lan");
        Path file = folder.resolve("lan.a");
        Channel crashed = packets.open(name);
        Path kept = Files.createLink(folder.resolve("kept"), file);
        crashed.close();
        Files.move(kept, file); // a socket's file with nobody behind it
        try (Channel a = packets.open(name);
                Channel b = packets.open(name)) {
            BlockingQueue<byte[]> atA = received(a);
            assertTrue(b.send(frame(9, 3), 0, 9));
            assertArrayEquals(frame(9, 3), atA.take());
        }
    }

    @Test
    void aSinkMayCloseItsOwnChannel() throws Exception {
        Channel a = packets.open("pair:lan");
        BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
        try (Channel b = packets.open("pair:lan")) {
            a.onReceive((bytes, count) -> {
                a.close();
                seen.add(count);
            });
            assertTrue(b.send(new byte[9], 0, 9));
            assertEquals(9, seen.take());
            while (b.send(new byte[9], 0, 9)) { // until the other end is really gone
                Thread.onSpinWait();
            }
            assertFalse(a.send(new byte[9], 0, 9));
        }
    }

    @Test
    void aSinkThatThrowsLosesThatFrameAlone() throws Exception {
        try (Channel a = packets.open("pair:lan");
                Channel b = packets.open("pair:lan")) {
            BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
            a.onReceive((bytes, count) -> {
                if (count == 1) {
                    throw new IllegalStateException("a bug");
                }
                seen.add(count);
            });
            b.send(new byte[9], 0, 1);
            b.send(new byte[9], 0, 2);
            assertEquals(2, seen.take());
            assertEquals(1, a.dropped());
        }
    }

    @Test
    void wrongNamesAndFramesAreRefused() throws Exception {
        for (String name : new String[] {"lan", "tap:", "tap:0123456789abcdef", "unix:", "x:y"}) {
            HostRefusal refusal = assertThrows(HostRefusal.class, () -> packets.open(name));
            assertEquals(1, refusal.getMessage().lines().count(), refusal.getMessage());
        }
        assertThrows(HostRefusal.class, () -> packets.open("unix:" + folder + "/no/such/lan"));
        try (Channel a = packets.open("pair:lan")) {
            assertThrows(IllegalArgumentException.class, () -> a.send(new byte[9], 0, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> a.send(new byte[9], 5, 5));
            byte[] tooLong = new byte[HostPackets.LONGEST_FRAME + 1];
            assertThrows(IllegalArgumentException.class, () -> a.send(tooLong, 0, tooLong.length));
        }
    }

    @Test
    void aTapGivesTheKernelsFramesOrSaysWhatIsMissing() throws Exception {
        String device = "alca" + ProcessHandle.current().pid() % 100_000;
        Channel tap;
        try {
            tap = packets.open("tap:" + device);
        } catch (HostRefusal e) {
            assertTrue(e.getMessage().contains("CAP_NET_ADMIN"), e.getMessage());
            assertTrue(e.getMessage().contains("need no privilege"), e.getMessage());
            return;
        }
        try (tap) {
            assertFalse(tap.send(frame(60, 0), 0, 60), "the device is down");
            Path flags = Path.of("/sys/class/net/" + device + "/flags");
            if (Files.isWritable(flags)) {
                Files.writeString(flags, "0x1003"); // up, broadcast, multicast
                assertTrue(tap.send(frame(60, 0), 0, 60));
                Path count = Path.of("/sys/class/net/" + device + "/statistics/rx_packets");
                assertEquals("1", Files.readString(count).strip());
            }
            assertNotNull(received(tap));
        }
    }
}

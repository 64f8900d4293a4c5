package org.alcazar.hosts.minix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** Consoles that fail or are stuck: the driver lives, and other lines go on. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConsolesTest {
    @TempDir private Path folder;

    private static HostConsoles consoles(MinixHost host) {
        return host.find(HostConsoles.class).orElseThrow();
    }

    private static long crashes(MinixHost host) {
        return host.find(HostPrimitives.class)
                .orElseThrow()
                .counts()
                .getOrDefault("server-crash", -1L);
    }

    private static void write(HostConsoles.Console console, String text) {
        for (byte octet : text.getBytes(StandardCharsets.US_ASCII)) {
            console.write(octet);
        }
    }

    @Test
    void aNameThatIsNoPathIsRefused() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            HostRefusal refusal =
                    assertThrows(HostRefusal.class, () -> consoles(host).open("file:a" + (char) 0));
            assertTrue(refusal.getMessage().startsWith("console file: "), refusal.getMessage());
            assertEquals(0, crashes(host));
        }
    }

    @Test
    void outputThatFailsIsLostAndTheDriverLives() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")));
        try (MinixHost host = MinixHostTest.open("memory=16M");
                HostConsoles.Console console = consoles(host).open("file:/dev/full")) {
            for (int i = 0; i < 4; i++) {
                write(console, "x".repeat(3000));
                console.flush();
            }
            assertEquals(0, crashes(host));
        }
    }

    /** As a terminal that Ctrl-S has stopped. */
    private static final class StuckStream extends OutputStream {
        private final CountDownLatch stuck = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);

        @Override
        public void write(int octet) {
            stuck.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void aConsoleThatIsStuckHoldsUpNoOther() throws Exception {
        PrintStream standardOutput = System.out;
        StuckStream stream = new StuckStream();
        Path file = folder.resolve("console");
        System.setOut(new PrintStream(stream, true, StandardCharsets.US_ASCII));
        try (MinixHost host = MinixHostTest.open("memory=16M");
                HostConsoles.Console stuck = consoles(host).open("stdio")) {
            write(stuck, "a");
            stream.stuck.await();
            try (HostConsoles.Console other = consoles(host).open("file:" + file)) {
                write(other, "goes on");
                other.flush();
                assertEquals("goes on", Files.readString(file));
            }
            stream.go.countDown();
        } finally {
            stream.go.countDown();
            System.setOut(standardOutput);
        }
    }
}

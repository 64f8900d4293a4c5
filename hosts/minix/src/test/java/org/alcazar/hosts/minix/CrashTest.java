package org.alcazar.hosts.minix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Servers crash at each of their messages, and whoever works with them does not notice. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CrashTest {
    private static final int INPUT = 300;

    private final InputStream standardInput = System.in;

    @TempDir private Path folder;

    @AfterEach
    void restoreStandardInput() {
        System.setIn(standardInput);
    }

    private static HostPrimitives primitives(MinixHost host) {
        return host.find(HostPrimitives.class).orElseThrow();
    }

    private static long count(MinixHost host, String name) {
        return primitives(host).counts().getOrDefault(name, -1L);
    }

    private static void memory(MinixHost host) throws HostRefusal {
        List<PageExtent> extents = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            PageExtent extent = host.memory().allocate(PageRequest.of("vm:" + i, i));
            assertEquals(0, HostRam.getLong(extent.address()));
            HostRam.fill(extent.address(), extent.bytes(), (byte) i);
            extents.add(extent);
        }
        host.memory().free(extents.remove(1));
        extents.add(host.memory().allocate(PageRequest.of("vm:4", 2)));
        HostRefusal refusal =
                assertThrows(
                        HostRefusal.class,
                        () -> host.memory().allocate(PageRequest.of("vm:5", 1 << 20)));
        assertTrue(String.valueOf(refusal.getMessage()).contains("raise process-memory"));
        assertEquals(1, HostRam.getByte(extents.get(0).address()));
        assertEquals(3, HostRam.getByte(extents.get(1).address()));
        assertEquals(0, HostRam.getByte(extents.get(2).address()));
        assertEquals(6 << 12, host.kernel().memory().inUse(), "each once, and none is left over");
        extents.forEach(host.memory()::free);
        assertEquals(0, host.kernel().memory().inUse());
        assertEquals(0, host.memory().bytesInUse(""));
        assertThrows(IllegalArgumentException.class, () -> host.memory().free(extents.getFirst()));
    }

    private static void time(MinixHost host) throws InterruptedException {
        long start = host.clock().nanoTime();
        for (int i = 0; i < 5; i++) {
            assertTrue(host.clock().epochNanos() > 0);
        }
        AtomicInteger never = new AtomicInteger();
        CountDownLatch fired = new CountDownLatch(2);
        try (HostTimer first = host.clock().timer("first", fired::countDown);
                HostTimer second = host.clock().timer("second", fired::countDown);
                HostTimer cancelled = host.clock().timer("no", never::incrementAndGet)) {
            cancelled.arm(start + 3_600_000_000_000L); // the others overtake it
            cancelled.cancel();
            second.arm(start + 2_000_000);
            first.arm(start + 1_000_000);
            fired.await();
        }
        assertEquals(0, never.get());
        assertTrue(host.clock().nanoTime() - start >= 2_000_000);
    }

    private void console(MinixHost host) throws Exception {
        HostConsoles consoles = host.find(HostConsoles.class).orElseThrow();
        Path file = folder.resolve("console");
        StringBuilder text = new StringBuilder();
        try (HostConsoles.Console console = consoles.open("file:" + file)) {
            for (int part = 0; part < 2; part++) {
                for (int i = 0; i < 3000; i++) {
                    console.write('a' + i % 26);
                    text.append((char) ('a' + i % 26));
                }
                console.flush();
            }
            assertEquals(text.toString(), Files.readString(file));
        }
        assertEquals(text.toString(), Files.readString(file));
        assertThrows(HostRefusal.class, () -> consoles.open("nowhere"));
        assertEquals(0, host.kernel().terminals().size());
    }

    private static void input(MinixHost host) throws Exception {
        byte[] bytes = new byte[INPUT];
        for (int i = 0; i < INPUT; i++) {
            bytes[i] = (byte) i;
        }
        System.setIn(new ByteArrayInputStream(bytes));
        HostConsoles consoles = host.find(HostConsoles.class).orElseThrow();
        CountDownLatch there = new CountDownLatch(INPUT);
        AtomicInteger next = new AtomicInteger();
        AtomicReference<String> wrong = new AtomicReference<>("");
        try (HostConsoles.Console console = consoles.open("stdio")) {
            console.onInput(octet -> {
                int expected = next.getAndIncrement() & 0xff;
                if (octet != expected) {
                    wrong.compareAndSet("", octet + " instead of " + expected);
                }
                there.countDown();
            });
            there.await();
        }
        assertEquals("", wrong.get());
        assertEquals(INPUT, next.get());
    }

    private void workload(MinixHost host, ServerName server) throws Exception {
        switch (server) {
            case PM -> time(host);
            case VM -> memory(host);
            case TTY -> {
                console(host);
                input(host);
            }
            default -> throw new IllegalArgumentException(server.label());
        }
    }

    /** How many messages there are may differ from run to run: on until there are no more. */
    private void crashAtEachMessage(ServerName server, int least) throws Exception {
        for (long at = 1; ; at++) {
            boolean crashed = false;
            for (Crashes.Moment moment : Crashes.Moment.values()) {
                crashed |= crashes(new Crashes.Plan(server, at, moment));
            }
            if (!crashed) {
                assertTrue(at > least, at - 1 + " messages");
                return;
            }
        }
    }

    /** Whether it came to that. */
    private boolean crashes(Crashes.Plan plan) throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            host.crashes().plan(plan);
            workload(host, plan.server());
            long crashed = count(host, "server-crash");
            while (count(host, "server-restart") < crashed) {
                Thread.onSpinWait();
            }
            assertEquals(1 + crashed, host.kernel().mailbox(plan.server()).generation());
            return crashed > 0;
        } catch (AssertionError e) {
            throw new AssertionError(plan.toString(), e);
        }
    }

    @Test
    void memoryIsNeitherLostNorGivenTwiceWhenVmCrashes() throws Exception {
        crashAtEachMessage(ServerName.VM, 8);
    }

    @Test
    void timersFireWhenPmCrashes() throws Exception {
        crashAtEachMessage(ServerName.PM, 6);
    }

    @Test
    void bytesAreNeitherLostNorDoubledWhenTtyCrashes() throws Exception {
        crashAtEachMessage(ServerName.TTY, 8);
    }

    @Test
    void anOptionHasAServerCrashAndTheNotesSaySo() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M,crash=vm:3")) {
            memory(host);
            assertEquals(1, count(host, "server-crash"));
            assertEquals(1, count(host, "resend"));
            String notes = String.join("\n", host.find(HostNotes.class).orElseThrow().notes());
            assertTrue(
                    notes.contains("1 servers crashed, 1 restarted, 1 requests sent again"), notes);
        }
        for (String wrong : List.of("vm", "rs:1", "ds:1", "vm:0", "vm:x", "VM:1", "pm:-1")) {
            HostRefusal refusal =
                    assertThrows(
                            HostRefusal.class, () -> MinixHostTest.open("crash=" + wrong).close());
            assertEquals(
                    "host minix: crash: '"
                            + wrong
                            + "' is not SERVER:N with pm, vm or tty and a message's number, such as vm:1000",
                    refusal.getMessage());
        }
    }

    @Test
    void aRequestThatServersDieOfIsGivenUp() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            Calls calls = new Calls(host.kernel());
            host.kernel()
                    .terminals()
                    .put(
                            77L,
                            new TtyDevice(
                                    InputStream.nullInputStream(),
                                    OutputStream.nullOutputStream(),
                                    () -> {},
                                    () -> {}));
            Caller slot = calls.claim(Message.TTY_READ);
            slot.message.words[0] = 77;
            slot.message.words[3] = -1; // a position that no line has been at
            assertEquals(Message.EDEADSRCDST, calls.call(ServerName.TTY, slot));
            slot.release();
            while (count(host, "server-restart") < Calls.MOST_DEATHS) {
                Thread.yield(); // who called hears of it before it is counted
            }
            assertEquals(Calls.MOST_DEATHS, count(host, "server-crash"));
            host.kernel().terminals().remove(77L);
            console(host);
        }
    }

    @Test
    void manyCallersOutliveCrashesTogether() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=64M")) {
            List<Thread> threads = new ArrayList<>();
            AtomicReference<String> wrong = new AtomicReference<>("");
            for (int i = 0; i < 6; i++) {
                threads.add(Thread.ofPlatform().start(() -> work(host, wrong)));
            }
            for (ServerName server : List.of(ServerName.VM, ServerName.PM, ServerName.VM)) {
                long soon = host.crashes().received(server) + 20;
                host.crashes().plan(new Crashes.Plan(server, soon, Crashes.Moment.DONE));
                long before = count(host, "server-restart");
                while (count(host, "server-restart") == before
                        && threads.stream().anyMatch(Thread::isAlive)
                        && host.crashes().received(server) <= soon) {
                    Thread.yield();
                }
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals("", wrong.get());
            assertEquals(0, host.kernel().memory().inUse());
        }
    }

    private static void work(MinixHost host, AtomicReference<String> wrong) {
        try {
            for (int i = 0; i < 300; i++) {
                PageExtent extent = host.memory().allocate(PageRequest.of("t", 1 + i % 5));
                HostRam.setLong(extent.address(), i);
                long before = host.clock().nanoTime();
                if (host.clock().nanoTime() < before) {
                    wrong.set("time goes back");
                }
                if (HostRam.getLong(extent.address()) != i) {
                    wrong.set("somebody else has the page");
                }
                host.memory().free(extent);
            }
        } catch (HostRefusal | RuntimeException e) {
            wrong.set(e.toString());
        }
    }
}

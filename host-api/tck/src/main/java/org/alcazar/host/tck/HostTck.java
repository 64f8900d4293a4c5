package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What every host must do. A host's test extends it and says how to make one. Events are waited for
 * without a bound of their own; the class-wide limit is there for a host that loses one.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class HostTck {
    private static final long MIB = 1L << 20;

    @SuppressWarnings("NullAway.Init") // set before each test
    private HostKernel host;

    /** A fresh host whose memory is not in use. */
    protected abstract HostKernel newHost() throws HostRefusal;

    @BeforeEach
    final void makeHost() throws HostRefusal {
        host = newHost();
    }

    private HostMemory memory() {
        return host.memory();
    }

    @Test
    void hasANameAndAProcessor() {
        assertTrue(host.name().matches("[a-z0-9-]+"), host.name());
        assertTrue(host.processors().count() >= 1);
    }

    @Test
    void pagesAreZeroedAlignedAndAccountedToTheirOwner() throws HostRefusal {
        long before = memory().bytesInUse("");
        PageExtent extent =
                memory().allocate(
                                new PageRequest(
                                        "a", 512, 2 * MIB, PageRequest.ANY_NODE, Long.MAX_VALUE));
        assertEquals(0, extent.address() % (2 * MIB));
        assertEquals(2 * MIB, memory().bytesInUse("a"));
        assertEquals(before + 2 * MIB, memory().bytesInUse(""));
        for (long i = 0; i < extent.bytes(); i += 8) {
            assertEquals(0, HostRam.getLong(extent.address() + i));
        }
        memory().free(extent);
        assertEquals(0, memory().bytesInUse("a"));
        assertEquals(before, memory().bytesInUse(""));
    }

    @Test
    void freedPagesComeBackAsZeros() throws HostRefusal {
        PageExtent first = memory().allocate(PageRequest.of("a", 4));
        HostRam.fill(first.address(), first.bytes(), (byte) 0x5a);
        memory().free(first);
        assertEquals(0, HostRam.getLong(first.address()), "a late access reads zero");
        PageExtent second = memory().allocate(PageRequest.of("b", 4));
        for (long i = 0; i < second.bytes(); i += 8) {
            assertEquals(0, HostRam.getLong(second.address() + i));
        }
        memory().free(second);
    }

    @Test
    void sixteenBytesAreExchangedWhole() throws HostRefusal, InterruptedException {
        PageExtent extent = memory().allocate(PageRequest.of("a", 1));
        assumeTrue(HostRam.EXCHANGES_16, "a host may have no such exchange");
        long at = extent.address() + 16;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            threads.add(Thread.ofPlatform().start(() -> addToPair(at, 10_000)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(20_000, HostRam.getLong(at));
        assertEquals(60_000, HostRam.getLong(at + 8));
        assertThrows(
                IllegalArgumentException.class,
                () -> HostRam.compareAndExchange16(at + 8, MemorySegment.NULL, 0, 0));
        memory().free(extent);
    }

    /** A failed exchange tells what is there, and the next one starts from that. */
    private static void addToPair(long at, int times) {
        MemorySegment pair = MemorySegment.ofArray(new long[2]);
        for (int i = 0; i < times; ) {
            long low = pair.get(ValueLayout.JAVA_LONG, 0);
            long high = pair.get(ValueLayout.JAVA_LONG, 8);
            if (HostRam.compareAndExchange16(at, pair, low + 1, high + 3)) {
                i++;
            }
        }
    }

    @Test
    void extentsInUseDoNotOverlap() throws HostRefusal {
        List<PageExtent> extents = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            extents.add(memory().allocate(PageRequest.of("a", i)));
        }
        for (PageExtent a : extents) {
            for (PageExtent b : extents) {
                assertTrue(
                        a.equals(b)
                                || a.address() + a.bytes() <= b.address()
                                || b.address() + b.bytes() <= a.address(),
                        () -> a + " and " + b);
            }
        }
        extents.forEach(memory()::free);
    }

    @Test
    void aRefusalIsOneLineAndTakesNothing() {
        long before = memory().bytesInUse("");
        long pages = memory().totalBytes() / HostMemory.PAGE_SIZE + 1;
        HostRefusal refusal =
                assertThrows(
                        HostRefusal.class,
                        () -> memory().allocate(PageRequest.of("greedy", pages)));
        assertFalse(String.valueOf(refusal.getMessage()).contains("\n"));
        assertEquals(before, memory().bytesInUse(""));
        assertThrows(
                HostRefusal.class,
                () ->
                        memory().allocate(
                                        new PageRequest(
                                                "low", 2, 4096, PageRequest.ANY_NODE, 4096)));
        assertEquals(before, memory().bytesInUse(""));
    }

    @Test
    void whatIsNotInUseCanNotBeFreed() throws HostRefusal {
        PageExtent extent = memory().allocate(PageRequest.of("a", 1));
        memory().free(extent);
        assertThrows(IllegalArgumentException.class, () -> memory().free(extent));
    }

    @Test
    void aWildAccessThrowsAndHarmsNothing() {
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getLong(HostRam.SIZE - 4));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.setByte(-1, (byte) 1));
    }

    @Test
    void threadsRunAndEnd() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        HostThread thread = host.processors().start("tck", 0, () -> ran.set(true));
        assertTrue(thread.join(Long.MAX_VALUE));
        assertTrue(ran.get());
    }

    @Test
    void aThreadOnAMissingProcessorIsRefused() {
        int cpu = host.processors().count();
        assertThrows(HostRefusal.class, () -> host.processors().start("tck", cpu, () -> {}));
    }

    @Test
    void aThreadGoesOnWhereverItIsMoved() throws Exception {
        AtomicInteger rounds = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger();
        int last = host.processors().count() + 1;
        HostThread thread =
                host.processors()
                        .start(
                                "tck",
                                HostThread.ANY_CPU,
                                () -> {
                                    while (rounds.get() < last) {
                                        if (rounds.get() < asked.get()) {
                                            rounds.incrementAndGet();
                                        } else {
                                            host.processors().sleep(Long.MAX_VALUE);
                                        }
                                    }
                                });
        for (int cpu = HostThread.ANY_CPU; cpu < last - 1; cpu++) {
            thread.move(cpu);
            int round = asked.incrementAndGet();
            thread.wake();
            while (rounds.get() < round) {
                host.processors().yield();
            }
        }
        assertTrue(thread.join(Long.MAX_VALUE));
        thread.move(0); // it has ended: nothing happens
    }

    @Test
    void aMoveToAMissingProcessorIsRefused() throws Exception {
        HostThread thread = host.processors().start("tck", HostThread.ANY_CPU, () -> {});
        int beyond = host.processors().count();
        for (int cpu : new int[] {-2, beyond, Integer.MAX_VALUE}) {
            String why = assertThrows(HostRefusal.class, () -> thread.move(cpu)).getMessage();
            assertTrue(why != null && why.lines().count() == 1, why);
        }
        assertTrue(thread.join(Long.MAX_VALUE));
    }

    @Test
    void callOnWaitsForItsAction() {
        AtomicBoolean ran = new AtomicBoolean();
        host.processors().callOn(0, () -> ran.set(true));
        assertTrue(ran.get());
    }

    @Test
    void aWakeBeforeTheSleepIsNotLost() throws Exception {
        CountDownLatch ready = new CountDownLatch(1);
        CountDownLatch woken = new CountDownLatch(1);
        HostThread thread =
                host.processors()
                        .start(
                                "tck",
                                HostThread.ANY_CPU,
                                () -> {
                                    ready.countDown();
                                    await(woken);
                                    host.processors().sleep(Long.MAX_VALUE);
                                });
        ready.await();
        thread.wake();
        woken.countDown();
        assertTrue(thread.join(Long.MAX_VALUE));
    }

    @Test
    void kicksUnderLoadAreNeverLost() throws Exception {
        int rounds = 10_000;
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        HostThread thread =
                host.processors()
                        .start(
                                "tck",
                                HostThread.ANY_CPU,
                                () -> {
                                    while (seen.get() < rounds) {
                                        if (asked.get() == seen.get()) {
                                            host.processors().sleep(Long.MAX_VALUE);
                                        } else {
                                            seen.incrementAndGet();
                                        }
                                    }
                                });
        while (asked.get() < rounds) {
            if (seen.get() == asked.get()) {
                asked.incrementAndGet();
                thread.kick();
            } else {
                host.processors().yield();
            }
        }
        assertTrue(thread.join(Long.MAX_VALUE));
        assertEquals(rounds, seen.get());
    }

    @Test
    void sleepEndsByItself() throws Exception {
        long start = host.clock().nanoTime();
        AtomicLong end = new AtomicLong();
        HostThread thread =
                host.processors()
                        .start(
                                "tck",
                                HostThread.ANY_CPU,
                                () -> {
                                    while (host.clock().nanoTime() - start < 1_000_000) {
                                        host.processors().sleep(100_000);
                                    }
                                    end.set(host.clock().nanoTime());
                                });
        assertTrue(thread.join(Long.MAX_VALUE));
        assertTrue(end.get() - start >= 1_000_000);
    }

    @Test
    void timeNeverGoesBack() {
        long last = host.clock().nanoTime();
        for (int i = 0; i < 10_000; i++) {
            long now = host.clock().nanoTime();
            assertTrue(now - last >= 0);
            last = now;
        }
        assertTrue(host.clock().epochNanos() > 1_600_000_000_000_000_000L);
    }

    @Test
    void timersFireInOrderAndNeverEarly() throws Exception {
        List<Integer> order = new CopyOnWriteArrayList<>();
        AtomicInteger early = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(3);
        long start = host.clock().nanoTime();
        List<HostTimer> timers = new ArrayList<>();
        for (int i : new int[] {3, 1, 2}) {
            long deadline = start + i * 20_000_000L;
            HostTimer timer =
                    host.clock()
                            .timer(
                                    "tck" + i,
                                    () -> {
                                        if (host.clock().nanoTime() < deadline) {
                                            early.incrementAndGet();
                                        }
                                        order.add(i);
                                        done.countDown();
                                    });
            timer.arm(deadline);
            timers.add(timer);
        }
        done.await();
        assertEquals(List.of(1, 2, 3), order);
        assertEquals(0, early.get());
        timers.forEach(HostTimer::close);
    }

    @Test
    void aDeadlineInThePastFiresAndACancelledOneDoesNot() throws Exception {
        AtomicInteger cancelled = new AtomicInteger();
        CountDownLatch fired = new CountDownLatch(1);
        long now = host.clock().nanoTime();
        try (HostTimer never = host.clock().timer("never", cancelled::incrementAndGet);
                HostTimer late = host.clock().timer("late", fired::countDown)) {
            never.arm(now + 50_000_000);
            never.cancel();
            late.arm(now - 1);
            fired.await();
            CountDownLatch after = new CountDownLatch(1);
            try (HostTimer last = host.clock().timer("last", after::countDown)) {
                last.arm(now + 100_000_000);
                after.await();
            }
        }
        assertEquals(0, cancelled.get());
    }

    @Test
    void interruptLinesAreHookedOnceOrRefused() throws HostRefusal {
        int lines = host.interrupts().lines();
        assertThrows(HostRefusal.class, () -> host.interrupts().hook(lines, () -> {}));
        if (lines > 0) {
            HostInterrupts.Registration hook = host.interrupts().hook(0, () -> {});
            assertThrows(HostRefusal.class, () -> host.interrupts().hook(0, () -> {}));
            hook.close();
            host.interrupts().hook(0, () -> {}).close();
        }
    }

    @Test
    void anUnknownServiceIsAbsent() {
        assertTrue(host.find(Runnable.class).isEmpty());
    }

    @Test
    void filesAppearWholeOrNotAtAll(@TempDir Path folder) throws IOException {
        assumeTrue(host.find(HostFiles.class).isPresent());
        HostFiles files = host.find(HostFiles.class).orElseThrow();
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
        try (var left = Files.list(folder)) {
            assertEquals(1, left.count(), "nothing half-made stays");
        }
    }

    @Test
    void consolesWriteInOrder(@TempDir Path folder) throws Exception {
        assumeTrue(host.find(HostConsoles.class).isPresent());
        HostConsoles consoles = host.find(HostConsoles.class).orElseThrow();
        Path file = folder.resolve("console");
        StringBuilder expected = new StringBuilder();
        try (HostConsoles.Console console = consoles.open("file:" + file)) {
            for (int i = 0; i < 100_000; i++) {
                console.write('a' + i % 26);
                expected.append((char) ('a' + i % 26));
            }
            console.flush();
            assertEquals(expected.toString(), Files.readString(file));
        }
        assertThrows(HostRefusal.class, () -> consoles.open("nowhere"));
        assertThrows(HostRefusal.class, () -> consoles.open("file:" + folder));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostExitPortal.Gate;
import org.alcazar.host.HostExitPortal.Guest;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Exits as messages. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExitPortalTest {
    private static final int PAGE = 12;

    @SuppressWarnings("NullAway.Init") // before each test
    private L4Host host;

    @BeforeEach
    void boot() throws HostRefusal {
        host = L4HostTest.open("memory=64M");
    }

    @AfterEach
    void end() {
        host.close();
    }

    private Gate open(Guest guest) throws HostRefusal {
        return open(HostThread.ANY_CPU, guest);
    }

    private Gate open(int cpu, Guest guest) throws HostRefusal {
        return host.find(HostExitPortal.class).orElseThrow().open("vm:test", "test-0", cpu, guest);
    }

    private long counted(L4Primitive primitive) {
        return host.find(HostPrimitives.class).orElseThrow().counts().get(primitive.key());
    }

    private AddressSpace vm() {
        return host.kernel().space("vm:test");
    }

    private static long[] message(long... words) {
        return Arrays.copyOf(words, HostExitPortal.WORDS);
    }

    private long[] mapping(long guest, long host, int shift) {
        return message(
                HostExitPortal.tag(7, 0, 2),
                guest | HostExitPortal.MAP,
                Flexpage.of(host, shift, Flexpage.ALL));
    }

    private static String refusal(Gate gate, long... words) {
        return String.valueOf(
                assertThrows(IllegalStateException.class, () -> gate.exchange(message(words)))
                        .getMessage());
    }

    @Test
    void aMessageGoesThereAndTheAnswerComesBack() throws HostRefusal {
        AtomicReference<Thread> ran = new AtomicReference<>(Thread.currentThread());
        try (Gate gate =
                open(words -> {
                    ran.set(Thread.currentThread());
                    words[0] = HostExitPortal.tag(HostExitPortal.label(words[0]) + 1, 2, 0);
                    words[1] += words[2];
                    words[2] = 42;
                })) {
            long[] message = message(HostExitPortal.tag(0xabcdef012345L, 2, 0), 3, 4);
            gate.exchange(message);
            assertEquals(HostExitPortal.tag(0xabcdef012346L, 2, 0), message[0]);
            assertEquals(7, message[1]);
            assertEquals(42, message[2]);
        }
        assertFalse(Thread.currentThread() == ran.get(), "the guest runs on a thread of its own");
    }

    @Test
    void wordsBeyondTheTagDoNotTravel() throws HostRefusal {
        long[][] seen = {new long[0]};
        try (Gate gate =
                open(words -> {
                    seen[0] = words.clone();
                    Arrays.fill(words, -1);
                    words[0] = HostExitPortal.tag(1, 1, 2);
                    words[2] = HostExitPortal.REGISTERS | 1 << 16;
                })) {
            long[] message = message();
            Arrays.fill(message, 9);
            message[0] = HostExitPortal.tag(0, 2, 0);
            gate.exchange(message);
            assertEquals(9, seen[0][2]);
            assertEquals(0, seen[0][3]);
            assertEquals(-1, message[3]);
            assertEquals(9, message[4]);
        }
    }

    @Test
    void manyExchangesSeeWhatTheOtherSideWrote() throws HostRefusal {
        for (int cpu : new int[] {HostThread.ANY_CPU, 0}) {
            long[] plain = new long[1];
            try (Gate gate =
                    open(
                            cpu,
                            words -> {
                                plain[0] += words[1];
                                words[0] = HostExitPortal.tag(0, 1, 0);
                                words[1] = plain[0];
                            })) {
                long[] message = message();
                long sum = 0;
                for (int i = 0; i < 20_000; i++) {
                    assertEquals(sum, plain[0]);
                    message[0] = HostExitPortal.tag(0, 1, 0);
                    message[1] = i;
                    gate.exchange(message);
                    sum += i;
                    assertEquals(sum, message[1]);
                }
            }
        }
    }

    @Test
    void messagesAndTheirWordsAreCounted() throws HostRefusal {
        try (Gate gate = open(words -> words[0] = HostExitPortal.tag(0, 4, 0))) {
            gate.exchange(message(HostExitPortal.tag(0, 1, 0)));
            long ipc = counted(L4Primitive.IPC);
            long copied = counted(L4Primitive.MESSAGE_WORD);
            gate.exchange(message(HostExitPortal.tag(0, 10, 0)));
            assertEquals(ipc + 2, counted(L4Primitive.IPC));
            assertEquals(copied + 11 + 5, counted(L4Primitive.MESSAGE_WORD));
        }
    }

    @Test
    void pagesAppearInTheSpaceOfTheVmUntilTheyAreFreed() throws HostRefusal {
        PageExtent pages = host.memory().allocate(PageRequest.of("vm:test", 512));
        try (Gate gate = open(words -> words[0] = 0)) {
            gate.exchange(mapping(0x40_0000, pages.address(), 21));
            long[] two = mapping(0x10_0000, pages.address() + 0x3000, PAGE);
            two[0] = HostExitPortal.tag(0, 1, 4);
            two[1] = 5;
            two[2] = 0x10_0000 | HostExitPortal.MAP;
            two[3] = Flexpage.of(pages.address() + 0x3000, PAGE, Flexpage.READ);
            two[4] = 0x10_1000 | HostExitPortal.MAP;
            two[5] = Flexpage.of(pages.address() + 0x1000, PAGE, Flexpage.ALL);
            gate.exchange(two);
            assertEquals(3, vm().size());
            Mapping page = vm().find(0x10_0abc);
            assertTrue(page != null && page.physical == pages.address() + 0x3000);
            assertTrue(page != null && page.rights == Flexpage.READ);
            gate.exchange(mapping(0x40_0000, pages.address(), 21)); // again, no matter
            assertEquals(3, vm().size());
            host.memory().free(pages);
            assertEquals(0, vm().size());
            String why = refusal(gate, mapping(0x40_0000, pages.address(), 21));
            assertTrue(why.contains("which the VMM does not hold"), why);
        }
    }

    @Test
    void whatTheVmmDoesNotHoldIsNotMappedAndTheGuestDoesNotRun() throws HostRefusal {
        PageExtent pages = host.memory().allocate(PageRequest.of("vm:test", 3));
        AtomicInteger runs = new AtomicInteger();
        try (Gate gate =
                open(words -> {
                    runs.incrementAndGet();
                    words[0] = 0;
                })) {
            long foreign = pages.address() + (1L << 32);
            refusal(gate, mapping(0, foreign & -4096, PAGE));
            long before = pages.address() & -(1L << 22);
            refusal(gate, mapping(0, before, 22)); // more than the extent
            long[] half = mapping(0, pages.address(), PAGE);
            half[0] = HostExitPortal.tag(0, 0, 4);
            half[3] = HostExitPortal.MAP;
            half[4] = Flexpage.of(foreign & -4096, PAGE, Flexpage.ALL);
            refusal(gate, half);
            assertEquals(0, runs.get());
            assertEquals(0, vm().size(), "nothing of a refused message is done");
            gate.exchange(mapping(0, pages.address(), PAGE));
            assertEquals(1, runs.get());
        }
        host.memory().free(pages);
    }

    @Test
    void malformedMessagesAreRefusedInALine() throws HostRefusal {
        AtomicInteger runs = new AtomicInteger();
        try (Gate gate =
                open(words -> {
                    runs.incrementAndGet();
                    words[0] = 0;
                })) {
            String full = refusal(gate, HostExitPortal.tag(0, 63, 1));
            assertTrue(full.contains("has 65 words, not at most 64"), full);
            String kind = refusal(gate, HostExitPortal.tag(0, 0, 2), 0x3);
            assertTrue(kind.contains("an item of kind 0x3 in word 1"), kind);
            String cut = refusal(gate, HostExitPortal.tag(0, 0, 2), 0xc | 2 << 16);
            assertTrue(cut.contains("of 3 words, where 2 are left"), cut);
            refusal(gate, HostExitPortal.tag(0, 0, 1), HostExitPortal.MAP);
            refusal(gate, HostExitPortal.tag(0, 0, 2), 0x1008, Flexpage.of(0, 13, 7));
            refusal(gate, HostExitPortal.tag(0, 0, 2), 0x2008, Flexpage.of(0x1000, 13, 7));
            refusal(gate, HostExitPortal.tag(0, 0, 2), 0x2008, Flexpage.of(0, 11, 7));
            refusal(gate, HostExitPortal.tag(0, 0, 2), 0x200a, Flexpage.of(0, 12, 7));
            refusal(gate, HostExitPortal.tag(0, 1, 0) | 0x1000);
            assertEquals(0, runs.get());
            assertThrows(IllegalStateException.class, () -> gate.exchange(new long[3]));
            gate.exchange(message(HostExitPortal.tag(0, 63, 0)));
            assertEquals(1, runs.get());
        }
    }

    @Test
    void anyMessageIsEitherCarriedOrRefused() throws HostRefusal {
        Random random = new Random(4);
        AtomicInteger runs = new AtomicInteger();
        int refused = 0;
        PageExtent pages = host.memory().allocate(PageRequest.of("vm:test", 64));
        try (Gate gate =
                open(words -> {
                    runs.incrementAndGet();
                    words[0] = 0;
                })) {
            for (int i = 0; i < 5_000; i++) {
                long[] message = message();
                message[0] = HostExitPortal.tag(random.nextLong() >>> 16, random.nextInt(8), 0);
                message[0] |= (long) random.nextInt(8) << 6;
                int at = 1 + HostExitPortal.untyped(message[0]);
                for (int word = 1; word < 20; word++) {
                    message[word] =
                            switch (random.nextInt(4)) {
                                case 0 -> random.nextLong();
                                case 1 -> random.nextInt(4) << 16 | HostExitPortal.REGISTERS;
                                case 2 -> random.nextInt(64) << 12 | HostExitPortal.MAP;
                                default ->
                                        Flexpage.of(
                                                pages.address() + (random.nextInt(80) << 12),
                                                PAGE + random.nextInt(2),
                                                random.nextInt(8));
                            };
                }
                int before = runs.get();
                String wrong = Message.wrong(message);
                try {
                    gate.exchange(message);
                    assertEquals("", wrong);
                    assertEquals(before + 1, runs.get());
                } catch (IllegalStateException e) {
                    refused++;
                    assertEquals(before, runs.get(), () -> e + " at " + at);
                    assertFalse(String.valueOf(e.getMessage()).contains("\n"));
                }
            }
        }
        assertTrue(refused > 100 && runs.get() > 100, refused + " and " + runs.get());
        host.memory().free(pages);
        assertEquals(0, vm().size());
    }

    @Test
    void aMalformedExitIsTheVmmsToHearAndTheThreadGoesOn() throws HostRefusal {
        long[] exits = {
            HostExitPortal.tag(0, 63, 63), HostExitPortal.tag(0, 0, 2), 0,
        };
        AtomicInteger next = new AtomicInteger();
        try (Gate gate =
                open(words -> {
                    words[0] = exits[next.getAndIncrement()];
                    words[1] = 0x1000 | HostExitPortal.MAP;
                    words[2] = Flexpage.of(0x1000, PAGE, Flexpage.ALL);
                })) {
            assertTrue(refusal(gate, 0).contains("127 words"));
            assertTrue(refusal(gate, 0).contains("maps pages, which only the VMM may"));
            gate.exchange(message());
            assertEquals(3, next.get());
        }
    }

    @Test
    void aGuestThatThrowsEndsItsThreadAndTheVmmHearsWhy() throws HostRefusal {
        try (Gate gate =
                open(words -> {
                    throw new IllegalArgumentException("oops");
                })) {
            assertTrue(refusal(gate, 0).contains("oops"));
            assertTrue(refusal(gate, 0).contains("has ended"));
        }
    }

    @Test
    void anInterruptOfTheWaitingThreadIsRememberedAndTheWaitGoesOn() throws Exception {
        CountDownLatch runs = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean after = new AtomicBoolean();
        AtomicBoolean answered = new AtomicBoolean();
        try (Gate gate =
                open(words -> {
                    runs.countDown();
                    awaitQuietly(go);
                    answered.set(true);
                    words[0] = 0;
                })) {
            Thread vmm =
                    Thread.ofPlatform()
                            .start(() -> {
                                gate.exchange(message());
                                after.set(answered.get() && Thread.currentThread().isInterrupted());
                            });
            runs.await();
            vmm.interrupt();
            vmm.interrupt();
            go.countDown();
            vmm.join();
        }
        assertTrue(after.get());
    }

    @Test
    void anInterruptReachesTheGuestWheneverItComes() throws Exception {
        CountDownLatch runs = new CountDownLatch(1);
        AtomicInteger heard = new AtomicInteger();
        try (Gate gate =
                open(words -> {
                    runs.countDown();
                    while (!Thread.interrupted()) {
                        Thread.onSpinWait();
                    }
                    heard.incrementAndGet();
                    words[0] = 0;
                })) {
            gate.interrupt(); // before it runs, maybe before it has started
            gate.exchange(message());
            gate.interrupt(); // between two runs
            gate.exchange(message());
            Thread vmm = Thread.ofPlatform().start(() -> gate.exchange(message()));
            runs.await();
            gate.interrupt();
            vmm.join();
            assertEquals(3, heard.get());
        }
    }

    @Test
    void theTraceShowsWhereTheGuestIs() throws Exception {
        CountDownLatch runs = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Gate gate =
                open(words -> {
                    runs.countDown();
                    awaitQuietly(go);
                    words[0] = 0;
                })) {
            Thread vmm = Thread.ofPlatform().start(() -> gate.exchange(message()));
            runs.await();
            boolean found = false;
            while (!found) { // it is on its way there
                found =
                        Arrays.stream(gate.trace())
                                .anyMatch(f -> f.getMethodName().equals("awaitQuietly"));
            }
            go.countDown();
            vmm.join();
        }
    }

    @Test
    void aGateThatIsClosedWhileTheGuestRunsEndsAfterThat() throws Exception {
        CountDownLatch runs = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicReference<Thread> guest = new AtomicReference<>(Thread.currentThread());
        Gate gate =
                open(words -> {
                    guest.set(Thread.currentThread());
                    runs.countDown();
                    awaitQuietly(go);
                    words[0] = HostExitPortal.tag(5, 0, 0);
                });
        long[] message = message();
        Thread vmm = Thread.ofPlatform().start(() -> gate.exchange(message));
        runs.await();
        gate.close();
        gate.close();
        go.countDown();
        vmm.join();
        assertEquals(5, HostExitPortal.label(message[0]), "the last exit still arrives");
        guest.get().join();
        assertTrue(refusal(gate, 0).contains("has ended"));
        gate.interrupt();
        gate.move(0);
        assertEquals(0, gate.trace().length);
    }

    @Test
    void threadsAndMappingsOfAVmGoWithItsLastGate() throws Exception {
        PageExtent pages = host.memory().allocate(PageRequest.of("vm:test", 1));
        int before = host.kernel().threadsAlive();
        AtomicReference<Thread> guest = new AtomicReference<>(Thread.currentThread());
        Gate first = open(words -> words[0] = 0);
        Gate second =
                open(words -> {
                    guest.set(Thread.currentThread());
                    words[0] = 0;
                });
        assertEquals(before + 4, host.kernel().threadsAlive());
        AddressSpace space = vm();
        first.exchange(mapping(0x5000, pages.address(), PAGE));
        second.exchange(message());
        first.close();
        while (host.kernel().threadsAlive() > before + 2) {
            Thread.onSpinWait();
        }
        assertEquals(1, space.size());
        second.close();
        guest.get().join();
        assertEquals(before, host.kernel().threadsAlive());
        assertEquals(0, space.size());
        host.memory().free(pages);
    }

    @Test
    void aGateOnAMissingProcessorOrWithoutRoomIsRefused() throws HostRefusal {
        int before = host.kernel().threadsAlive();
        int missing = host.processors().count();
        assertThrows(HostRefusal.class, () -> open(missing, words -> {}));
        assertEquals(before, host.kernel().threadsAlive());
        try (L4Host small = L4HostTest.open("memory=1M,threads=16,interrupts=0")) {
            HostExitPortal portal = small.find(HostExitPortal.class).orElseThrow();
            for (int i = 0; i < 8; i++) {
                portal.open("vm:a", "a" + i, HostThread.ANY_CPU, words -> {});
            }
            HostRefusal full =
                    assertThrows(
                            HostRefusal.class,
                            () -> portal.open("vm:a", "b", HostThread.ANY_CPU, words -> {}));
            assertEquals(
                    "host l4: no more threads for 'server of b'; the option 'threads' allows 16",
                    full.getMessage());
        }
    }

    @Test
    void severalVmsExchangeAtOnce() throws Exception {
        Thread[] threads = new Thread[4];
        AtomicInteger wrong = new AtomicInteger();
        for (int t = 0; t < threads.length; t++) {
            long seed = t;
            Gate gate =
                    open(words -> {
                        words[0] = HostExitPortal.tag(0, 1, 0);
                        words[1] = words[1] * 31 + seed;
                    });
            threads[t] =
                    Thread.ofPlatform()
                            .start(() -> {
                                long[] message = message();
                                for (int i = 0; i < 5_000; i++) {
                                    message[0] = HostExitPortal.tag(0, 1, 0);
                                    message[1] = i;
                                    gate.exchange(message);
                                    wrong.addAndGet(message[1] == i * 31L + seed ? 0 : 1);
                                }
                                gate.close();
                            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(0, wrong.get());
    }

    @Test
    void eachSideHasItsOwnRegisters() throws HostRefusal {
        AtomicReference<long[]> theirs = new AtomicReference<>(new long[0]);
        try (Gate gate =
                open(words -> {
                    theirs.set(words);
                    words[0] = 0;
                })) {
            long[] message = message();
            gate.exchange(message);
            long[] first = theirs.get();
            assertFalse(first == message);
            gate.exchange(message);
            assertSame(first, theirs.get());
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

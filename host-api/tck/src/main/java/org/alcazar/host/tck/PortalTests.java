package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostExitPortal.Gate;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Exits as messages: what travels, what is refused, and how a thread of a VM ends. */
abstract class PortalTests extends InterruptTests {
    private static final String SPACE = "vm:tck";

    /** Behind the words of a message: what lies there must stay where it is. */
    private static final long LEFT = 0x1ef7_1ef7;

    /** The same on the guest's side. */
    private static final long THEIRS = 0x7e1f_7e1f;

    private static final long READ_WRITE = 6;

    private HostExitPortal portal() {
        var portal = host().find(HostExitPortal.class);
        assumeTrue(portal.isPresent(), "a host may call directly");
        return portal.orElseThrow();
    }

    private Gate open(HostExitPortal.Guest guest) throws HostRefusal {
        return portal().open(SPACE, "tck", HostThread.ANY_CPU, guest);
    }

    private static long[] message(long label, int untyped, long... items) {
        long[] message = new long[HostExitPortal.WORDS];
        Arrays.fill(message, LEFT);
        message[0] = HostExitPortal.tag(label, untyped, items.length);
        for (int i = 1; i <= untyped; i++) {
            message[i] = i * 0x1_0000_0001L;
        }
        System.arraycopy(items, 0, message, 1 + untyped, items.length);
        return message;
    }

    private static long registers(int group, int first, int count) {
        return HostExitPortal.REGISTERS
                | (long) group << 8
                | (long) count << 16
                | (long) first << 32;
    }

    private static long fpage(PageExtent extent, int shift) {
        return extent.address() | (long) shift << 4 | READ_WRITE;
    }

    @Test
    void exactlyTheWordsOfAMessageTravelBothWays() throws HostRefusal {
        AtomicReference<long[]> arrived = new AtomicReference<>(new long[0]);
        AtomicReference<long[]> answer = new AtomicReference<>(new long[0]);
        long[][] forms = {
            message(1, 0),
            message((1L << 48) - 1, 1),
            message(7, 5, registers(3, 2, 2), 11, 12),
            message(8, HostExitPortal.WORDS - 1),
            message(9, 0, registers(1, 0, 1), 21, registers(2, 4, 3), 31, 32, 33),
        };
        Gate gate =
                open(words -> {
                    arrived.set(words.clone());
                    long[] out = answer.get();
                    System.arraycopy(out, 0, words, 0, out.length);
                });
        try (gate) {
            for (int i = 0; i < forms.length; i++) {
                long[] sent = forms[i];
                long[] back = forms[(i + 1) % forms.length];
                long[] reply = back.clone();
                Arrays.fill(reply, words(back), reply.length, THEIRS);
                answer.set(reply);
                long[] words = sent.clone();
                gate.exchange(words);
                assertTravelled(sent, arrived.get());
                assertTravelled(back, words);
                for (int at = words(sent); at < words.length; at++) {
                    assertNotEquals(LEFT, arrived.get()[at], "word " + at + " did travel");
                }
                for (int at = Math.max(words(sent), words(back)); at < words.length; at++) {
                    assertEquals(LEFT, words[at], "word " + at + " is the VMM's own");
                }
            }
        }
    }

    private static int words(long[] message) {
        return 1 + HostExitPortal.untyped(message[0]) + HostExitPortal.typed(message[0]);
    }

    private static void assertTravelled(long[] sent, long[] arrived) {
        int words = words(sent);
        assertArrayEquals(Arrays.copyOf(sent, words), Arrays.copyOf(arrived, words));
    }

    /** The VMM's thread and the VM's take turns; memory written by one is seen by the other. */
    @Test
    void theTwoSidesTakeTurns() throws HostRefusal {
        long[] shared = new long[1]; // neither volatile nor atomic: the exchange orders it
        Gate gate =
                open(words -> {
                    shared[0]++;
                    words[1]++;
                });
        try (gate) {
            long[] words = message(1, 1);
            words[1] = 0;
            for (int i = 1; i <= 1000; i++) {
                gate.exchange(words);
                assertEquals(2 * i - 1, shared[0]);
                shared[0]++;
                assertEquals(i, words[1]);
            }
        }
    }

    @Test
    void malformedMessagesAreRefusedAndTheGuestDoesNotRun() throws HostRefusal {
        AtomicInteger ran = new AtomicInteger();
        try (Gate gate = open(words -> ran.incrementAndGet())) {
            long[][] wrong = {
                message(1, HostExitPortal.WORDS - 1), // its tag is changed below
                message(1, 0, 0x3, 0), // no such kind
                message(1, 0, registers(1, 0, 4), 1, 2), // more registers than words
                message(1, 0, HostExitPortal.MAP), // half an item
                new long[HostExitPortal.WORDS - 1],
            };
            wrong[0][0] = HostExitPortal.tag(1, 60, 4); // one word too many
            for (long[] words : wrong) {
                assertThrows(
                        IllegalStateException.class,
                        () -> gate.exchange(words),
                        () -> Arrays.toString(words));
            }
            assertEquals(0, ran.get());
            gate.exchange(message(1, 0));
            assertEquals(1, ran.get());
        }
    }

    @Test
    void onlyPagesThatTheVmmHoldsAreMapped() throws HostRefusal {
        AtomicInteger ran = new AtomicInteger();
        HostExitPortal.Guest guest =
                words -> {
                    ran.incrementAndGet();
                    words[0] = HostExitPortal.tag(1, 0, 0); // an exit maps nothing
                };
        long two = 2 * HostMemory.PAGE_SIZE;
        PageExtent extent =
                memory().allocate(
                                new PageRequest(
                                        SPACE, 2, two, PageRequest.ANY_NODE, Long.MAX_VALUE));
        try (Gate gate = open(guest)) {
            gate.exchange(message(1, 0, HostExitPortal.MAP, fpage(extent, 13)));
            gate.exchange(message(1, 1, 0x4000_0000L | HostExitPortal.MAP, fpage(extent, 12)));
            assertEquals(2, ran.get());
            long[][] wrong = {
                message(1, 0, HostExitPortal.MAP, fpage(extent, 14)), // beyond the extent
                message(1, 0, 0x1000 | HostExitPortal.MAP, fpage(extent, 13)), // not aligned
                message(1, 0, HostExitPortal.MAP, fpage(extent, 11)), // no page
                message(1, 0, HostExitPortal.MAP, 12L << 4 | READ_WRITE), // nobody's
            };
            for (long[] words : wrong) {
                assertThrows(
                        IllegalStateException.class,
                        () -> gate.exchange(words),
                        () -> Long.toHexString(words[1]) + " " + Long.toHexString(words[2]));
            }
            assertEquals(2, ran.get());
        } finally {
            memory().free(extent);
        }
        try (Gate gate = open(guest)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> gate.exchange(message(1, 0, HostExitPortal.MAP, fpage(extent, 12))),
                    "pages that were given back");
        }
        assertEquals(2, ran.get());
    }

    @Test
    void theThreadOfAVmIsInterruptedAndTheVmmGetsItsNextMessage() throws HostRefusal {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        Gate gate =
                open(words -> {
                    inside.countDown();
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        words[0] = HostExitPortal.tag(99, 0, 0);
                    }
                });
        try (gate) {
            together(
                    2,
                    number -> {
                        if (number == 0) {
                            long[] words = message(1, 0);
                            gate.exchange(words);
                            assertEquals(99, HostExitPortal.label(words[0]));
                        } else {
                            await(inside, "the guest's start");
                            gate.trace(); // may be empty; must not harm
                            gate.interrupt();
                        }
                    });
        }
    }

    @Test
    void severalGatesServeAtOnceAndEndByThemselves() throws HostRefusal {
        List<Gate> gates = new ArrayList<>();
        AtomicInteger ran = new AtomicInteger();
        List<Thread> guests = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            gates.add(
                    open(words -> {
                        ran.incrementAndGet();
                        synchronized (guests) {
                            if (!guests.contains(Thread.currentThread())) {
                                guests.add(Thread.currentThread());
                            }
                        }
                    }));
        }
        together(
                4,
                number -> {
                    for (int i = 0; i < 200; i++) {
                        gates.get(number).exchange(message(i, i % 50));
                    }
                });
        assertEquals(800, ran.get());
        gates.forEach(Gate::close);
        gates.forEach(Gate::close); // twice is once
        synchronized (guests) {
            guests.removeIf(thread -> thread == Thread.currentThread());
            until(() -> guests.stream().noneMatch(Thread::isAlive), "the end of a VM's thread");
        }
    }

    @Test
    void aGateOnAMissingProcessorIsRefused() throws HostRefusal {
        HostExitPortal portal = portal();
        for (int cpu : new int[] {-2, processors().count(), Integer.MAX_VALUE}) {
            refused(() -> portal.open(SPACE, "tck", cpu, words -> {}));
        }
        try (Gate gate = open(words -> {})) {
            for (int cpu : new int[] {-2, processors().count(), Integer.MAX_VALUE}) {
                refused(() -> gate.move(cpu));
            }
            gate.move(0);
            gate.exchange(message(1, 0));
            gate.move(HostThread.ANY_CPU);
            gate.exchange(message(1, 0));
        }
    }
}

package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/** Threads: where they run, how they sleep, and that no wake or kick is lost. */
abstract class ThreadTests extends MemoryTests {
    private static final int MANY = 48;

    /**
     * The processor that the calling thread runs on, by the host's count, or -1 where the test does
     * not know.
     */
    int whereThisRuns() {
        return -1;
    }

    private int[] missing() {
        return new int[] {-2, Integer.MIN_VALUE, processors().count(), Integer.MAX_VALUE};
    }

    /** Whether a thread that must run there does, as far as anybody can tell. */
    private void assertRunsOn(int cpu, int seen) {
        assertTrue(seen == -1 || seen == cpu, () -> "put on " + cpu + ", runs on " + seen);
    }

    @Test
    void threadsRunAndEnd() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        HostThread thread = processors().start("tck", 0, () -> ran.set(true));
        join(thread);
        assertTrue(ran.get());
        join(thread); // and again
        assertTrue(thread.join(0));
    }

    @Test
    void aThreadRunsWhereItWasPut() throws HostRefusal {
        for (int cpu = 0; cpu < processors().count(); cpu++) {
            AtomicInteger seen = new AtomicInteger(-1);
            join(processors().start("tck", cpu, () -> seen.set(whereThisRuns())));
            assertRunsOn(cpu, seen.get());
        }
    }

    @Test
    void aThreadOnAMissingProcessorIsRefusedAndDoesNotRun() {
        AtomicBoolean ran = new AtomicBoolean();
        for (int cpu : missing()) {
            refused(() -> processors().start("tck", cpu, () -> ran.set(true)));
        }
        assertFalse(ran.get());
    }

    @Test
    void aThreadGoesOnWhereverItIsMoved() throws Exception {
        AtomicInteger rounds = new AtomicInteger();
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger(-1);
        int last = processors().count() + 1;
        HostThread thread =
                start(() -> {
                    while (rounds.get() < last) {
                        if (rounds.get() < asked.get()) {
                            seen.set(whereThisRuns());
                            rounds.incrementAndGet();
                        } else {
                            processors().sleep(Long.MAX_VALUE);
                        }
                    }
                });
        for (int cpu = HostThread.ANY_CPU; cpu < last - 1; cpu++) {
            thread.move(cpu);
            int round = asked.incrementAndGet();
            thread.wake();
            until(() -> rounds.get() >= round, "a wake after a move");
            if (cpu != HostThread.ANY_CPU) {
                assertRunsOn(cpu, seen.get());
            }
        }
        join(thread);
        thread.move(0); // it has ended: nothing happens
        thread.wake();
        thread.kick();
    }

    @Test
    void aMoveToAMissingProcessorIsRefused() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        HostThread thread = start(() -> await(end, "the test's own latch"));
        for (int cpu : missing()) {
            refused(() -> thread.move(cpu));
        }
        end.countDown();
        join(thread);
    }

    @Test
    void manyThreadsRunAtOnce() throws Exception {
        CountDownLatch there = new CountDownLatch(MANY);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        List<HostThread> threads = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            threads.add(
                    processors()
                            .start(
                                    "tck" + i,
                                    i % (processors().count() + 1) - 1,
                                    () -> {
                                        there.countDown();
                                        await(go, "the test's own latch");
                                        done.incrementAndGet();
                                    }));
        }
        await(there, "the start of one of " + MANY + " threads");
        go.countDown();
        threads.forEach(this::join);
        assertEquals(MANY, done.get());
    }

    @Test
    void joinComesBackAtItsLimit() throws Exception {
        AtomicBoolean end = new AtomicBoolean();
        HostThread thread =
                start(() -> {
                    while (!end.get()) {
                        processors().sleep(Long.MAX_VALUE);
                    }
                });
        for (long nanos : new long[] {0, 1, 2_000_000}) {
            assertFalse(thread.join(nanos), "it has not ended");
        }
        end.set(true);
        thread.wake();
        join(thread);
    }

    @Test
    void aBodyThatThrowsEndsItsOwnThreadAlone() throws Exception {
        HostThread thread =
                start(() -> {
                    throw new IllegalStateException("thrown by the conformance suite");
                });
        join(thread);
        AtomicBoolean ran = new AtomicBoolean();
        join(start(() -> ran.set(true)));
        assertTrue(ran.get(), "the next one");
    }

    @Test
    void callOnRunsItsActionThereAndWaitsForIt() {
        for (int cpu = 0; cpu < processors().count(); cpu++) {
            AtomicInteger seen = new AtomicInteger(-2);
            processors().callOn(cpu, () -> seen.set(whereThisRuns()));
            assertTrue(seen.get() != -2, "it does not wait");
            assertRunsOn(cpu, seen.get());
        }
        for (int cpu : new int[] {-1, processors().count(), Integer.MAX_VALUE}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> processors().callOn(cpu, () -> {}),
                    () -> "processor " + cpu);
        }
    }

    @Test
    void callOnTellsWhatItsActionThrew() {
        IllegalArgumentException thrown = new IllegalArgumentException("by the suite");
        var seen =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                processors()
                                        .callOn(
                                                0,
                                                () -> {
                                                    throw thrown;
                                                }));
        assertSame(thrown, seen.getCause());
        AtomicBoolean ran = new AtomicBoolean();
        processors().callOn(0, () -> ran.set(true));
        assertTrue(ran.get(), "the next one");
    }

    @Test
    void callOnWaitsThoughItsCallerIsInterrupted() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        CountDownLatch inside = new CountDownLatch(1);
        ReentrantLock hold = new ReentrantLock(); // no interrupt ends the wait for it
        hold.lock();
        Runnable action =
                () -> {
                    inside.countDown();
                    hold.lock();
                    order.add("action");
                    hold.unlock();
                };
        Thread caller =
                Thread.ofPlatform()
                        .start(() -> {
                            Thread.currentThread().interrupt();
                            processors().callOn(0, action);
                            order.add("back, interrupted: " + Thread.interrupted());
                        });
        try {
            await(inside, "a call");
            until(() -> caller.getState() != Thread.State.RUNNABLE, "a thread that waits or ends");
        } finally {
            hold.unlock();
        }
        caller.join();
        until(() -> order.size() == 2, "the end of a call");
        assertEquals(List.of("action", "back, interrupted: true"), order);
    }

    @Test
    void callOnServesSeveralThreadsAtOnce() throws HostRefusal {
        AtomicInteger ran = new AtomicInteger();
        int cpus = processors().count();
        together(
                3,
                number -> {
                    for (int i = 0; i < 20; i++) {
                        int before = ran.get();
                        processors().callOn((number + i) % cpus, ran::incrementAndGet);
                        assertTrue(ran.get() > before);
                    }
                });
        assertEquals(60, ran.get());
    }

    @Test
    void aWakeBeforeTheSleepIsNotLost() throws Exception {
        for (boolean kick : new boolean[] {false, true}) {
            CountDownLatch ready = new CountDownLatch(1);
            CountDownLatch woken = new CountDownLatch(1);
            HostThread thread =
                    start(() -> {
                        ready.countDown();
                        await(woken, "the test's own latch");
                        processors().sleep(Long.MAX_VALUE);
                    });
            await(ready, "the start of a thread");
            if (kick) {
                thread.kick();
            } else {
                thread.wake();
            }
            woken.countDown();
            join(thread);
        }
    }

    @Test
    void kicksUnderLoadAreNeverLost() throws Exception {
        int rounds = 10_000;
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        HostThread thread =
                start(() -> {
                    while (seen.get() < rounds) {
                        if (asked.get() == seen.get()) {
                            processors().sleep(Long.MAX_VALUE);
                        } else {
                            seen.incrementAndGet();
                        }
                    }
                });
        for (int i = 0; i < rounds; i++) {
            int round = i;
            until(() -> seen.get() == round, "a kick");
            asked.incrementAndGet();
            thread.kick();
        }
        join(thread);
        assertEquals(rounds, seen.get());
    }

    /** Who has nothing to do sleeps without a limit; each piece of work comes with a wake. */
    @Test
    void wakesAndKicksFromManyThreadsAreNeverLost() throws Exception {
        int wakers = 4;
        int rounds = 200;
        AtomicInteger work = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        HostThread sleeper =
                start(() -> {
                    while (done.get() < 2 * wakers * rounds) {
                        if (work.get() > done.get()) {
                            done.incrementAndGet();
                        } else {
                            processors().sleep(Long.MAX_VALUE);
                        }
                    }
                });
        together(
                wakers,
                number -> {
                    // In turn: no other wake comes in place of one that is lost.
                    for (int i = 0; i < rounds; i++) {
                        int turn = i * wakers + number;
                        until(() -> done.get() == turn, "a wake among many");
                        work.incrementAndGet();
                        wakeOrKick(sleeper, turn / wakers + turn);
                    }
                });
        together(
                wakers,
                number -> {
                    // And all at once.
                    for (int i = 0; i < rounds; i++) {
                        work.incrementAndGet();
                        wakeOrKick(sleeper, number + i);
                        until(() -> work.get() - done.get() < 2, "a wake among many at once");
                    }
                });
        join(sleeper);
    }

    private static void wakeOrKick(HostThread thread, int number) {
        if (number % 2 == 0) {
            thread.wake();
        } else {
            thread.kick();
        }
    }

    @Test
    void aRingOfThreadsWakesItselfRoundAndRound() throws Exception {
        int size = 6;
        int rounds = 300;
        AtomicInteger turn = new AtomicInteger();
        AtomicReference<List<HostThread>> ring = new AtomicReference<>(List.of());
        CountDownLatch whole = new CountDownLatch(1);
        List<HostThread> threads = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            int number = i;
            threads.add(
                    start(() -> {
                        await(whole, "the test's own latch");
                        for (int round = 0; round < rounds; round++) {
                            while (turn.get() != round * size + number) {
                                processors().sleep(Long.MAX_VALUE);
                            }
                            turn.incrementAndGet();
                            ring.get().get((number + 1) % size).wake();
                        }
                    }));
        }
        ring.set(threads);
        whole.countDown();
        threads.forEach(this::join);
        assertEquals(size * rounds, turn.get());
    }

    @Test
    void sleepEndsByItself() throws Exception {
        long start = clock().nanoTime();
        AtomicBoolean early = new AtomicBoolean();
        HostThread thread =
                start(() -> {
                    while (clock().nanoTime() - start < 1_000_000) {
                        processors().sleep(100_000);
                    }
                    processors().sleep(0);
                    processors().sleep(1);
                    early.set(clock().nanoTime() - start < 1_000_000);
                });
        join(thread);
        assertFalse(early.get());
    }

    @Test
    void whoHasNoHandleSleepsForATimeOnly() {
        CountDownLatch back = new CountDownLatch(2);
        Runnable sleep =
                () -> {
                    processors().sleep(100_000);
                    back.countDown();
                };
        Thread.ofPlatform().daemon().start(sleep);
        Thread.ofPlatform().daemon().start(() -> processors().callOn(0, sleep));
        await(back, "the end of a sleep");
    }

    @Test
    void yieldComesBack() throws HostRefusal {
        together(
                2 * processors().count(),
                number -> {
                    for (int i = 0; i < 200; i++) {
                        processors().yield();
                    }
                });
    }
}

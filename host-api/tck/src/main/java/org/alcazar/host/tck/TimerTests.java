package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostTimer;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/** The clock and its timers: never early, in order, once, and not after their end. */
abstract class TimerTests extends ThreadTests {
    private static final int MANY = 400;
    private static final long MILLI = 1_000_000;

    /** Later than what the host was asked for before. */
    private void awaitTimer(long delay) {
        CountDownLatch fired = new CountDownLatch(1);
        try (HostTimer timer = clock().timer("marker", fired::countDown)) {
            timer.arm(clock().nanoTime() + delay);
            await(fired, "a timer");
        }
    }

    @Test
    void timeNeverGoesBack() throws Exception {
        together(
                2,
                number -> {
                    long last = clock().nanoTime();
                    for (int i = 0; i < 10_000; i++) {
                        long now = clock().nanoTime();
                        assertTrue(now - last >= 0);
                        last = now;
                    }
                });
        assertTrue(clock().epochNanos() > 1_600_000_000_000_000_000L);
    }

    @Test
    void timersFireOnceEachInTheOrderOfTheirDeadlinesAndNeverEarly() {
        List<Integer> order = IntStream.range(0, MANY).boxed().toList();
        // A machine that is busy may take longer to arm them all than the first one waits.
        for (long lead = 4 * MILLI; !fireInOrder(order, lead); lead *= 2) {
            assertTrue(lead < patience, "arming takes for ever");
        }
    }

    /** False if the first was due before the last was armed. */
    private boolean fireInOrder(List<Integer> order, long lead) {
        List<Integer> fired = new CopyOnWriteArrayList<>();
        AtomicInteger early = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(MANY);
        List<Integer> shuffled = new ArrayList<>(order);
        Collections.shuffle(shuffled, new Random(lead));
        List<HostTimer> timers = new ArrayList<>();
        long start = clock().nanoTime() + lead;
        for (int i : shuffled) {
            long deadline = start + i * 1000L;
            HostTimer timer =
                    clock().timer(
                                    "tck" + i,
                                    () -> {
                                        if (clock().nanoTime() - deadline < 0) {
                                            early.incrementAndGet();
                                        }
                                        fired.add(i);
                                        done.countDown();
                                    });
            timer.arm(deadline);
            timers.add(timer);
        }
        boolean inTime = clock().nanoTime() - start < 0;
        await(done, "one of " + MANY + " timers");
        timers.forEach(HostTimer::close);
        assertEquals(0, early.get(), "timers that were early");
        assertEquals(MANY, fired.size(), "each fires once");
        if (inTime) {
            assertEquals(order, fired);
        }
        return inTime;
    }

    @Test
    void timersOfOneDeadlineAllFireOnce() {
        AtomicIntegerArray fired = new AtomicIntegerArray(MANY);
        CountDownLatch done = new CountDownLatch(MANY);
        List<HostTimer> timers = new ArrayList<>();
        long deadline = clock().nanoTime() + MILLI;
        for (int i = 0; i < MANY; i++) {
            int number = i;
            HostTimer timer =
                    clock().timer(
                                    "tck" + i,
                                    () -> {
                                        fired.incrementAndGet(number);
                                        done.countDown();
                                    });
            timer.arm(deadline);
            timers.add(timer);
        }
        await(done, "one of " + MANY + " timers of one deadline");
        timers.forEach(HostTimer::close);
        for (int i = 0; i < MANY; i++) {
            assertEquals(1, fired.get(i));
        }
    }

    @Test
    void aTimerArmsItselfAgainFromItsOwnAction() {
        AtomicInteger fired = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(200);
        AtomicReference<Runnable> again = new AtomicReference<>(() -> {});
        try (HostTimer timer =
                clock().timer(
                                "again",
                                () -> {
                                    fired.incrementAndGet();
                                    done.countDown();
                                    again.get().run();
                                })) {
            again.set(() -> {
                if (fired.get() < 200) {
                    timer.arm(clock().nanoTime() + fired.get() % 3 * 1000);
                }
            });
            timer.arm(clock().nanoTime());
            await(done, "a timer that its own action has armed");
        }
        assertEquals(200, fired.get());
    }

    @Test
    void aLaterDeadlineReplacesAnEarlierOneAndTheOtherWayRound() {
        AtomicBoolean early = new AtomicBoolean();
        AtomicInteger fired = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        long late = clock().nanoTime() + 40 * MILLI;
        try (HostTimer postponed =
                        clock().timer(
                                        "postponed",
                                        () -> {
                                            early.set(clock().nanoTime() - late < 0);
                                            done.countDown();
                                        });
                HostTimer preferred = clock().timer("preferred", fired::incrementAndGet)) {
            // Far enough that neither is due before it is replaced, or else soon enough to see it.
            postponed.arm(late - 20 * MILLI);
            postponed.arm(late);
            preferred.arm(Long.MAX_VALUE);
            preferred.arm(clock().nanoTime() + MILLI);
            until(() -> fired.get() == 1, "a timer that was moved to an earlier time");
            await(done, "a timer that was postponed");
            awaitTimer(MILLI);
        }
        assertEquals(1, fired.get());
        assertFalse(early.get() && clock().nanoTime() - late < 0);
    }

    @Test
    void aDeadlineInThePastFiresAndACancelledOneDoesNot() {
        AtomicInteger cancelled = new AtomicInteger();
        CountDownLatch fired = new CountDownLatch(3);
        long now = clock().nanoTime();
        try (HostTimer never = clock().timer("never", cancelled::incrementAndGet);
                HostTimer late = clock().timer("late", fired::countDown);
                HostTimer zero = clock().timer("zero", fired::countDown);
                HostTimer old = clock().timer("old", fired::countDown)) {
            never.arm(Long.MAX_VALUE);
            never.cancel();
            never.cancel();
            late.arm(now - 1);
            zero.arm(now);
            old.arm(now - 3_600_000 * MILLI);
            await(fired, "a timer whose deadline has passed");
            awaitTimer(MILLI);
        }
        assertEquals(0, cancelled.get());
    }

    @Test
    void theFarthestDeadlineHoldsNobodyBack() {
        AtomicInteger fired = new AtomicInteger();
        try (HostTimer far = clock().timer("far", fired::incrementAndGet)) {
            far.arm(Long.MAX_VALUE);
            awaitTimer(MILLI);
            awaitTimer(0);
        }
        assertEquals(0, fired.get());
    }

    /** While its action keeps the clock, the deadlines of others pass. */
    @Test
    void timersThatAreLateFireAll() {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(20);
        List<HostTimer> timers = new ArrayList<>();
        HostTimer keeper =
                clock().timer(
                                "keeper",
                                () -> {
                                    busy.countDown();
                                    await(go, "the test's own latch");
                                });
        keeper.arm(clock().nanoTime());
        await(busy, "a timer");
        long start = clock().nanoTime();
        for (int i = 0; i < 20; i++) {
            HostTimer timer = clock().timer("late" + i, done::countDown);
            timer.arm(start + i * 1000);
            timers.add(timer);
        }
        until(() -> clock().nanoTime() - start > 30_000, "time");
        go.countDown();
        await(done, "a timer that was late");
        timers.forEach(HostTimer::close);
        keeper.close();
    }

    @Test
    void anActionThatThrowsDoesNotEndTheClock() {
        throwInAnAction(() -> {
            throw new IllegalStateException("thrown by the conformance suite");
        });
    }

    /** Such as for lack of memory, which passes. */
    @Test
    void anErrorInAnActionDoesNotEndTheClock() {
        throwInAnAction(() -> {
            throw new AssertionError("thrown by the conformance suite");
        });
    }

    private void throwInAnAction(Runnable failure) {
        CountDownLatch thrown = new CountDownLatch(2);
        try (HostTimer bad =
                clock().timer(
                                "bad",
                                () -> {
                                    thrown.countDown();
                                    failure.run();
                                })) {
            bad.arm(clock().nanoTime());
            until(() -> thrown.getCount() == 1, "a timer");
            awaitTimer(1000);
            bad.arm(clock().nanoTime());
            await(thrown, "a timer whose action has thrown before");
        }
        awaitTimer(1000);
    }

    @Test
    void afterCloseNoActionRuns() throws Exception {
        together(2, number -> closeManyTimes());
    }

    private void closeManyTimes() {
        List<AtomicInteger> counts = new ArrayList<>();
        List<Integer> seen = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            AtomicInteger count = new AtomicInteger();
            AtomicBoolean inside = new AtomicBoolean();
            HostTimer timer =
                    clock().timer(
                                    "race",
                                    () -> {
                                        inside.set(true);
                                        count.incrementAndGet();
                                        inside.set(false);
                                    });
            timer.arm(clock().nanoTime() + i % 30 * 500);
            if (i % 3 == 0) {
                timer.cancel();
                timer.arm(clock().nanoTime() + i % 7 * 500);
            }
            timer.close();
            assertFalse(inside.get(), "it does not wait for its action");
            counts.add(count);
            seen.add(count.get());
            timer.close();
            if (i % 2 == 0) {
                timer.cancel();
                timer.arm(clock().nanoTime());
            }
        }
        awaitTimer(MILLI);
        assertEquals(seen, counts.stream().map(AtomicInteger::get).toList(), "fired after close");
    }

    @Test
    void closeWaitsForAnActionThatRuns() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        HostTimer timer =
                clock().timer(
                                "slow",
                                () -> {
                                    inside.countDown();
                                    await(go, "the test's own latch");
                                    order.add("action");
                                });
        timer.arm(clock().nanoTime());
        await(inside, "a timer");
        CountDownLatch closing = new CountDownLatch(1);
        Thread closer =
                Thread.ofPlatform()
                        .start(() -> {
                            closing.countDown();
                            timer.close();
                            order.add("closed");
                        });
        await(closing, "the test's own latch");
        until(() -> closer.getState() != Thread.State.RUNNABLE, "a thread that waits or ends");
        go.countDown();
        closer.join();
        assertEquals(List.of("action", "closed"), order);
    }

    @Test
    void anActionMayCloseItsOwnTimer() {
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<Runnable> end = new AtomicReference<>(() -> {});
        HostTimer timer =
                clock().timer(
                                "own",
                                () -> {
                                    end.get().run();
                                    done.countDown();
                                });
        end.set(timer::close);
        timer.arm(clock().nanoTime());
        await(done, "the end of a timer that closes itself");
        awaitTimer(1000);
    }

    @Test
    void timersOfSeveralThreadsGoOnTogether() throws Exception {
        AtomicInteger fired = new AtomicInteger();
        together(
                4,
                number -> {
                    for (int i = 0; i < 50; i++) {
                        CountDownLatch one = new CountDownLatch(1);
                        Runnable action =
                                () -> {
                                    fired.incrementAndGet();
                                    one.countDown();
                                };
                        try (HostTimer timer = clock().timer("of" + number, action)) {
                            timer.arm(clock().nanoTime() + (number + i) % 5 * 10_000);
                            await(one, "one of several threads' timers");
                        }
                    }
                });
        assertEquals(200, fired.get());
    }
}

package org.alcazar.hosts.kitten;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/** Tasks stay where they are; ticks come if they are asked for. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TasksTest {
    private static KittenHost open(String more) throws HostRefusal {
        return KittenHostTest.open("memory=16M,kernel=1M" + more);
    }

    private static HostPrimitives primitives(KittenHost host) {
        return host.find(HostPrimitives.class).orElseThrow();
    }

    private static long count(KittenHost host, String name) {
        return primitives(host).counts().getOrDefault(name, -1L);
    }

    private static String load(KittenHost host) {
        return host.find(HostNotes.class).orElseThrow().notes().stream()
                .filter(line -> line.startsWith("processors"))
                .findFirst()
                .orElseThrow()
                .replaceFirst(".*: ", "");
    }

    @Test
    void tasksAreSpreadEvenlyAndCountedUntilTheyEnd() throws Exception {
        try (KittenHost host = open("")) {
            int processors = host.processors().count();
            CountDownLatch end = new CountDownLatch(1);
            List<HostThread> tasks = new ArrayList<>();
            for (int i = 0; i < 2 * processors; i++) {
                tasks.add(host.processors().start("t", HostThread.ANY_CPU, () -> await(end)));
            }
            assertEquals("[2" + ", 2".repeat(processors - 1) + "]", load(host));
            tasks.getFirst().move(processors - 1);
            if (processors > 1) {
                assertEquals("[1" + ", 2".repeat(processors - 2) + ", 3]", load(host));
                assertEquals(1, count(host, "task-migration"));
                tasks.getFirst().move(HostThread.ANY_CPU);
                assertEquals("[2" + ", 2".repeat(processors - 1) + "]", load(host));
            }
            end.countDown();
            for (HostThread task : tasks) {
                assertTrue(task.join(Long.MAX_VALUE));
            }
            assertEquals("[0" + ", 0".repeat(processors - 1) + "]", load(host));
            assertEquals(2L * processors, count(host, "task-start"));
        }
    }

    @Test
    void moreBusyTasksThanProcessorsHoldNobodyUp() throws Exception {
        try (KittenHost host = open("")) {
            AtomicBoolean stop = new AtomicBoolean();
            List<HostThread> busy = new ArrayList<>();
            for (int i = 0; i < 2 * host.processors().count(); i++) {
                busy.add(
                        host.processors()
                                .start(
                                        "busy",
                                        HostThread.ANY_CPU,
                                        () -> {
                                            while (!stop.get()) {
                                                Thread.onSpinWait();
                                            }
                                        }));
            }
            Semaphore woken = new Semaphore(0);
            CountDownLatch asleep = new CountDownLatch(1);
            HostThread sleeper =
                    host.processors()
                            .start(
                                    "sleeper",
                                    0,
                                    () -> {
                                        asleep.countDown();
                                        host.processors().sleep(Long.MAX_VALUE);
                                        woken.release();
                                    });
            asleep.await();
            sleeper.wake();
            woken.acquire();
            stop.set(true);
            for (HostThread task : busy) {
                assertTrue(task.join(Long.MAX_VALUE));
            }
        }
    }

    @Test
    void aSleepIsASwitchAndAWakeOfASleeperAnInterrupt() throws Exception {
        try (KittenHost host = open("")) {
            HostThread sleeper =
                    host.processors().start("s", 0, () -> host.processors().sleep(Long.MAX_VALUE));
            while (count(host, "context-switch") == 0) {
                Thread.yield();
            }
            sleeper.wake();
            assertTrue(sleeper.join(Long.MAX_VALUE));
            sleeper.wake();
            assertEquals(1, count(host, "context-switch"));
            assertEquals(1, count(host, "ipi"));
            host.processors().callOn(0, () -> {});
            assertEquals(2, count(host, "ipi"));
        }
    }

    @Test
    void thereIsNoTickUnlessItIsAskedFor() throws Exception {
        try (KittenHost host = open("")) {
            assertEquals(0, primitives(host).noise().ticksPerSecond());
            Semaphore fired = new Semaphore(0);
            try (HostTimer timer = host.clock().timer("t", fired::release)) {
                // One that is late already when the kernel looks sets no timer.
                while (count(host, "timer-interrupt") == 0) {
                    timer.arm(host.clock().nanoTime() + 5_000_000);
                    fired.acquire();
                }
            }
            assertEquals(0, count(host, "tick"));
            assertTrue(count(host, "timer-set") >= 1);
        }
    }

    @Test
    void aTickThatIsAskedForComesOnEachProcessorAndIsNoise() throws Exception {
        try (KittenHost host = open(",tick=1000")) {
            assertEquals(1000, primitives(host).noise().ticksPerSecond());
            assertEquals(3600, primitives(host).noise().tickCycles());
            while (count(host, "tick") < 10) {
                Thread.yield();
            }
        }
    }

    @Test
    void aLineThatIsRaisedReachesItsHandlerOnAThreadOfTheHost() throws Exception {
        try (KittenHost host = open("")) {
            HostInterruptPins pins = host.find(HostInterruptPins.class).orElseThrow();
            CountDownLatch reached = new CountDownLatch(2);
            Thread self = Thread.currentThread();
            host.interrupts()
                    .hook(
                            23,
                            () -> {
                                if (Thread.currentThread() != self) {
                                    reached.countDown();
                                    host.interrupts().acknowledge(23);
                                }
                            });
            pins.raise(23);
            while (reached.getCount() == 2) {
                Thread.onSpinWait();
            }
            pins.raise(23);
            reached.await();
            assertEquals(2, count(host, "device-interrupt"));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

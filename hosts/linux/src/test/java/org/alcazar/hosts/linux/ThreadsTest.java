package org.alcazar.hosts.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostNotes;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Futexes, priorities and timers, and that nothing of them is left. */
@Timeout(60)
class ThreadsTest {
    private static final int SCHED_FIFO = 1;
    private static final int SCHED_RESET_ON_FORK = 0x4000_0000;

    @Test
    void aRealTimeThreadIsOneOrItIsSaidWhyNot() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M,priority=1")) {
            AtomicLong policy = new AtomicLong();
            HostThread thread =
                    host.processors()
                            .start(
                                    "rt",
                                    HostThread.ANY_CPU,
                                    () -> policy.set(Syscall.SCHED_GETSCHEDULER.call(0, 0)));
            assertTrue(thread.join(Long.MAX_VALUE));
            String notes = String.join("\n", host.find(HostNotes.class).orElseThrow().notes());
            assertEquals(
                    notes.contains("priority=1: is refused") ? 0 : SCHED_FIFO | SCHED_RESET_ON_FORK,
                    policy.get(),
                    notes);
        }
    }

    @Test
    void aSleeperThatIsWokenManyTimesSleepsOnceMoreAtMost() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M")) {
            AtomicInteger naps = new AtomicInteger();
            CountDownLatch ready = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            HostThread thread =
                    host.processors()
                            .start(
                                    "sleeper",
                                    0,
                                    () -> {
                                        ready.countDown();
                                        try {
                                            go.await();
                                        } catch (InterruptedException e) {
                                            return;
                                        }
                                        host.processors().sleep(Long.MAX_VALUE);
                                        naps.incrementAndGet();
                                        host.processors().sleep(1_000_000);
                                        naps.incrementAndGet();
                                    });
            ready.await();
            thread.wake();
            thread.kick();
            thread.wake();
            go.countDown();
            assertTrue(thread.join(Long.MAX_VALUE));
            assertEquals(2, naps.get());
        }
    }

    @Test
    void anEarlierTimerOvertakesOneThatIsWaitedFor() throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=64M")) {
            CountDownLatch early = new CountDownLatch(1);
            AtomicInteger late = new AtomicInteger();
            long now = host.clock().nanoTime();
            try (HostTimer far = host.clock().timer("far", late::incrementAndGet);
                    HostTimer near = host.clock().timer("near", early::countDown)) {
                far.arm(now + 3_600_000_000_000L);
                near.arm(now + 1_000_000);
                early.await();
                assertTrue(host.clock().nanoTime() - now >= 1_000_000);
                assertEquals(0, late.get());
            }
        }
    }

    @Test
    void aClosedHostLeavesNoDescriptor() throws Exception {
        LinuxHostTest.open("memory=64M").close(); // whatever the JVM opens on first use is open now
        long before = descriptors();
        for (int i = 0; i < 20; i++) {
            try (LinuxHost host = LinuxHostTest.open("memory=64M")) {
                CountDownLatch fired = new CountDownLatch(1);
                host.clock().timer("t", fired::countDown).arm(host.clock().nanoTime());
                fired.await();
                assertTrue(descriptors() >= before + 2, "timerfd and eventfd");
            }
        }
        awaitDescriptors(before);
    }

    /** A thread that ends closes its own after whoever told it to end has gone on. */
    static void awaitDescriptors(long wanted) throws Exception {
        while (descriptors() > wanted) {
            if (Thread.interrupted()) {
                throw new AssertionError("descriptors are left: " + (descriptors() - wanted));
            }
            Thread.yield();
        }
    }

    static long descriptors() throws Exception {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(
                            file -> {
                                try {
                                    String to = Files.readSymbolicLink(file).toString();
                                    return to.contains("timerfd")
                                            || to.contains("eventfd")
                                            || to.startsWith("socket")
                                            || to.contains("tun");
                                } catch (java.io.IOException e) {
                                    return false; // that of this very list
                                }
                            })
                    .count();
        }
    }
}

package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * What the parts of {@link HostTck} have in common: a host for each test, which must hold no memory
 * before and after, and ways to wait for what it owes.
 */
abstract class HostSuite {
    static final long MIB = 1L << 20;

    /** What has not happened by then is lost; far longer than any host takes. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(40);

    /**
     * After which something counts as lost. Not private to {@link HostTck}, for tests of the suite
     * itself, whose hosts do lose things.
     */
    long patience = PATIENCE;

    @SuppressWarnings("NullAway.Init") // set before each test
    private HostKernel host;

    /** A fresh host whose memory is not in use. */
    abstract HostKernel freshHost() throws HostRefusal;

    @BeforeEach
    final void makeHost() throws HostRefusal {
        host = freshHost();
        assertEquals(0, memory().bytesInUse(""), "a fresh host's memory is not in use");
    }

    @AfterEach
    final void allComesBack() throws Exception {
        try {
            assertEquals(0, memory().bytesInUse(""), "memory that this test gave back");
        } finally {
            if (host instanceof AutoCloseable closeable) {
                closeable.close();
            }
        }
    }

    final HostKernel host() {
        return host;
    }

    final HostMemory memory() {
        return host.memory();
    }

    final HostProcessors processors() {
        return host.processors();
    }

    final HostClock clock() {
        return host.clock();
    }

    /** A thread of the host that may run anywhere. */
    final HostThread start(Runnable body) throws HostRefusal {
        return processors().start("tck", HostThread.ANY_CPU, body);
    }

    /** Several at once, each with its number from 0; back when all have ended. */
    final void together(int count, Numbered body) throws HostRefusal {
        List<Throwable> failures = new ArrayList<>();
        List<HostThread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            threads.add(
                    processors()
                            .start(
                                    "tck" + i,
                                    HostThread.ANY_CPU,
                                    () -> {
                                        try {
                                            body.run(number);
                                        } catch (Throwable e) {
                                            synchronized (failures) {
                                                failures.add(e);
                                            }
                                        }
                                    }));
        }
        threads.forEach(this::join);
        synchronized (failures) {
            if (!failures.isEmpty()) {
                throw new AssertionError(failures.getFirst().toString(), failures.getFirst());
            }
        }
    }

    /** What one of several threads does. */
    interface Numbered {
        void run(int number) throws Exception;
    }

    final void join(HostThread thread) {
        assertTrue(thread.join(patience), "a thread does not end: something it waits for is lost");
    }

    final void await(CountDownLatch latch, String what) {
        try {
            assertTrue(latch.await(patience, TimeUnit.NANOSECONDS), () -> "lost: " + what);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }

    /** Waits without a wake. */
    final void until(BooleanSupplier condition, String what) {
        long end = clock().nanoTime() + patience;
        while (!condition.getAsBoolean()) {
            assertTrue(clock().nanoTime() - end < 0, () -> "lost: " + what);
            Thread.yield();
        }
    }

    /** A refusal as it must be: one line for people. */
    static String refused(Executable asked) {
        return oneLine(String.valueOf(assertThrows(HostRefusal.class, asked).getMessage()));
    }

    static String oneLine(String message) {
        assertTrue(
                !message.isBlank() && !message.equals("null") && message.lines().count() == 1,
                () -> "not a line: " + message);
        return message;
    }
}

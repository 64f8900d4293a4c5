package org.alcazar.hosts.support;

import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads of the JVM, placed by Linux; elsewhere they run where the system has them run. A host
 * that has more to do at a thread's start, sleep or move overrides methods.
 */
public class ThreadProcessors implements HostProcessors {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadProcessors.class);
    private static final long LONGEST_JOIN = TimeUnit.DAYS.toNanos(365);

    private final String host;
    private final Placement placement;
    private final int most;

    /** All processors that the process may use. */
    public ThreadProcessors(String host) {
        this(host, Integer.MAX_VALUE);
    }

    /**
     * The first processors that the process may use.
     *
     * @param host for messages
     * @param most how many at most
     */
    public ThreadProcessors(String host, int most) {
        this.host = host;
        this.most = most;
        placement = new Placement(most);
    }

    @Override
    public final int count() {
        int placeable = placement.count();
        return placeable > 0
                ? placeable
                : Math.min(most, Runtime.getRuntime().availableProcessors());
    }

    @Override
    public long frequency(int cpu) {
        return 0;
    }

    /** The system's own number of a processor; -1 where threads can't be placed. */
    public final int systemNumber(int cpu) {
        return placement.count() == 0 ? -1 : placement.number(cpu);
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        checkCpu(cpu);
        PlacedThread thread = new PlacedThread(this, name, body, cpu);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            throw new HostRefusal("host " + host + ": no more threads for '" + name + "'", e);
        }
        return new Handle(this, thread);
    }

    @Override
    public void callOn(int cpu, Runnable action) {
        if (cpu < 0 || cpu >= count()) {
            throw new IllegalArgumentException("no processor " + cpu);
        }
        FutureTask<Void> task =
                new FutureTask<>(() -> {
                    if (placement.count() > 0) {
                        placement.place(placement.current(), cpu);
                    }
                    action.run();
                    return null;
                });
        Thread thread = Thread.ofPlatform().name("call-on-" + cpu).start(task);
        boolean interrupted = joined(thread);
        try {
            task.get();
        } catch (InterruptedException e) {
            interrupted = true; // not where the task has ended
        } catch (ExecutionException e) {
            throw new IllegalStateException("call on processor " + cpu + " failed", e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits for the end whatever comes: what the thread uses is the caller's. */
    private static boolean joined(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }

    @Override
    public void yield() {
        Thread.yield();
    }

    @Override
    public void sleep(long nanos) {
        if (Thread.currentThread() instanceof PlacedThread self && self.processors == this) {
            self.sleeper.sleep(nanos);
        } else {
            LockSupport.parkNanos(this, nanos);
        }
    }

    /** How a thread that starts now will sleep. */
    protected Sleeper sleeper(Thread thread) {
        return Sleeper.ofJvm(thread);
    }

    /**
     * A thread has begun, before its body; runs on that thread.
     *
     * @param number the system's number of it, 0 where threads can't be placed
     */
    protected void began(Thread thread, int number) {}

    /** A thread was put on a processor, or freed with {@link HostThread#ANY_CPU}. */
    protected void moved(Thread thread, int cpu) {}

    private void checkCpu(int cpu) throws HostRefusal {
        if (cpu != HostThread.ANY_CPU && (cpu < 0 || cpu >= count())) {
            throw new HostRefusal(
                    "host %s: no processor %d; there are 0 to %d"
                            .formatted(host, cpu, count() - 1));
        }
        if (cpu != HostThread.ANY_CPU && placement.count() == 0) {
            throw new HostRefusal("host " + host + ": this system gives no way to place threads");
        }
    }

    /** A daemon thread, so that a VM in an endless loop does not keep the process. */
    private static final class PlacedThread extends Thread {
        private final ThreadProcessors processors;
        private final Sleeper sleeper;
        private int cpu;

        /** The system's number of the thread while it runs, else 0. */
        private int number;

        PlacedThread(ThreadProcessors processors, String name, Runnable body, int cpu) {
            super(null, body, name, 2L << 20, false);
            this.processors = processors;
            this.cpu = cpu;
            sleeper = processors.sleeper(this);
            setDaemon(true);
            setUncaughtExceptionHandler((t, e) -> LOG.error("thread {} died", t.getName(), e));
        }

        @Override
        public void run() {
            processors.began(this, begin());
            try {
                super.run();
            } finally {
                end();
            }
        }

        private synchronized int begin() {
            number = processors.placement.current();
            if (cpu != HostThread.ANY_CPU && !apply()) {
                LOG.warn("thread {} can't run on processor {} alone", getName(), cpu);
            }
            return number;
        }

        /** The system may give the number to another thread now. */
        private synchronized void end() {
            number = 0;
        }

        synchronized boolean move(int to) {
            cpu = to;
            return number == 0 || apply();
        }

        private boolean apply() {
            boolean done =
                    cpu == HostThread.ANY_CPU
                            ? processors.placement.free(number)
                            : processors.placement.place(number, cpu);
            if (done) {
                processors.moved(this, cpu);
            }
            return done;
        }
    }

    /**
     * The handle that callers get; {@link Thread#join(long)} is final and counts in other units.
     */
    private record Handle(ThreadProcessors processors, PlacedThread thread) implements HostThread {
        @Override
        public void move(int cpu) throws HostRefusal {
            processors.checkCpu(cpu);
            if (!thread.move(cpu)) {
                throw new HostRefusal(
                        "host %s: the system refuses to run %s on processor %d"
                                .formatted(processors.host, thread.getName(), cpu));
            }
        }

        @Override
        public void kick() {
            wake();
        }

        @Override
        public void wake() {
            thread.sleeper.wake();
        }

        @Override
        public boolean join(long nanos) {
            try {
                return thread.join(Duration.ofNanos(Math.min(nanos, LONGEST_JOIN)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
    }
}

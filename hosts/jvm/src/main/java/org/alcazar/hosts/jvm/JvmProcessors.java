package org.alcazar.hosts.jvm;

import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** Threads of the JVM, placed by Linux; elsewhere they run where the system has them run. */
final class JvmProcessors implements HostProcessors {
    private static final Logger LOG = LoggerFactory.getLogger(JvmProcessors.class);
    private static final long LONGEST_JOIN = TimeUnit.DAYS.toNanos(365);

    private final Placement placement = new Placement();

    @Override
    public int count() {
        int placeable = placement.count();
        return placeable > 0 ? placeable : Runtime.getRuntime().availableProcessors();
    }

    @Override
    public long frequency(int cpu) {
        return 0;
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        checkCpu(cpu);
        JvmThread thread = new JvmThread(name, body, placement, cpu);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            throw new HostRefusal("host jvm: no more threads for '" + name + "'", e);
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
        try {
            thread.join();
            task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("call on processor " + cpu + " failed", e.getCause());
        }
    }

    @Override
    public void yield() {
        Thread.yield();
    }

    @Override
    public void sleep(long nanos) {
        if (Thread.currentThread() instanceof JvmThread self) {
            if (!self.woken.getAndSet(false)) {
                LockSupport.parkNanos(self, nanos);
                self.woken.getAndSet(false);
            }
        } else {
            LockSupport.parkNanos(this, nanos);
        }
    }

    private void checkCpu(int cpu) throws HostRefusal {
        if (cpu != HostThread.ANY_CPU && (cpu < 0 || cpu >= count())) {
            throw new HostRefusal(
                    "host jvm: no processor " + cpu + "; there are 0 to " + (count() - 1));
        }
        if (cpu != HostThread.ANY_CPU && placement.count() == 0) {
            throw new HostRefusal("host jvm: this system gives no way to place threads");
        }
    }

    /** A daemon thread, so that a VM in an endless loop does not keep the process. */
    private static final class JvmThread extends Thread {
        private final AtomicBoolean woken = new AtomicBoolean();
        private final Placement placement;
        private int cpu;

        /** The system's number of the thread while it runs, else 0. */
        private int number;

        JvmThread(String name, Runnable body, Placement placement, int cpu) {
            super(null, body, name, 2L << 20, false);
            this.placement = placement;
            this.cpu = cpu;
            setDaemon(true);
            setUncaughtExceptionHandler((t, e) -> LOG.error("thread {} died", t.getName(), e));
        }

        @Override
        public void run() {
            begin();
            try {
                super.run();
            } finally {
                end();
            }
        }

        private synchronized void begin() {
            number = placement.current();
            if (cpu != HostThread.ANY_CPU && !apply()) {
                LOG.warn("thread {} can't run on processor {} alone", getName(), cpu);
            }
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
            return cpu == HostThread.ANY_CPU
                    ? placement.free(number)
                    : placement.place(number, cpu);
        }
    }

    /**
     * The handle that callers get; {@link Thread#join(long)} is final and counts in other units.
     */
    private record Handle(JvmProcessors processors, JvmThread thread) implements HostThread {
        @Override
        public void move(int cpu) throws HostRefusal {
            processors.checkCpu(cpu);
            if (!thread.move(cpu)) {
                throw new HostRefusal(
                        "host jvm: the system refuses to run "
                                + thread.getName()
                                + " on processor "
                                + cpu);
            }
        }

        @Override
        public void kick() {
            wake();
        }

        @Override
        public void wake() {
            thread.woken.set(true);
            LockSupport.unpark(thread);
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

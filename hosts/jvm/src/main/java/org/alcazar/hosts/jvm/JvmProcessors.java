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

/**
 * Threads of the JVM. Placement is a wish that a JVM can't keep: the operating system schedules.
 */
final class JvmProcessors implements HostProcessors {
    private static final Logger LOG = LoggerFactory.getLogger(JvmProcessors.class);
    private static final long LONGEST_JOIN = TimeUnit.DAYS.toNanos(365);

    @Override
    public int count() {
        return Runtime.getRuntime().availableProcessors();
    }

    @Override
    public long frequency(int cpu) {
        return 0;
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        checkCpu(cpu);
        JvmThread thread = new JvmThread(name, body);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            throw new HostRefusal("host jvm: no more threads for '" + name + "'", e);
        }
        return new Handle(thread);
    }

    @Override
    public void callOn(int cpu, Runnable action) {
        if (cpu < 0 || cpu >= count()) {
            throw new IllegalArgumentException("no processor " + cpu);
        }
        FutureTask<Void> task =
                new FutureTask<>(() -> {
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
                self.woken.set(false);
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
    }

    /** A daemon thread, so that a VM in an endless loop does not keep the process. */
    private static final class JvmThread extends Thread {
        private final AtomicBoolean woken = new AtomicBoolean();

        JvmThread(String name, Runnable body) {
            super(null, body, name, 2L << 20, false);
            setDaemon(true);
            setUncaughtExceptionHandler((t, e) -> LOG.error("thread {} died", t.getName(), e));
        }
    }

    /**
     * The handle that callers get; {@link Thread#join(long)} is final and counts in other units.
     */
    private record Handle(JvmThread thread) implements HostThread {
        @Override
        public void move(int cpu) {
            // A JVM has no say in where its threads run.
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

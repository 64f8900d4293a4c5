package org.example.minimal;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.alcazar.host.*;

/** One processor, which is the whole machine: threads run where the system has them run. */
final class MinimalProcessors implements HostProcessors {
    private static final Duration LONGEST_JOIN = Duration.ofDays(365);

    @Override public int count() { return 1; }
    @Override public long frequency(int cpu) { return 0; }

    @Override public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        check(cpu);
        Sleeper thread = new Sleeper(name, body);
        thread.start();
        return thread.handle;
    }

    private static void check(int cpu) throws HostRefusal {
        if (cpu != 0 && cpu != HostThread.ANY_CPU) {
            throw new HostRefusal("host minimal: there is no processor " + cpu + ", only 0");
        }
    }

    /** The caller is on processor 0: there is no other. */
    @Override public void callOn(int cpu, Runnable action) {
        if (cpu != 0) {
            throw new IllegalArgumentException("no processor " + cpu);
        }
        try {
            action.run();
        } catch (RuntimeException e) {
            throw new IllegalStateException("a call failed", e);
        }
    }

    @Override public void yield() { Thread.yield(); }

    @Override public void sleep(long nanos) {
        AtomicBoolean woken =
                Thread.currentThread() instanceof Sleeper self ? self.woken : new AtomicBoolean();
        if (!woken.getAndSet(false)) {
            LockSupport.parkNanos(this, nanos);
            woken.set(false);
        }
    }

    /** The flag keeps a wake that comes before the sleep. */
    private static final class Sleeper extends Thread {
        private final AtomicBoolean woken = new AtomicBoolean();
        private final Handle handle = new Handle(this);

        Sleeper(String name, Runnable body) {
            super(body, name);
            setDaemon(true); // a VM in an endless loop does not keep the process
        }
    }

    private record Handle(Sleeper thread) implements HostThread {
        @Override public void move(int cpu) throws HostRefusal { check(cpu); }
        @Override public void kick() { wake(); }

        @Override public void wake() {
            thread.woken.set(true);
            LockSupport.unpark(thread);
        }

        @Override public boolean join(long nanos) {
            Duration limit = Duration.ofNanos(nanos);
            try {
                return thread.join(limit.compareTo(LONGEST_JOIN) < 0 ? limit : LONGEST_JOIN);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
    }
}

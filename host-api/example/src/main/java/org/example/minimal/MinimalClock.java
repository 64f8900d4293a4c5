package org.example.minimal;

import java.time.Instant;
import java.util.concurrent.*;
import java.util.concurrent.locks.ReentrantLock;
import org.alcazar.host.*;

/** Time of the JVM, and one thread that fires all timers in the order of their deadlines. */
final class MinimalClock implements HostClock {
    private final DelayQueue<Due> queue = new DelayQueue<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("timers").start(this::run);

    @Override public long nanoTime() { return System.nanoTime(); }

    @Override public long epochNanos() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    @Override public HostTimer timer(String name, Runnable action) { return new Timer(action); }

    void close() { thread.interrupt(); }

    private void run() {
        try {
            for (Due due = queue.take(); ; due = queue.take()) {
                due.timer.fire(due);
            }
        } catch (InterruptedException e) {
            // The end.
        }
    }

    /** One deadline of a timer. */
    private record Due(Timer timer, long deadline) implements Delayed {
        @Override public long getDelay(TimeUnit unit) {
            return unit.convert(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override public int compareTo(Delayed other) { return Long.compare(deadline, ((Due) other).deadline); }
    }

    private final class Timer implements HostTimer {
        private final Runnable action;
        /** Held while the action runs; whoever closes waits for it, but for the action itself. */
        private final ReentrantLock running = new ReentrantLock();
        private volatile Due armed;
        private boolean closed;

        Timer(Runnable action) { this.action = action; }

        @Override public synchronized void arm(long deadline) {
            cancel();
            if (!closed) {
                armed = new Due(this, deadline);
                queue.add(armed);
            }
        }

        @Override public synchronized void cancel() {
            Due old = armed;
            armed = null;
            queue.removeIf(due -> due == old);
        }

        @Override public void close() {
            synchronized (this) {
                closed = true;
                cancel();
            }
            running.lock();
            running.unlock();
        }

        private void fire(Due due) {
            running.lock();
            try {
                if (armed == due) { // not cancelled meanwhile
                    action.run();
                }
            } catch (RuntimeException | Error e) {
                e.printStackTrace(); // the action's fault; the clock goes on
            } finally {
                running.unlock();
            }
        }
    }
}

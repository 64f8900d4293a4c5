package org.alcazar.hosts.jvm;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Time of the JVM, and one thread that fires all timers. */
final class JvmClock implements HostClock, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JvmClock.class);

    /** Guards everything below and the fields of the timers. Actions run outside of it. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();

    /** Armed timers by deadline; a deadline changes only while its timer is outside. */
    private final PriorityQueue<JvmTimer> armed =
            new PriorityQueue<>(Comparator.comparingLong(t -> t.deadline));

    private final Thread thread;
    private boolean closed;

    JvmClock() {
        thread = Thread.ofPlatform().daemon().name("host-timers").unstarted(this::run);
        thread.start();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long epochNanos() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    @Override
    public HostTimer timer(String name, Runnable action) {
        return new JvmTimer(name, action);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        for (Optional<JvmTimer> due = next(); due.isPresent(); due = next()) {
            due.get().fire();
        }
    }

    /** Waits for the next timer that is due; empty at the end. */
    private Optional<JvmTimer> next() {
        lock.lock();
        try {
            while (!closed) {
                JvmTimer first = armed.peek();
                long wait = first == null ? Long.MAX_VALUE : first.deadline - System.nanoTime();
                if (first != null && wait <= 0) {
                    armed.remove();
                    first.running = true;
                    return Optional.of(first);
                }
                changed.awaitNanos(wait);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        return Optional.empty();
    }

    /** One timer. */
    private final class JvmTimer implements HostTimer {
        private final String name;
        private final Runnable action;
        private long deadline;
        private boolean running;
        private boolean gone;

        JvmTimer(String name, Runnable action) {
            this.name = name;
            this.action = action;
        }

        @Override
        public void arm(long newDeadline) {
            lock.lock();
            try {
                armed.remove(this);
                if (!gone) {
                    deadline = newDeadline;
                    armed.add(this);
                    if (armed.peek() == this) {
                        changed.signalAll();
                    }
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void cancel() {
            lock.lock();
            try {
                armed.remove(this);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                gone = true;
                armed.remove(this);
                while (running && Thread.currentThread() != thread) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        private void fire() {
            try {
                action.run();
            } catch (RuntimeException e) {
                LOG.error("timer {} failed", name, e);
            } finally {
                lock.lock();
                running = false;
                changed.signalAll();
                lock.unlock();
            }
        }
    }
}

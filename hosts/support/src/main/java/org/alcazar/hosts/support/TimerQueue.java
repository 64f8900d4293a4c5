package org.alcazar.hosts.support;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A clock, and one thread that fires all timers. */
public final class TimerQueue implements HostClock, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TimerQueue.class);

    /** A deadline that {@link #fireDue} never gives. */
    private static final long ENDED = Long.MIN_VALUE;

    /** For an action that runs while the host is closed. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final Alarm alarm;

    /** Guards everything below and the fields of the timers. Actions run outside of it. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition fired = lock.newCondition();

    /** Armed timers by deadline; a deadline changes only while its timer is outside. */
    private final PriorityQueue<QueuedTimer> armed =
            new PriorityQueue<>(Comparator.comparingLong(t -> t.deadline));

    private final Thread thread;
    private boolean closed;

    /**
     * Starts the thread.
     *
     * @param alarm closed by that thread when it ends
     */
    public TimerQueue(Alarm alarm) {
        this.alarm = alarm;
        thread = Thread.ofPlatform().daemon().name("host-timers").unstarted(this::run);
        thread.start();
    }

    @Override
    public long nanoTime() {
        return alarm.nanoTime();
    }

    @Override
    public long epochNanos() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    @Override
    public HostTimer timer(String name, Runnable action) {
        return new QueuedTimer(name, action);
    }

    /**
     * Ends the thread, and waits a while for its end, but for a timer's own action that calls this.
     * Nothing fires any more.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                alarm.ring();
            }
        } finally {
            lock.unlock();
        }
        try {
            if (Thread.currentThread() != thread) {
                thread.join(PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            for (long deadline = fireDue(); deadline != ENDED; deadline = fireDue()) {
                alarm.await(deadline);
            }
        } finally {
            end();
            alarm.close();
        }
    }

    /** However the thread ends: who arms a timer later must not ring what the alarm gave back. */
    private void end() {
        lock.lock();
        closed = true;
        lock.unlock();
    }

    /** Fires what is due and gives the next deadline. */
    private long fireDue() {
        while (true) {
            QueuedTimer due;
            lock.lock();
            try {
                QueuedTimer first = armed.peek();
                if (closed) {
                    return ENDED;
                }
                if (first == null) {
                    return Long.MAX_VALUE;
                }
                if (first.deadline - alarm.nanoTime() > 0) {
                    return first.deadline;
                }
                armed.remove();
                first.running = true;
                due = first;
            } finally {
                lock.unlock();
            }
            due.fire();
        }
    }

    /** One timer. */
    private final class QueuedTimer implements HostTimer {
        private final String name;
        private final Runnable action;
        private long deadline;
        private boolean running;
        private boolean gone;

        QueuedTimer(String name, Runnable action) {
            this.name = name;
            this.action = action;
        }

        @Override
        public void arm(long newDeadline) {
            lock.lock();
            try {
                armed.remove(this);
                if (!gone && !closed) {
                    deadline = newDeadline;
                    armed.add(this);
                    // Its own thread looks again by itself.
                    if (armed.peek() == this && Thread.currentThread() != thread) {
                        alarm.ring();
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
                    fired.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        private void fire() {
            try {
                action.run();
            } catch (RuntimeException | Error e) {
                // One VM's failure, even for lack of memory, must not end the timers of all.
                LOG.error("timer {} failed", name, e);
            } finally {
                lock.lock();
                running = false;
                fired.signalAll();
                lock.unlock();
            }
        }
    }
}

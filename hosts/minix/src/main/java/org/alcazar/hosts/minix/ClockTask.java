package org.alcazar.hosts.minix;

import org.alcazar.hosts.support.Alarm;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** The CLOCK task: it keeps the time, and one alarm, PM's, which keeps those of all others. */
final class ClockTask implements AutoCloseable {
    /** The bit of its notifications. */
    static final long BIT = 1;

    private final Kernel kernel;
    private final Alarm alarm = Alarm.ofJvm();
    private long deadline = Long.MAX_VALUE;
    private volatile boolean closed;

    ClockTask(Kernel kernel) {
        this.kernel = kernel;
    }

    void start() {
        Thread.ofPlatform().daemon().name("minix-clock").start(this::run);
    }

    long nanoTime() {
        return alarm.nanoTime();
    }

    long epochNanos() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    void set(long newDeadline) {
        synchronized (this) {
            deadline = newDeadline;
        }
        alarm.ring();
    }

    private synchronized long next() {
        return deadline;
    }

    private synchronized boolean expire() {
        if (deadline == Long.MAX_VALUE || alarm.nanoTime() - deadline < 0) {
            return false;
        }
        deadline = Long.MAX_VALUE;
        return true;
    }

    private void run() {
        while (!closed) {
            if (expire()) {
                kernel.count(MinixPrimitive.ALARM);
                kernel.notify(ServerName.PM, BIT);
            }
            alarm.await(next());
        }
    }

    @Override
    public void close() {
        closed = true;
        alarm.ring();
    }
}

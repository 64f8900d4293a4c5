package org.alcazar.hosts.support;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.locks.LockSupport;

/**
 * An alarm out of the JVM's own means. A ring before the first wait leaves its mark in the flag.
 */
final class ParkAlarm implements Alarm {
    private volatile @Nullable Thread waiter;
    private volatile boolean rung;

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void await(long deadline) {
        waiter = Thread.currentThread();
        if (!rung) {
            if (deadline == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, deadline - System.nanoTime());
            }
        }
        rung = false;
    }

    @Override
    public void ring() {
        rung = true;
        Thread thread = waiter;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void close() {}
}

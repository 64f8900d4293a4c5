package org.alcazar.hosts.minix;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Where one thread of the VMM receives notifications. One that comes before the wait is kept. */
final class Port {
    /** From the server that the thread listens to. */
    static final long SERVER = 1;

    /** The server has died: EDEADSRCDST. */
    static final long DIED = 1L << 62;

    /** From the VMM itself. */
    static final long OWN = 1L << 63;

    private final AtomicLong pending = new AtomicLong();
    private volatile @Nullable Thread sleeper;

    void notify(long sources) {
        pending.accumulateAndGet(sources, (a, b) -> a | b);
        Thread thread = sleeper;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** Waits for notifications and takes them. */
    long await() {
        sleeper = Thread.currentThread();
        while (pending.get() == 0) {
            LockSupport.park(this);
        }
        sleeper = null;
        return pending.getAndSet(0);
    }
}

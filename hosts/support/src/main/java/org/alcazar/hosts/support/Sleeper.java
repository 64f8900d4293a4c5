package org.alcazar.hosts.support;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** How one thread sleeps and others wake it. A wake before the sleep is not lost. */
public interface Sleeper {
    /** Sleeps; called by the thread itself. May return early. */
    void sleep(long nanos);

    /** Ends the sleep, or the next one. */
    void wake();

    /** Sleeps as every JVM's thread can. */
    static Sleeper ofJvm(Thread thread) {
        return new Parked(thread, new AtomicBoolean());
    }

    /** By the JVM's parking. */
    record Parked(Thread thread, AtomicBoolean woken) implements Sleeper {
        @Override
        public void sleep(long nanos) {
            if (!woken.getAndSet(false)) {
                LockSupport.parkNanos(this, nanos);
                woken.getAndSet(false);
            }
        }

        @Override
        public void wake() {
            woken.set(true);
            LockSupport.unpark(thread);
        }
    }
}

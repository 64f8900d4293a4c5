package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;

/**
 * Guest time runs with the host's. One host timer stands for the earliest deadline; it is moved
 * only to earlier times, so that a guest that postpones its tick again and again costs nothing.
 */
final class HostDrivenClock extends VmClock {
    private final HostClock host;
    private final HostTimer timer;

    /** Host time at guest time 0, while the clock runs. */
    private volatile long offset;

    private volatile boolean running;
    private long frozen;
    private volatile long armed = Long.MAX_VALUE;

    /**
     * @param due tells vcore 0 to look at its timers; on any thread
     */
    HostDrivenClock(HostClock host, long frequency, String name, Runnable due) {
        super(frequency, host.epochNanos());
        this.host = host;
        this.timer =
                host.timer(
                        name,
                        () -> {
                            armed = Long.MAX_VALUE;
                            due.run();
                        });
    }

    @Override
    public long nanos() {
        return running ? host.nanoTime() - offset : frozen;
    }

    @Override
    long nanosAt(long retired) {
        return nanos();
    }

    @Override
    void earlier(long deadline) {
        if (running && deadline < armed) {
            move(deadline);
        }
    }

    private synchronized void move(long deadline) {
        if (running && deadline < armed) {
            armed = deadline;
            long at = deadline + offset;
            timer.arm(deadline > 0 && offset > 0 && at < 0 ? Long.MAX_VALUE : at);
        }
    }

    @Override
    void settled() {
        earlier(timers.earliest());
    }

    @Override
    synchronized void halt() {
        if (running) {
            frozen = nanos();
            running = false;
            timer.cancel();
            armed = Long.MAX_VALUE;
        }
    }

    @Override
    synchronized void go() {
        if (!running) {
            offset = host.nanoTime() - frozen;
            running = true;
            settled();
        }
    }

    @Override
    void set(long nanos) {
        frozen = nanos;
    }

    @Override
    void close() {
        timer.close();
    }
}

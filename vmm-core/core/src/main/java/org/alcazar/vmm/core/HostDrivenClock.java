package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Guest time runs with the host's. One host timer for each vcore stands for the earliest deadline
 * of its timers; it is moved only to earlier times, so that a guest that postpones its tick again
 * and again costs nothing.
 */
final class HostDrivenClock extends VmClock {
    private final HostClock host;
    private final List<Alarm> alarms = new ArrayList<>();

    /** Host time at guest time 0, while the clock runs. */
    private volatile long offset;

    private volatile boolean running;
    private long frozen;

    /**
     * @param due tells a vcore to look at its timers; on any thread
     */
    HostDrivenClock(HostClock host, long frequency, String name, int vcores, IntConsumer due) {
        super(frequency, host.epochNanos());
        this.host = host;
        boolean made = false;
        try {
            for (int i = 0; i < vcores; i++) {
                int vcore = i;
                alarms.add(new Alarm(name, () -> due.accept(vcore)));
            }
            made = true;
        } finally {
            if (!made) {
                close(); // the timers that there are
            }
        }
    }

    /** The timers of a vcore. */
    private final class Alarm {
        final TimerQueue timers = new TimerQueue(this::earlier);
        private final HostTimer timer;
        private volatile long armed = Long.MAX_VALUE;

        Alarm(String name, Runnable due) {
            timer =
                    host.timer(
                            name,
                            () -> {
                                armed = Long.MAX_VALUE;
                                due.run();
                            });
        }

        void earlier(long deadline) {
            if (running && deadline < armed) {
                move(deadline);
            }
        }

        private void move(long deadline) {
            synchronized (HostDrivenClock.this) {
                if (running && deadline < armed) {
                    armed = deadline;
                    long at = deadline + offset;
                    timer.arm(deadline > 0 && offset > 0 && at < 0 ? Long.MAX_VALUE : at);
                }
            }
        }

        void settled() {
            earlier(timers.earliest());
        }

        /** With the clock's lock. */
        void halt() {
            timer.cancel();
            armed = Long.MAX_VALUE;
        }
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
    TimerQueue timers(int vcore) {
        return alarms.get(vcore).timers;
    }

    @Override
    void settled(int vcore) {
        alarms.get(vcore).settled();
    }

    @Override
    synchronized void halt() {
        if (running) {
            frozen = nanos();
            running = false;
            alarms.forEach(Alarm::halt);
        }
    }

    @Override
    synchronized void go() {
        if (!running) {
            offset = host.nanoTime() - frozen;
            running = true;
            alarms.forEach(Alarm::settled);
        }
    }

    @Override
    void set(long nanos) {
        frozen = nanos;
    }

    @Override
    final void close() {
        alarms.forEach(alarm -> alarm.timer.close());
    }
}

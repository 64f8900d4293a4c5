package org.alcazar.testkit.device;

import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * A guest's clock that stands until the test advances it; timers fire on the way, each at its
 * deadline.
 */
public final class ManualClock implements GuestClock {
    private static final long FREQUENCY = 1_000_000_000L;

    private final List<Timer> timers = new ArrayList<>();
    private long now;
    private long epoch;

    /** Wall clock at guest time 0, in nanoseconds since 1970. */
    public ManualClock epoch(long nanos) {
        epoch = nanos;
        return this;
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public long epochNanos() {
        return epoch + now;
    }

    @Override
    public long counterFrequency() {
        return FREQUENCY;
    }

    @Override
    public GuestTimer timer(String name, Runnable action) {
        Timer timer = new Timer(action);
        timers.add(timer);
        return timer;
    }

    /** Lets time pass. */
    public void advance(long nanos) {
        long until = now + nanos;
        for (Timer due = next(until); due != null; due = next(until)) {
            now = Math.max(now, due.deadline);
            due.armed = false;
            due.action.run();
        }
        now = until;
    }

    /** Lets time pass in one step, as on a busy host: timers fire late, at its end. */
    public void jump(long nanos) {
        now += nanos;
        advance(0);
    }

    /** Timers that are armed now. */
    public int armedTimers() {
        return (int) timers.stream().filter(Timer::armed).count();
    }

    /** When an armed timer fires. */
    static long deadline(GuestTimer timer) {
        return ((Timer) timer).deadline;
    }

    private @Nullable Timer next(long until) {
        Timer best = null;
        for (int i = 0; i < timers.size(); i++) { // no iterator: allocation is measured around this
            Timer timer = timers.get(i);
            if (timer.armed
                    && timer.deadline <= until
                    && (best == null || timer.deadline < best.deadline)) {
                best = timer;
            }
        }
        return best;
    }

    private static final class Timer implements GuestTimer {
        private final Runnable action;
        private long deadline;
        private boolean armed;

        Timer(Runnable action) {
            this.action = action;
        }

        @Override
        public void arm(long at) {
            deadline = at;
            armed = true;
        }

        @Override
        public void cancel() {
            armed = false;
        }

        @Override
        public boolean armed() {
            return armed;
        }

        @Override
        public void close() {
            armed = false;
        }
    }
}

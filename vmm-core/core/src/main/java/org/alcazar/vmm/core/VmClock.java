package org.alcazar.vmm.core;

import org.alcazar.machine.TimeSource;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;

/**
 * The VM's clock with its timers. It stands still until the first {@link #go} and in every pause.
 */
abstract class VmClock implements GuestClock {
    private final long frequency;

    /** Wall-clock time of the guest at guest time 0. */
    long epoch;

    VmClock(long frequency, long epoch) {
        this.frequency = frequency;
        this.epoch = epoch;
    }

    @Override
    public final long epochNanos() {
        return epoch + nanos();
    }

    @Override
    public final long counterFrequency() {
        return frequency;
    }

    @Override
    public final GuestTimer timer(String name, Runnable action) {
        return timers(0).add(name, this, action);
    }

    /** The time-stamp counter of all vcores. */
    final TimeSource counter() {
        return frequency == NANOS_PER_SECOND
                ? this::nanosAt
                : retired -> GuestClock.ticks(nanosAt(retired), frequency);
    }

    /** Guest time for a vcore that has retired so many instructions. */
    abstract long nanosAt(long retired);

    /** The timers whose actions run on a vcore's thread; may be the same for all. */
    abstract TimerQueue timers(int vcore);

    /** All timers of a vcore that were due have fired. */
    abstract void settled(int vcore);

    /** Stops the clock. */
    abstract void halt();

    /** Lets the clock go on where it stopped. */
    abstract void go();

    /** Puts the clock, which stands, to a time. */
    abstract void set(long nanos);

    void close() {}
}

package org.alcazar.vmm;

/**
 * The VM's clock: the only time that devices and guests see. It starts at 0 with the VM, stops in a
 * pause, is saved with the VM, and is driven by the host's clock or by retired instructions.
 */
public interface GuestClock {
    long NANOS_PER_SECOND = 1_000_000_000L;

    /** Guest time in nanoseconds. */
    long nanos();

    /**
     * The wall-clock time of the guest, in nanoseconds since 1970-01-01T00:00Z: where the
     * battery-backed clock stands.
     */
    long epochNanos();

    /** Frequency of the time-stamp counter in hertz. */
    long counterFrequency();

    /**
     * A new one-shot timer, not armed. Its action runs on vcore 0's thread between two runs of
     * guest code, or while the VM is idle.
     */
    GuestTimer timer(String name, Runnable action);

    /**
     * The same clock for what belongs to one vcore, such as its local interrupt controller: actions
     * of timers that are made here run on that vcore's thread, so that no other one is stopped for
     * them.
     */
    default GuestClock on(Vcore vcore) {
        return this;
    }

    /**
     * Ticks of a clock of {@code hertz} since the VM's start: nanos × hertz / 10⁹ without overflow,
     * rounded down.
     *
     * @param nanos not negative
     * @param hertz 1 to 9 · 10⁹
     */
    static long ticks(long nanos, long hertz) {
        return nanos / NANOS_PER_SECOND * hertz
                + nanos % NANOS_PER_SECOND * hertz / NANOS_PER_SECOND;
    }

    /**
     * The first nanosecond at which {@link #ticks} reaches {@code ticks}; {@link Long#MAX_VALUE},
     * which is never, where that lies beyond the range. Same limits.
     */
    static long nanosOf(long ticks, long hertz) {
        long seconds = ticks / hertz;
        long rest = (ticks % hertz * NANOS_PER_SECOND + hertz - 1) / hertz;
        return seconds > (Long.MAX_VALUE - rest) / NANOS_PER_SECOND
                ? Long.MAX_VALUE
                : seconds * NANOS_PER_SECOND + rest;
    }
}

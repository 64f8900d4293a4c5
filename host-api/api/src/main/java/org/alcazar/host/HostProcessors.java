package org.alcazar.host;

/** Processors and threads of the host. */
public interface HostProcessors {
    /** Processors that threads may be placed on, at least 1. */
    int count();

    /** Nominal frequency in hertz, or 0 where it is not known. */
    long frequency(int cpu);

    /**
     * Starts a thread on a processor.
     *
     * @param cpu index below {@link #count}, or {@link HostThread#ANY_CPU}
     * @throws HostRefusal if the host allows no more threads, there is no such processor, or the
     *     host can't place threads
     */
    HostThread start(String name, int cpu, Runnable body) throws HostRefusal;

    /**
     * Runs a short action on a processor and waits for its end.
     *
     * @throws IllegalArgumentException if there is no such processor
     * @throws IllegalStateException if the action threw; the cause says what
     */
    void callOn(int cpu, Runnable action);

    /** Lets other threads run first. */
    void yield();

    /**
     * Sleeps until {@link HostThread#wake}, {@link HostThread#kick}, or until the time is over. A
     * wake that came before the sleep is not lost. May return early. Threads that {@link #start}
     * did not start have no handle to wake them by: they sleep until the time is over or less.
     *
     * @param nanos at most so long; {@link Long#MAX_VALUE} without a limit
     */
    void sleep(long nanos);
}

package org.alcazar.hosts.support;

/** What the thread of a {@link TimerQueue} waits by. One thread awaits; any may ring. */
public interface Alarm extends AutoCloseable {
    /** Monotonic time in nanoseconds from an arbitrary start. */
    long nanoTime();

    /**
     * Waits until a time on the scale of {@link #nanoTime}, or until {@link #ring}; a ring that
     * came before is not lost. May return early.
     *
     * @param deadline {@link Long#MAX_VALUE} for no limit
     */
    void await(long deadline);

    /** Ends the wait, or the next one. Not called after {@link #close}. */
    void ring();

    /** The waiting thread has ended; gives back what the system lent. */
    @Override
    void close();

    /**
     * The same alarm, watched.
     *
     * @param set is told of each wait with a deadline
     * @param expired is told when such a wait has reached its deadline
     */
    static Alarm watched(Alarm alarm, Runnable set, Runnable expired) {
        return new WatchedAlarm(alarm, set, expired);
    }

    /** Waits as every JVM can. */
    static Alarm ofJvm() {
        return new ParkAlarm();
    }
}

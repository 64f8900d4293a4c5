package org.alcazar.host;

/** All time comes from here; nothing else in Alcazar reads a clock. */
public interface HostClock {
    /** Monotonic time in nanoseconds from an arbitrary start. */
    long nanoTime();

    /** Wall-clock time in nanoseconds since 1970-01-01T00:00Z. May jump. */
    long epochNanos();

    /** A new one-shot timer, not armed. {@code action} runs on a host thread and must be short. */
    HostTimer timer(String name, Runnable action);
}

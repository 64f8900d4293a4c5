package org.alcazar.host;

/** A thread that {@link HostProcessors#start} has started. */
public interface HostThread {
    int ANY_CPU = -1;

    /**
     * Moves the thread to another processor, or lets it run anywhere with {@link #ANY_CPU}. It runs
     * there from its next instruction or its next turn on; nothing happens if it has ended.
     *
     * @throws HostRefusal if there is no such processor, or the host can't place threads
     */
    void move(int cpu) throws HostRefusal;

    /**
     * Interrupts what the thread does in the host (a sleep, a run of hardware), so that it looks at
     * its flags soon. Never lost.
     */
    void kick();

    /** Ends a sleep of the thread, or the next one if it does not sleep. */
    void wake();

    /**
     * Waits for the end of the thread.
     *
     * @return whether it has ended within {@code nanos}
     */
    boolean join(long nanos);
}

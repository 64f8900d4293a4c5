package org.alcazar.host;

/** A one-shot timer. It never fires early. */
public interface HostTimer extends AutoCloseable {
    /**
     * Fires once at {@code deadline} on the scale of {@link HostClock#nanoTime}; replaces an
     * earlier deadline.
     */
    void arm(long deadline);

    /** Forgets the deadline. An action that already runs may still be running on return. */
    void cancel();

    /** Cancels for ever and waits for an action that runs on another thread. */
    @Override
    void close();
}

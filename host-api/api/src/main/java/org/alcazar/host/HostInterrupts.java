package org.alcazar.host;

/** Interrupt lines of the host's own hardware. */
public interface HostInterrupts {
    /** Lines that may be hooked, numbered from 0. */
    int lines();

    /**
     * Calls {@code handler} at each interrupt of the line until the registration is closed.
     *
     * @throws HostRefusal if there is no such line or it belongs to somebody else
     */
    Registration hook(int line, Runnable handler) throws HostRefusal;

    /** Tells the host that the line was served and may interrupt again. */
    void acknowledge(int line);

    /** A hook that can be taken back. */
    interface Registration extends AutoCloseable {
        /**
         * Gives the line back. A handler that runs is waited for, unless it is the caller: what it
         * uses may go afterwards. So nobody closes with a lock held that the handler takes. The
         * second time nothing happens.
         */
        @Override
        void close();
    }
}

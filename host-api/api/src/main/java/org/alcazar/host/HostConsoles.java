package org.alcazar.host;

import java.util.function.IntConsumer;

/** Optional: byte streams that a person or a file is behind. */
public interface HostConsoles {
    /**
     * Opens a console.
     *
     * @param name {@code stdio}, {@code none} or {@code file:PATH}
     * @throws HostRefusal if there is no such console or it can't be opened
     */
    Console open(String name) throws HostRefusal;

    /** A console in use. Its end of input is silent: no call follows. */
    interface Console extends AutoCloseable {
        /**
         * Appends one byte (0 to 255) to the output. Never blocks for long; buffered until {@link
         * #flush} or a short while.
         */
        void write(int octet);

        void flush();

        /** Gives each input byte (0 to 255) to {@code sink}, on a host thread, from now on. */
        void onInput(IntConsumer sink);

        @Override
        void close();
    }
}

package org.alcazar.host;

/** Optional: raw layer-2 frames. Frames may get lost, are never cut, and never block a sender. */
public interface HostPackets {
    /** The longest frame that {@link Channel#send} takes, in bytes. */
    int LONGEST_FRAME = 65_536;

    /**
     * Opens one end of a channel.
     *
     * @param name a form and a name, such as {@code pair:lan0}; which forms there are is the host's
     *     matter
     * @throws HostRefusal if there is no such form, the end is taken, or a privilege is missing
     */
    Channel open(String name) throws HostRefusal;

    /** An end in use. Methods may be called from any thread. */
    interface Channel extends AutoCloseable {
        /**
         * Sends a frame from its destination address on, without a checksum.
         *
         * @return whether it went out; else it is lost, and counted
         * @throws IndexOutOfBoundsException if the array is too short
         * @throws IllegalArgumentException if {@code bytes} is not from 1 to {@link #LONGEST_FRAME}
         */
        boolean send(byte[] frame, int offset, int bytes);

        /**
         * Gives each frame to {@code sink}, on a host thread, from now on; before, frames wait
         * within narrow bounds. Called once.
         */
        void onReceive(Sink sink);

        /** Frames that were lost here: not sent, or their sink threw. */
        long dropped();

        /** Ends it. The sink is not called any more, unless this was called by the sink itself. */
        @Override
        void close();
    }

    /** Takes frames. Short, no waiting. */
    @FunctionalInterface
    interface Sink {
        /**
         * A frame has come.
         *
         * @param frame is used again afterwards
         * @param bytes of it that are the frame
         */
        void received(byte[] frame, int bytes);
    }
}

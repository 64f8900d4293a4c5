package org.alcazar.vmm.device;

/** Ethernet frames without check sequence. */
public non-sealed interface NetworkBackend extends Backend {
    /** Sends a frame; may drop it, as a wire does. */
    void send(byte[] frame, int offset, int bytes);

    /** Received frames go to {@code sink} through the VM's event queue. */
    void onReceive(FrameSink sink);

    /** Takes frames. */
    @FunctionalInterface
    interface FrameSink {
        /**
         * @return false if there was no room: the frame is dropped
         */
        boolean frame(byte[] bytes);
    }
}

package org.alcazar.devices.virtio.api;

import org.alcazar.machine.SavedState;

/**
 * What one kind of virtio device does, behind its transport. The transport calls it under its own
 * lock, {@link VirtioTransport#lock}; what else comes to the function takes that lock itself.
 */
public interface VirtioFunction {
    /**
     * A byte of the device-specific configuration (2.5), as far as the driver may see it.
     *
     * @param offset from 0 on, within what the kind declares
     */
    int readConfig(int offset);

    /** The driver writes such a byte; read-only ones stay. */
    void writeConfig(int offset, int value);

    /** The driver is ready: the queues it has enabled may be used from now on (3.1.1). */
    void ready();

    /**
     * There may be new buffers in a queue. A queue gives no more than its size at once ({@link
     * Virtqueue#next}); where more are waiting the function is notified again.
     */
    void notified(int queue);

    /** The driver resets the device (2.1.2), or the machine is reset. */
    void reset();

    /** Its own state; queues and features are the transport's. */
    SavedState save();

    /**
     * Takes back what {@link #save} gave; the transport's state is there already.
     *
     * @throws org.alcazar.machine.IncompatibleStateException if it is of another type or version
     */
    void restore(SavedState state);
}

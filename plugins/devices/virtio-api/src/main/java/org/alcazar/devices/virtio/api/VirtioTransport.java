package org.alcazar.devices.virtio.api;

/** What a {@link VirtioFunction} has of its transport. */
public interface VirtioTransport {
    /** Held while anything of the device is touched. Comes after a bus's, before interrupts'. */
    Object lock();

    /** A queue by its number. */
    Virtqueue queue(int number);

    /** Whether the driver has said that it is ready, and nothing has gone wrong since. */
    boolean isReady();

    /** Whether device and driver have agreed on a feature (2.2), by its bit number. */
    boolean has(int feature);

    /** Interrupts the driver if it wants to hear of the buffers that were returned (2.7.7). */
    void used(int queue);

    /** Tells the driver that the configuration has changed. */
    void configChanged();
}

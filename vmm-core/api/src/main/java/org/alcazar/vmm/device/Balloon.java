package org.alcazar.vmm.device;

import java.util.Map;

/**
 * A role of a device through which a guest gives memory up when it is asked to. What it gives up,
 * the device discards ({@link org.alcazar.vmm.GuestMemory#discard}).
 */
public interface Balloon {
    /**
     * Asks the guest to give up so many bytes in all from now on, or to take back what is above
     * that. Returns soon; the guest does it in its own time, as far as it can. On a vcore's thread,
     * like any input.
     *
     * @param bytes at least 0; more than the guest has asks for all that it can spare
     */
    void ask(long bytes);

    /** Bytes that the guest was last asked for. Any thread, as with the other questions. */
    long asked();

    /** Bytes that the guest says it has given up. */
    long given();

    /**
     * What the guest says of its memory, by name; sizes are in bytes. Empty until it has said
     * something.
     */
    Map<String, Long> statistics();
}

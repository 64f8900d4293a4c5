package org.alcazar.platforms.pc.api;

import org.alcazar.vmm.Hook;

import java.util.function.IntConsumer;

/**
 * How interrupt messages reach local APICs (APM volume 2, 16.6). Safe from any thread; allocates
 * nothing.
 */
public interface ApicBus {
    /** Delivery modes, as in the ICR and in redirection entries. */
    int FIXED = 0;

    int LOWEST_PRIORITY = 1;
    int SMI = 2;
    int NMI = 4;
    int INIT = 5;
    int STARTUP = 6;

    /** The vector comes from the {@link LegacyPic}. */
    int EXTERNAL = 7;

    /**
     * Sends a message.
     *
     * @param destination 8 bits: an APIC id (255 all), or a logical destination
     * @param logical whether it is a logical destination
     * @param mode one of the above; reserved ones reach nobody
     * @param level whether it is level-triggered: its end of interrupt is broadcast
     */
    void deliver(int destination, boolean logical, int mode, int vector, boolean level);

    /**
     * Tells the listener the vector of each level-triggered interrupt whose handler has ended.
     *
     * @return closed to end that
     */
    Hook addEndOfInterrupt(IntConsumer listener);
}

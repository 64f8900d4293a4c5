package org.alcazar.platforms.pc.api;

import org.alcazar.machine.InterruptLine;
import org.alcazar.vmm.Hook;

/** The pair of 8259A interrupt controllers, as the processor sees it. */
public interface LegacyPic {
    /**
     * The processor's interrupt acknowledge cycle.
     *
     * @return the vector, 0 to 255; that of a spurious interrupt (input 7) if no request is left
     */
    int acknowledge();

    /** Whether the pair drives its interrupt output. */
    boolean pending();

    /**
     * The boot core's FERR# and IGNNE# pins: an error raises interrupt 13 until the guest writes to
     * port F0h, after which errors are ignored until this one is gone.
     *
     * @return whether IGNNE# is asserted
     */
    default boolean floatError(boolean pending) {
        return true;
    }

    /**
     * Connects the interrupt output to one more wire: LINT0 of a local APIC, a pin of the I/O APIC.
     * Called under the controller's lock when the output changes.
     *
     * @return closed to take the wire off
     */
    Hook addOutput(InterruptLine wire);
}

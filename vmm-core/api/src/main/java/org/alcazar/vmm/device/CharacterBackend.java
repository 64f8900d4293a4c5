package org.alcazar.vmm.device;

import java.util.function.IntConsumer;

/** A byte stream in both directions. */
public non-sealed interface CharacterBackend extends Backend {
    /** Appends one byte, 0 to 255. Never blocks for long. */
    void write(int octet);

    void flush();

    /**
     * Input bytes go to {@code sink} from now on, on a vcore's thread through the VM's event queue.
     */
    void onInput(IntConsumer sink);
}

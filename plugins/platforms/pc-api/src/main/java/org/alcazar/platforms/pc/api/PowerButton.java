package org.alcazar.platforms.pc.api;

/** The machine's power button: the polite way to ask a guest to shut down. */
public interface PowerButton {
    /** Pressed and let go. Any thread. */
    void press();
}

package org.alcazar.host;

/**
 * Optional: carries an exit from the engine's thread to the handler's and the reply back, as a
 * µ-kernel does with an IPC message. A host without it lets the VMM call the handler directly.
 */
public interface HostExitPortal {
    /** Runs {@code handler} where this host handles exits, and returns when it has replied. */
    void handle(Runnable handler);
}

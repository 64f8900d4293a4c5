package org.alcazar.host;

/**
 * Optional: the other side of {@link HostInterrupts}, on hosts whose hardware is modelled: raises
 * their lines as a device would.
 */
public interface HostInterruptPins {
    /**
     * Raises a line. Its handler runs once, soon, on a thread of the host. A line that was raised
     * and not acknowledged yet is raised again when that has happened, once however often it was
     * asked for. Nothing happens where nobody has hooked the line.
     *
     * @throws IllegalArgumentException if there is no such line
     */
    void raise(int line);
}

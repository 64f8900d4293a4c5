package org.alcazar.vmm.device;

/**
 * A thread beside the vcores that touches guest memory or interrupt lines (DMA, a backend's
 * completions). The pause barrier stops agents together with the vcores.
 */
public interface Agent {
    /** For the message when the agent does not stop in time. */
    String name();

    /**
     * Asks the agent to stop at a clean point; returns soon. The agent calls {@code stopped} once,
     * from any thread, this call's own included, and touches neither guest memory nor lines until
     * {@link #resume}.
     */
    void pause(Runnable stopped);

    /** Goes on. */
    void resume();
}

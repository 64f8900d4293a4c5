package org.alcazar.machine;

/**
 * Where a vcore fetches the vector of an interrupt at the moment when it can take one: the local
 * interrupt controller.
 */
public interface InterruptSource {
    int NONE = -1;

    /** A source that never has anything. */
    InterruptSource EMPTY = () -> NONE;

    /**
     * Acknowledges the most urgent pending interrupt. Called on the core's thread from within
     * {@code run}; it may take the controller's lock but must not wait for another core. The source
     * posts {@link Requests#INTERRUPT} again if another one waits.
     *
     * @return its vector, or {@link #NONE} if nothing waits any more
     */
    int acknowledge();

    /**
     * Like {@link #acknowledge}, for architectures with a task priority: 0 to 15, higher ones block
     * more. Told by the core when it changes outside the source's own registers (CR8 on x86).
     */
    default void taskPriority(int priority) {}

    /** The task priority as the source sees it now. */
    default int taskPriority() {
        return 0;
    }

    /**
     * The core has taken a warm initialisation ({@link Requests#INIT}). Called like {@link
     * #acknowledge}.
     */
    default void initialised() {}

    /**
     * A register of the core that interrupt controllers depend on has got a value, by software, by
     * the VMM or by a reset; maybe the one that it had. On x86 these are the base of the local APIC
     * and the offset of the time-stamp counter. Called like {@link #acknowledge}.
     *
     * @param register its place in the architecture's register group of model-specific registers
     */
    default void coreRegister(int register, long value) {}

    /**
     * A performance counter of the core has overflown and asks for an interrupt. Called on the
     * core's thread from within {@code run}.
     */
    default void counterOverflow() {}

    /**
     * The core's pin for floating-point errors changes: for architectures that can report these by
     * an external interrupt (x86 with CR0.NE clear). Called like {@link #acknowledge}, and again
     * while the error is pending whenever an instruction would have to report it.
     *
     * @return whether the core shall go on as if there were no error; else it waits for an
     *     interrupt before the next floating-point instruction
     */
    default boolean floatError(boolean pending) {
        return true;
    }
}

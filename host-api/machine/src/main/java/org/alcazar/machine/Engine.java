package org.alcazar.machine;

/** An engine for one machine: it owns the cores and what they share, such as decoded code. */
public interface Engine extends AutoCloseable {
    Architecture architecture();

    boolean takes(Translation translation);

    /** Makes a core in its power-on state. Core 0 is the boot core. */
    VirtualCore newCore(int index, ControlBlock block);

    /**
     * Forgets translations. When this returns, no core uses the old ones any more. Callable from
     * any thread, a core's own between two runs included, but not from within an access to a {@link
     * BusDevice} on {@link PhysicalBus} (two cores would wait for each other), nor with a lock that
     * such a device takes. A core that is in {@code run} complies at its next block of guest code.
     *
     * @param start and {@code bytes}: the guest-physical range for {@link Scope#GUEST_PHYSICAL}
     */
    void invalidate(Scope scope, long start, long bytes);

    /** All cores are gone or will not run again. */
    @Override
    void close();
}

package org.alcazar.machine;

/** An engine for one machine: it owns the cores and what they share, such as decoded code. */
public interface Engine extends AutoCloseable {
    Architecture architecture();

    boolean takes(Translation translation);

    /**
     * Makes a core in its power-on state. Core 0 is the boot core. All cores of the machine are
     * made before the first one runs: what the guest is told of their number follows from it.
     */
    VirtualCore newCore(int index, ControlBlock block);

    /**
     * Forgets translations. When this returns, no core uses the old ones any more. Callable from
     * any thread, from within an access to a {@link BusDevice} on {@link PhysicalBus} too, by
     * several at once, and with locks held that such devices or the {@link InterruptSource} take. A
     * core that executes guest code complies at the end of its block, one that is in such an access
     * before it goes on. See {@link Standstill}.
     *
     * @param start and {@code bytes}: the guest-physical range for {@link Scope#GUEST_PHYSICAL}
     */
    void invalidate(Scope scope, long start, long bytes);

    /** All cores are gone or will not run again. */
    @Override
    void close();
}

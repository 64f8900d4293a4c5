package org.alcazar.machine;

/**
 * Registers on a bus, be it memory or ports. A device knows offsets into its own window, never its
 * base.
 *
 * <p>Any width at any offset is harmless: where the datasheet says nothing, reads give all ones and
 * writes are ignored. Neither method throws for what a guest does. Values are zero-extended.
 *
 * <p>Called on the thread of the core that makes the access. On {@link PhysicalBus} itself several
 * cores may be in the device at once; behind a hook of the VMM one at a time.
 */
public interface BusDevice {
    long read(long offset, Width width);

    void write(long offset, Width width, long value);
}

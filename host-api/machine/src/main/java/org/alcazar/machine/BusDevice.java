package org.alcazar.machine;

/**
 * Registers on a bus, be it memory or ports. A device knows offsets into its own window, never its
 * base.
 *
 * <p>Any width at any offset is harmless: where the datasheet says nothing, reads give all ones and
 * writes are ignored. Neither method throws for what a guest does. Values are zero-extended.
 */
public interface BusDevice {
    long read(long offset, Width width);

    void write(long offset, Width width, long value);
}

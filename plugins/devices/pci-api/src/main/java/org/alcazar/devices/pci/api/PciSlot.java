package org.alcazar.devices.pci.api;

import org.alcazar.machine.InterruptLine;

/** A function's place on a bus. */
public interface PciSlot extends AutoCloseable {
    int device();

    int function();

    /** Pin INTA# as routed from this slot. */
    InterruptLine interrupt();

    /** After a restore of the configuration space: maps the base addresses as it says. */
    void remap();

    @Override
    void close();
}

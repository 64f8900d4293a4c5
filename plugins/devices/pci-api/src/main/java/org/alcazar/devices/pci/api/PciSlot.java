package org.alcazar.devices.pci.api;

import org.alcazar.machine.InterruptLine;

/** A function's place on a bus. */
public interface PciSlot extends AutoCloseable {
    int device();

    int function();

    /** Pin INTA# as routed from this slot, as long as COMMAND lets the function drive it. */
    InterruptLine interrupt();

    /**
     * Writes four bytes as the function: a message signalled interrupt where the address is one of
     * an interrupt controller, else memory. Lost unless the function is a bus master. Any thread;
     * takes no lock of the bus.
     */
    void message(long address, int data);

    /** After a restore of the configuration space: maps the base addresses as it says. */
    void remap();

    @Override
    void close();
}

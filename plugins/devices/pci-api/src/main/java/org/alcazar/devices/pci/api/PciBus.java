package org.alcazar.devices.pci.api;

import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;

/** A PCI bus, number 0, offered by the host bridge to the devices made after it. */
public interface PciBus {
    /** Lets the bus choose the next free device number. */
    int ANY_DEVICE = -1;

    /**
     * Puts a function on the bus. It goes with its device: {@link PciSlot#close} is called by the
     * device's own close.
     *
     * @param context of the device: base addresses are hooked through it
     * @param device 0 to 31 or {@link #ANY_DEVICE}
     * @param function 0 to 7
     * @throws ConfigurationException if the place is taken or none is left
     */
    PciSlot attach(DeviceContext context, int device, int function, ConfigSpace config)
            throws ConfigurationException;
}

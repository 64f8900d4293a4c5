package org.alcazar.vmm.device;

/**
 * A device of one VM. Its state is saved with the VM: {@link #save}, {@link #restore} and {@link
 * #reset} are called in the pause barrier, for all devices in the order of creation.
 */
public interface Device extends Part {
    /** Power-on, once all devices are made, or a reset of the machine. */
    void reset();
}

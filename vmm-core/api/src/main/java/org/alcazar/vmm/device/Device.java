package org.alcazar.vmm.device;

import org.alcazar.machine.Stateful;

/**
 * A device of one VM. Its state is saved with the VM: {@link #save}, {@link #restore} and {@link
 * #reset} are called in the pause barrier, for all devices in the order of creation.
 */
public interface Device extends Stateful, AutoCloseable {
    /** Power-on, once all devices are made, or a reset of the machine. */
    void reset();

    /** Hooks, lines and timers are taken back by the core; a device closes what else it holds. */
    @Override
    default void close() {}
}

package org.alcazar.vmm.device;

import org.alcazar.machine.Stateful;

/**
 * A device or extension of one VM. All of these methods are called in the pause barrier, {@link
 * #close} also after the VM's end; and of a part that takes over from an older version of its
 * bundle, {@link #restore} also before, on trial: a restore changes the part and nothing else.
 */
public interface Part extends Stateful, AutoCloseable {
    /** Gives its successor what is no state, such as open files; it is closed soon, unused. */
    default void handOver(Handover to) {}

    /**
     * Takes what its predecessor gave, before the restore; what it leaves there is closed. If the
     * exchange fails then, the predecessor takes over what is left there, and what this one hands
     * over.
     */
    default void takeOver(Handover from) {}

    /** Hooks, lines and timers are taken back by the core; a part closes what else it holds. */
    @Override
    default void close() {}
}

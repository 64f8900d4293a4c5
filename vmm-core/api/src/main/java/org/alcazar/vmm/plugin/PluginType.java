package org.alcazar.vmm.plugin;

import org.alcazar.machine.SavedState;

/** What the types of all families have in common. */
public interface PluginType {
    /** Lower case with hyphens; the name in configurations and of the {@link AlcazarType}. */
    String name();

    /** One line for people. */
    String description();

    /** Keys that an instance takes. */
    default Schema configuration() {
        return Schema.EMPTY;
    }

    /**
     * Brings a state that an older version of this type has saved into the form that an instance
     * restores; others come back as they are.
     *
     * @throws org.alcazar.machine.IncompatibleStateException if that is impossible
     */
    default SavedState migrate(SavedState state) {
        return state;
    }
}

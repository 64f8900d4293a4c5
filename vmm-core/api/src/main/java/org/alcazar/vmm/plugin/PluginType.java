package org.alcazar.vmm.plugin;

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
}

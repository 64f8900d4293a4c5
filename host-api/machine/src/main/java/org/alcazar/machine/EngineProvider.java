package org.alcazar.machine;

import java.util.Map;

/** Makes engines; an engine bundle registers it as a service. */
public interface EngineProvider {
    /** Such as {@code interpreter}. */
    String name();

    Architecture architecture();

    /**
     * Makes an engine.
     *
     * @param bus the physical bus that un-intercepted accesses go to
     * @param options the engine's own, such as {@code cpu-model}; unknown ones were refused before
     */
    Engine create(PhysicalBus bus, Map<String, String> options);
}

package org.alcazar.vmm.plugin;

import org.alcazar.machine.EngineProvider;

/**
 * Family: an execution engine. Registered under both interfaces, as hosts use engines without a VMM
 * too.
 */
public interface EngineType extends PluginType, EngineProvider {}

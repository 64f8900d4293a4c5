package org.alcazar.engines.x86.interpreter;

import org.alcazar.machine.EngineProvider;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.Schema;
import org.osgi.service.component.annotations.Component;

/** Registers the engine {@code interpreter}. */
@Component(service = {EngineType.class, EngineProvider.class})
@AlcazarType("interpreter")
public final class X86Component extends X86InterpreterProvider implements EngineType {
    @Override
    public String description() {
        return "x86-64 interpreter from decoded, cached blocks";
    }

    @Override
    public Schema configuration() {
        return Schema.of(EngineKeys.cpuModel(), EngineKeys.seed());
    }
}

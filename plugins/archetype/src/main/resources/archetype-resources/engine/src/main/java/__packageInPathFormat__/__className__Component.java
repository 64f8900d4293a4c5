package ${package};

import org.alcazar.machine.Architecture;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.EngineType;
import org.osgi.service.component.annotations.Component;

import java.util.Map;

/** Registers the engine {@code ${type}}. */
@Component(service = {EngineType.class, EngineProvider.class})
@AlcazarType("${type}")
public final class ${className}Component implements EngineType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "interpreter of an accumulator machine";
    }

    @Override
    public Architecture architecture() {
        return ${className}.ARCHITECTURE;
    }

    /** Ports always leave to the VMM, so the bus stays unused. */
    @Override
    public Engine create(PhysicalBus bus, Map<String, String> options) {
        return new ${className}();
    }
}

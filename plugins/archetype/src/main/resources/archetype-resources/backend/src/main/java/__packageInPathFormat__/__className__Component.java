package ${package};

import org.alcazar.host.HostKernel;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the backend type {@code ${type}}. */
@Component(service = BackendType.class)
@AlcazarType("${type}")
public final class ${className}Component implements BackendType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "gives back what is written to it, with the letters' case changed";
    }

    @Override
    public Schema configuration() {
        return ${className}Config.SCHEMA;
    }

    @Override
    public Backend open(HostKernel host, Settings settings) {
        return new ${className}(${className}Config.of(settings).change());
    }
}

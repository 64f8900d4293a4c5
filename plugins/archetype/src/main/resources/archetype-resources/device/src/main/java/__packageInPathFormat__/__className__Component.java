package ${package};

import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code ${type}}. */
@Component(service = DeviceType.class)
@AlcazarType("${type}")
public final class ${className}Component implements DeviceType {
    @Override
    public String name() {
        return "${type}";
    }

    @Override
    public String description() {
        return "adds up what it is given and interrupts at a limit";
    }

    @Override
    public Schema configuration() {
        return ${className}Config.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        ${className}Config config = ${className}Config.of(settings);
        ${className} device =
                new ${className}(
                        context.interruptLine(config.irq()), context.counter("odd-accesses"));
        context.hookPorts(config.base(), ${className}.PORTS, device);
        return device;
    }
}

package org.alcazar.devices.debugexit;

import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code debug-exit}. */
@Component(service = DeviceType.class)
@AlcazarType("debug-exit")
public final class DebugExitComponent implements DeviceType {
    @Override
    public String name() {
        return "debug-exit";
    }

    @Override
    public String description() {
        return "port through which a guest ends its VM with a status";
    }

    @Override
    public Schema configuration() {
        return Schema.of(Key.integer("base", 0, 0xfffc, 0xf4, "first of its four ports"));
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        DebugExit device = new DebugExit(context.machine()::exit);
        context.hookPorts((int) settings.integer("base"), DebugExit.PORTS, device);
        return device;
    }
}

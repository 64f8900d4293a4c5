package org.alcazar.devices.pci;

import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.machine.InterruptLine;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code pci}. */
@Component(service = DeviceType.class)
@AlcazarType("pci")
public final class PciHostComponent implements DeviceType {
    private static final int CONFIG_ADDRESS_PORT = 0xcf8;
    private static final int FIRST_GLOBAL = 16;
    private static final int ISA_INTERRUPTS = 16;

    @Override
    public String name() {
        return "pci";
    }

    @Override
    public String description() {
        return "PCI host bridge with ISA bridge, bus 0";
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        InterruptRoutes routes =
                new InterruptRoutes(
                        lines(context, FIRST_GLOBAL, InterruptRoutes.WIRES),
                        lines(context, 0, ISA_INTERRUPTS));
        PciHost host =
                new PciHost(
                        routes,
                        () -> context.machine().reset("reset control register (port 0xcf9)"),
                        context.memory(),
                        context.counter("absent-functions"));
        context.hookPorts(CONFIG_ADDRESS_PORT, PciHost.PORTS, host);
        context.connect(ApicBus.class, host::connect);
        context.provide(PciBus.class, host);
        return host;
    }

    private static InterruptLine[] lines(DeviceContext context, int first, int count) {
        InterruptLine[] lines = new InterruptLine[count];
        for (int i = 0; i < count; i++) {
            lines[i] = context.interruptLine(first + i);
        }
        return lines;
    }
}

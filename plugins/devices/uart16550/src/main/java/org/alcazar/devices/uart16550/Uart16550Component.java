package org.alcazar.devices.uart16550;

import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code uart16550}. */
@Component(service = DeviceType.class)
@AlcazarType("uart16550")
public final class Uart16550Component implements DeviceType {
    @Override
    public String name() {
        return "uart16550";
    }

    @Override
    public String description() {
        return "16550A serial port";
    }

    @Override
    public Schema configuration() {
        return Uart16550Config.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        Uart16550Config config = Uart16550Config.of(settings);
        CharacterBackend backend = context.characterBackend(config.backend());
        Uart16550 uart =
                new Uart16550(
                        context.clock(),
                        context.interruptLine(config.irq()),
                        backend,
                        context.counter("input-dropped"));
        context.hookPorts(config.base(), Uart16550.PORTS, uart);
        backend.onInput(uart::receive);
        return uart;
    }
}

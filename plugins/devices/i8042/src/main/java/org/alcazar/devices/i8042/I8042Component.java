package org.alcazar.devices.i8042;

import org.alcazar.platforms.pc.api.Keyboard;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code i8042}. */
@Component(service = DeviceType.class)
@AlcazarType("i8042")
public final class I8042Component implements DeviceType {
    private static final int DATA = 0x60;
    private static final int COMMAND = 0x64;
    private static final int SYSTEM_CONTROL_A = 0x92;
    private static final int KEYBOARD_INTERRUPT = 1;
    private static final int AUX_INTERRUPT = 12;

    @Override
    public String name() {
        return "i8042";
    }

    @Override
    public String description() {
        return "8042 keyboard controller with a keyboard";
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        I8042 controller =
                new I8042(
                        context.clock(),
                        context.interruptLine(KEYBOARD_INTERRUPT),
                        context.interruptLine(AUX_INTERRUPT),
                        context.machine()::reset,
                        context.counter("unknown-commands"));
        context.hookPorts(DATA, 1, controller.dataPort());
        context.hookPorts(COMMAND, 1, controller.commandPort());
        context.hookPorts(SYSTEM_CONTROL_A, 1, controller.systemControlPort());
        context.provide(Keyboard.class, controller);
        return controller;
    }
}

package org.alcazar.devices.pit8254;

import org.alcazar.machine.SavedState;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code pit8254}. */
@Component(service = DeviceType.class)
@AlcazarType("pit8254")
public final class Pit8254Component implements DeviceType {
    @Override
    public String name() {
        return "pit8254";
    }

    @Override
    public String description() {
        return "8254 interval timer, and port 0x61";
    }

    @Override
    public Schema configuration() {
        return Pit8254Config.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        Pit8254Config config = Pit8254Config.of(settings);
        Pit8254 pit =
                new Pit8254(
                        context.clock(),
                        context.interruptLine(config.irq()),
                        context.counter("lost-ticks"));
        SystemControl port61 = new SystemControl(pit);
        context.hookPorts(config.base(), Pit8254.PORTS, pit);
        context.hookPorts(0x61, 1, port61);
        return new PitOfPc(pit, port61);
    }

    /** The two as one device. */
    private record PitOfPc(Pit8254 pit, SystemControl port61) implements Device {
        @Override
        public void reset() {
            pit.reset();
            port61.reset();
        }

        @Override
        public SavedState save() {
            return new SavedState("pit8254-pc", 1)
                    .put("pit", pit.save())
                    .put("port-61", port61.save());
        }

        @Override
        public void restore(SavedState state) {
            state.require("pit8254-pc", 1);
            port61.restore(state.getState("port-61"));
            pit.restore(state.getState("pit"));
        }

        @Override
        public void close() {
            pit.close();
        }
    }
}

package org.alcazar.devices.ioapic;

import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.function.IntConsumer;

class IoApicContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new IoApicComponent();
    }

    @Override
    protected void prepare(FakeDeviceContext context) throws ConfigurationException {
        context.provide(ApicBus.class, new SilentBus());
    }

    /** Takes messages and never ends an interrupt. */
    private static final class SilentBus implements ApicBus {
        @Override
        public void deliver(
                int destination, boolean logical, int mode, int vector, boolean level) {}

        @Override
        public Hook addEndOfInterrupt(IntConsumer listener) {
            return () -> {};
        }
    }
}

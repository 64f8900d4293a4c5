package org.alcazar.devices.apic;

import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Random;
import java.util.Set;

class ApicContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new ApicComponent();
    }

    /** The processor priority follows from TPR and ISR. */
    @Override
    protected Set<String> derived() {
        return Set.of("LocalApic.ppr");
    }

    @Override
    protected void world(FakeDeviceContext context, Random random) {
        context.find(ApicBus.class)
                .orElseThrow()
                .deliver(
                        random.nextInt(0x100),
                        random.nextBoolean(),
                        random.nextInt(8),
                        random.nextInt(0x100),
                        random.nextBoolean());
    }
}

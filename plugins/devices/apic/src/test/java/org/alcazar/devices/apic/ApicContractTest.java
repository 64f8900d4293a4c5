package org.alcazar.devices.apic;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

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
}

package org.alcazar.devices.pit8254;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class Pit8254ContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new Pit8254Component();
    }

    /** The output as it was driven last: channel 0's. */
    @Override
    protected Set<String> derived() {
        return Set.of("Pit8254.asserted");
    }
}

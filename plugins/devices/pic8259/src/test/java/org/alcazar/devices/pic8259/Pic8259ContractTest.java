package org.alcazar.devices.pic8259;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class Pic8259ContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new Pic8259Component();
    }

    /** The output as it was driven last: what the chips request. */
    @Override
    protected Set<String> derived() {
        return Set.of("PicPair.asserted");
    }
}

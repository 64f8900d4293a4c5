package org.alcazar.devices.pci;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.List;
import java.util.Set;

class PciContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new PciHostComponent();
    }

    @Override
    protected List<String> packages() {
        return List.of("org.alcazar.devices.pci");
    }

    /**
     * What is needed only while capabilities are added, as the device is made; and pins, which
     * functions drive.
     */
    @Override
    protected Set<String> derived() {
        return Set.of(
                "ConfigSpace.lastLink", "ConfigSpace.nextCapability", "Pin.level", "Source.high");
    }
}

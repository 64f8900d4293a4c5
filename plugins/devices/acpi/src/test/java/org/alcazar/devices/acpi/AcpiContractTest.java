package org.alcazar.devices.acpi;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class AcpiContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new AcpiComponent();
    }

    /** The interrupt as it was driven last: what status and enable registers say. */
    @Override
    protected Set<String> derived() {
        return Set.of("Acpi.asserted");
    }
}

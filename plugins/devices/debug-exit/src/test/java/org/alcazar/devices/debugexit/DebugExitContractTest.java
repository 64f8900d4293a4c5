package org.alcazar.devices.debugexit;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

class DebugExitContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new DebugExitComponent();
    }
}

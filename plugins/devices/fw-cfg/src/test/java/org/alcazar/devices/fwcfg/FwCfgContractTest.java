package org.alcazar.devices.fwcfg;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

class FwCfgContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new FwCfgComponent();
    }
}

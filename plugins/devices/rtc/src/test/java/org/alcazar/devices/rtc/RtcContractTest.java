package org.alcazar.devices.rtc;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class RtcContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new RtcComponent();
    }

    /** The interrupt as it was driven last: what registers B and C say. */
    @Override
    protected Set<String> derived() {
        return Set.of("Rtc.asserted");
    }

    /** A battery keeps memory and time. */
    @Override
    protected Set<String> survivesReset() {
        return Set.of("memory", "offset", "halted", "seen-second", "seen-period");
    }
}

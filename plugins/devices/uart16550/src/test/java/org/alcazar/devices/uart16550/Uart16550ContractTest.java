package org.alcazar.devices.uart16550;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class Uart16550ContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new Uart16550Component();
    }

    /**
     * Where a queue begins in its array is no state, nor is the interrupt as it was driven last.
     */
    @Override
    protected Set<String> derived() {
        return Set.of("Ring.head", "Ring.bytes", "Uart16550.asserted");
    }

    /** What has come in over the line waits outside the chip. */
    @Override
    protected Set<String> survivesReset() {
        return Set.of("backlog");
    }
}

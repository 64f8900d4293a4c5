package org.alcazar.devices.i8042;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Set;

class I8042ContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new I8042Component();
    }

    /** Where the queue begins in its array is no state. */
    @Override
    protected Set<String> derived() {
        return Set.of("ByteQueue.head", "ByteQueue.bytes");
    }
}

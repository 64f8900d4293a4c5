package org.alcazar.devices.i8042;

import org.alcazar.platforms.pc.api.Keyboard;
import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.Random;
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

    @Override
    protected void world(FakeDeviceContext context, Random random) {
        Keyboard keyboard = context.find(Keyboard.class).orElseThrow();
        int code = random.nextInt(0x80);
        if (random.nextBoolean()) {
            keyboard.press(code);
        } else {
            keyboard.press(ScanCodes.BREAK, code);
        }
    }
}

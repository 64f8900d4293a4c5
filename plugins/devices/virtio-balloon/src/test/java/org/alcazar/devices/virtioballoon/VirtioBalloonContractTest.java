package org.alcazar.devices.virtioballoon;

import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

class VirtioBalloonContractTest extends DeviceContractTest {
    @Override
    protected DeviceType type() {
        return new VirtioBalloonComponent();
    }

    @Override
    protected Map<String, Object> settings() {
        return Map.of("statistics", 1);
    }

    @Override
    protected List<String> packages() {
        return List.of("org.alcazar.devices.virtioballoon", "org.alcazar.devices.virtio.api");
    }

    @Override
    protected void prepare(FakeDeviceContext context) throws ConfigurationException {
        Bridge.provide(context);
    }

    @Override
    protected void world(FakeDeviceContext context, Random random) {
        context.find(Balloon.class).orElseThrow().ask(random.nextLong(1L << 40));
    }

    /** What the host wants. */
    @Override
    protected Set<String> survivesReset() {
        return Set.of("function/wanted", "config");
    }

    /** Only while a request is worked on. */
    @Override
    protected Set<String> derived() {
        return Set.of(
                "Virtqueue.head",
                "Virtqueue.buffers",
                "Virtqueue.readable",
                "Virtqueue.readableBytes",
                "Virtqueue.writableBytes",
                "Virtqueue.addresses",
                "Virtqueue.lengths",
                "Virtqueue.left",
                "Virtqueue.drained",
                "VirtioBalloon.bytes",
                "VirtioBalloon.pages");
    }
}

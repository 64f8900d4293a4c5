package org.alcazar.devices.virtioballoon;

import org.alcazar.devices.pci.PciHostComponent;
import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.DeviceContractTest;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

class VirtioBalloonContractTest extends DeviceContractTest {
    private static final long WINDOWS = 0xc000_0000L;

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

    /** A bridge with a machine of its own: what it does is not the device's state. */
    @Override
    protected void prepare(FakeDeviceContext context) throws ConfigurationException {
        FakeDeviceContext around = new FakeDeviceContext(1);
        PciHostComponent type = new PciHostComponent();
        type.create(around, Settings.check("pci", type.configuration(), Map.of()));
        PciBus bridge = around.find(PciBus.class).orElseThrow();
        context.provide(
                PciBus.class,
                (device, number, function, config) -> {
                    PciSlot slot = bridge.attach(device, number, function, config);
                    for (Bar bar : config.bars()) {
                        long base = WINDOWS + 0x1_0000L * bar.index();
                        config.write(ConfigSpace.BAR0 + 4 * bar.index(), Width.DWORD, base);
                    }
                    config.write(ConfigSpace.COMMAND, Width.WORD, 6);
                    slot.remap();
                    return slot;
                });
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

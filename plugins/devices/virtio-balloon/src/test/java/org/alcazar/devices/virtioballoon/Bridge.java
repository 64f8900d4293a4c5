package org.alcazar.devices.virtioballoon;

import org.alcazar.devices.pci.PciHostComponent;
import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Settings;

import java.util.Map;

/** A bridge with a machine of its own: what it does is not the device's state. */
final class Bridge {
    /** Where the first window lies. */
    static final long WINDOW = 0xc000_0000L;

    private Bridge() {}

    /** Offers the bridge's bus to a device, whose windows answer at once. */
    static void provide(FakeDeviceContext context) throws ConfigurationException {
        FakeDeviceContext around = new FakeDeviceContext(1);
        PciHostComponent type = new PciHostComponent();
        type.create(around, Settings.check("pci", type.configuration(), Map.of()));
        PciBus bridge = around.find(PciBus.class).orElseThrow();
        context.provide(
                PciBus.class,
                (device, number, function, config) -> {
                    PciSlot slot = bridge.attach(device, number, function, config);
                    for (Bar bar : config.bars()) {
                        long base = WINDOW + 0x1_0000L * bar.index();
                        config.write(ConfigSpace.BAR0 + 4 * bar.index(), Width.DWORD, base);
                    }
                    config.write(ConfigSpace.COMMAND, Width.WORD, 6);
                    slot.remap();
                    return slot;
                });
    }
}

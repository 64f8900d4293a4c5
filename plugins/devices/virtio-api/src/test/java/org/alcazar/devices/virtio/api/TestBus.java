package org.alcazar.devices.virtio.api;

import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.InterruptLine;
import org.alcazar.testkit.device.RecordingLine;
import org.alcazar.vmm.device.DeviceContext;

import java.util.ArrayList;
import java.util.List;

/** A bus with one function, whose registers are called directly. */
final class TestBus implements PciBus, PciSlot {
    final RecordingLine pin = new RecordingLine();
    final List<String> messages = new ArrayList<>();
    private ConfigSpace config = new ConfigSpace(0, 0, 0, 0);

    @Override
    public PciSlot attach(DeviceContext context, int device, int function, ConfigSpace space) {
        config = space;
        return this;
    }

    ConfigSpace config() {
        return config;
    }

    Bar bar(int index) {
        return config.bars().stream()
                .filter(bar -> bar.index() == index)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no BAR " + index));
    }

    @Override
    public int device() {
        return 3;
    }

    @Override
    public int function() {
        return 0;
    }

    @Override
    public InterruptLine interrupt() {
        return level -> pin.set(level && config.isPinEnabled());
    }

    @Override
    public void message(long address, int data) {
        if (config.isBusMaster()) {
            messages.add("%x=%x".formatted(address, data));
        }
    }

    @Override
    public void remap() {}

    @Override
    public void close() {}
}

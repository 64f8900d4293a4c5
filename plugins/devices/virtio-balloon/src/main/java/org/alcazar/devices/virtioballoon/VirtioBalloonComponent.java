package org.alcazar.devices.virtioballoon;

import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.devices.virtio.api.VirtioPci;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code virtio-balloon}. */
@Component(service = DeviceType.class)
@AlcazarType("virtio-balloon")
public final class VirtioBalloonComponent implements DeviceType {
    @Override
    public String name() {
        return "virtio-balloon";
    }

    @Override
    public String description() {
        return "virtio memory balloon on PCI";
    }

    @Override
    public Schema configuration() {
        return VirtioBalloonConfig.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        VirtioBalloonConfig config = VirtioBalloonConfig.of(settings);
        VirtioBalloon balloon = new VirtioBalloon(context, config);
        VirtioPci device = new VirtioPci(context, balloon.kind(), config.slot(), balloon::behind);
        context.require(PciBus.class, device::connect);
        context.provide(Balloon.class, balloon);
        return device;
    }
}

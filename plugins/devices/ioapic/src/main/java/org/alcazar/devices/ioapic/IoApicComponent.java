package org.alcazar.devices.ioapic;

import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.LegacyPic;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code ioapic}. */
@Component(service = DeviceType.class)
@AlcazarType("ioapic")
public final class IoApicComponent implements DeviceType {
    private static final long WINDOW = 0xfec0_0000L;
    private static final int WINDOW_BYTES = 0x1000;

    /** A PC wires the timer, ISA interrupt 0, to pin 2, and the PIC's output to pin 0. */
    private static final int TIMER = 0, TIMER_PIN = 2, PIC_PIN = 0;

    @Override
    public String name() {
        return "ioapic";
    }

    @Override
    public String description() {
        return "I/O APIC with 24 inputs";
    }

    @Override
    public Schema configuration() {
        return IoApicConfig.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        IoApic ioApic =
                new IoApic(IoApicConfig.of(settings).id(), context.counter("ignored-accesses"));
        context.hookMemory(WINDOW, WINDOW_BYTES, ioApic);
        context.interruptInput(TIMER, ioApic.pin(TIMER_PIN));
        for (int pin = 0; pin < IoApic.PINS; pin++) {
            if (pin != PIC_PIN && pin != TIMER_PIN) {
                context.interruptInput(pin, ioApic.pin(pin));
            }
        }
        context.require(ApicBus.class, ioApic::connect);
        context.connect(LegacyPic.class, pic -> pic.addOutput(ioApic.pin(PIC_PIN)));
        return ioApic;
    }
}

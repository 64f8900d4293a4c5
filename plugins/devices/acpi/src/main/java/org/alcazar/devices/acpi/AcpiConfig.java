package org.alcazar.devices.acpi;

import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the ACPI hardware and of what the tables say.
 *
 * @param base first of its 16 ports
 * @param irq the system control interrupt
 * @param ioApicId id of the I/O APIC
 * @param com1 whether the tables name a serial port at 0x3f8
 * @param keyboard whether the tables name a keyboard controller
 */
record AcpiConfig(int base, int irq, int ioApicId, boolean com1, boolean keyboard) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.integer("base", 0, 0xfff0, 0x600, "first of its 16 ports"),
                    Key.integer("irq", 0, 15, PcLayout.SCI, "system control interrupt"),
                    Key.integer("ioapic-id", 0, 15, 0, "id of the I/O APIC"),
                    Key.bool("com1", true, "the tables name a serial port at 0x3f8"),
                    Key.bool("keyboard", true, "the tables name a keyboard controller"));

    static AcpiConfig of(Settings settings) {
        return new AcpiConfig(
                (int) settings.integer("base"),
                (int) settings.integer("irq"),
                (int) settings.integer("ioapic-id"),
                settings.bool("com1"),
                settings.bool("keyboard"));
    }
}

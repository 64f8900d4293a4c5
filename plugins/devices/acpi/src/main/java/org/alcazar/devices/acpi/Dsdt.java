package org.alcazar.devices.acpi;

import static org.alcazar.devices.acpi.Aml.aPackage;
import static org.alcazar.devices.acpi.Aml.device;
import static org.alcazar.devices.acpi.Aml.eisaId;
import static org.alcazar.devices.acpi.Aml.integer;
import static org.alcazar.devices.acpi.Aml.name;
import static org.alcazar.devices.acpi.Aml.scope;
import static org.alcazar.devices.acpi.Aml.string;

import org.alcazar.platforms.pc.api.PcLayout;

/**
 * The differentiated definition block: the processors, the PCI bus with its interrupts and windows,
 * what hangs on the ISA bus, and how to power off.
 */
final class Dsdt {
    private static final int DEVICES = 32, PINS = 4;
    private static final int PCI_CONFIG = 0xcf8, PCI_CONFIG_PORTS = 8;

    private Dsdt() {}

    static byte[] build(AcpiConfig config, int cpus) {
        byte[] off = integer(Acpi.SLEEP_OFF);
        return new Bytes()
                .add(scope("\\_SB", processors(cpus), pciBus(config)))
                .add(name("\\_S5", aPackage(off, off, integer(0), integer(0))))
                .toArray();
    }

    /** A device for each core (ACPI 6.4, 8.4); its unique id is that of its entry in the MADT. */
    private static byte[] processors(int cpus) {
        Bytes all = new Bytes();
        for (int i = 0; i < cpus; i++) {
            all.add(
                    device(
                            "C%03X".formatted(i),
                            name("_HID", string("ACPI0007")),
                            name("_UID", integer(i))));
        }
        return all.toArray();
    }

    private static byte[] pciBus(AcpiConfig config) {
        return device(
                "PCI0",
                name("_HID", eisaId("PNP0A03")),
                name("_UID", integer(0)),
                name("_CRS", windows()),
                name("_PRT", interrupts()),
                isaBus(config));
    }

    private static byte[] windows() {
        return new Resources()
                .busNumbers(0, 0xff)
                .io(PCI_CONFIG, PCI_CONFIG_PORTS)
                .ioWindow(0, PCI_CONFIG - 1)
                .ioWindow(PCI_CONFIG + PCI_CONFIG_PORTS, 0xffff)
                .memoryWindow(PcLayout.VIDEO_START, PcLayout.VIDEO_END)
                .memoryWindow(PcLayout.HOLE_START, PcLayout.PCI_MEMORY_END)
                .template();
    }

    private static byte[] interrupts() {
        byte[][] entries = new byte[DEVICES * PINS][];
        for (int i = 0; i < entries.length; i++) {
            int device = i / PINS;
            int pin = i % PINS;
            entries[i] =
                    aPackage(
                            integer((long) device << 16 | 0xffff),
                            integer(pin),
                            integer(0),
                            integer(PcLayout.pciInterrupt(device, pin)));
        }
        return aPackage(entries);
    }

    private static byte[] isaBus(AcpiConfig config) {
        Bytes devices = new Bytes();
        devices.add(isaDevice("RTC", "PNP0B00", new Resources().io(0x70, 2).irq(8).template()));
        if (config.keyboard()) {
            devices.add(
                    isaDevice(
                            "KBD",
                            "PNP0303",
                            new Resources().io(0x60, 1).io(0x64, 1).irq(1).template()));
            // Guests believe the controller's second port to be broken if nothing is named there.
            devices.add(isaDevice("MOU", "PNP0F13", new Resources().irq(12).template()));
        }
        if (config.com1()) {
            devices.add(
                    isaDevice("COM1", "PNP0501", new Resources().io(0x3f8, 8).irq(4).template()));
        }
        return device("ISA", name("_ADR", integer(0x1_0000)), devices.toArray());
    }

    private static byte[] isaDevice(String name, String id, byte[] resources) {
        return device(
                name, name("_HID", eisaId(id)), name("_UID", integer(1)), name("_CRS", resources));
    }
}

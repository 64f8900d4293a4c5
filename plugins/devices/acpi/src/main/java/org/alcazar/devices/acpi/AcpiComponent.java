package org.alcazar.devices.acpi;

import org.alcazar.platforms.pc.api.AcpiTables;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.platforms.pc.api.PowerButton;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the device type {@code acpi}. */
@Component(service = DeviceType.class)
@AlcazarType("acpi")
public final class AcpiComponent implements DeviceType {
    @Override
    public String name() {
        return "acpi";
    }

    @Override
    public String description() {
        return "ACPI: tables, power management timer, power button, power-off";
    }

    @Override
    public Schema configuration() {
        return AcpiConfig.SCHEMA;
    }

    @Override
    public Device create(DeviceContext context, Settings settings) throws ConfigurationException {
        AcpiConfig config = AcpiConfig.of(settings);
        long root = PcLayout.TABLES_START;
        MemoryRange place = place(context);
        Tables tables = new Tables(config, context.vcores().size(), root, place.start());
        if (tables.tables().length > place.bytes()) {
            throw new ConfigurationException(
                    "acpi: tables for "
                            + context.vcores().size()
                            + " vcores do not fit; use fewer");
        }
        byte[] mpTable = MpTable.build(config, context.vcores().size());
        GuestMemory memory = context.memory();
        VirtualMachine machine = context.machine();
        Acpi acpi =
                new Acpi(
                        context.clock(),
                        context.interruptLine(config.irq()),
                        machine::powerOff,
                        () -> {
                            write(memory, root, tables.anchor());
                            write(memory, place.start(), tables.tables());
                            write(memory, MpTable.ADDRESS, mpTable);
                        });
        context.hookPorts(config.base(), Acpi.PORTS, acpi);
        context.provide(AcpiTables.class, () -> root);
        context.onEvent("power-button", acpi::press);
        context.provide(PowerButton.class, () -> machine.post("power button", acpi::press));
        return acpi;
    }

    /** The range that the platform keeps for ACPI tables, or else the area of the BIOS. */
    private static MemoryRange place(DeviceContext context) {
        long behindAnchor = PcLayout.TABLES_START + Tables.ANCHOR_BYTES;
        return context.memoryMap().stream()
                .filter(range -> range.kind() == RangeKind.ACPI)
                .findFirst()
                .orElse(
                        new MemoryRange(
                                behindAnchor, MpTable.ADDRESS - behindAnchor, RangeKind.RESERVED));
    }

    private static void write(GuestMemory memory, long address, byte[] bytes) {
        memory.write(address, bytes, 0, bytes.length);
    }
}

package org.alcazar.platforms.pc;

import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.Platform;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Plan of one PC. RAM lies below 3 GiB and, the rest of it, from 4 GiB on. The window from 640 to
 * 768 KiB, where a display adapter would be, is no RAM; from 768 KiB to 1 MiB lies RAM in place of
 * the shadowed ROMs, so that ACPI tables can be found there.
 */
final class PcPlatform implements Platform {
    static final long KIB = 1L << 10;
    static final long MIB = 1L << 20;
    static final long GIB = 1L << 30;

    /** Display window. */
    private static final long WINDOW = 640 * KIB;

    private static final long SHADOW = 768 * KIB;

    /** From here on RAM is one range whose start suits large pages. */
    private static final long MAIN = 2 * MIB;

    private static final long HOLE = 3 * GIB;
    private static final long ABOVE = 4 * GIB;

    /**
     * What a BIOS keeps for itself below 640 KiB and below 1 MiB (where the ACPI root pointer is
     * searched for).
     */
    private static final long EXTENDED_BIOS_DATA = WINDOW - KIB;

    private static final long BIOS = 896 * KIB;

    /** The end of low RAM holds ACPI tables. */
    private static final long ACPI_BYTES = 128 * KIB;

    private static final List<String> DEVICES =
            List.of(
                    "pic8259",
                    "apic",
                    "ioapic",
                    "pit8254",
                    "rtc",
                    "fw-cfg",
                    "pci",
                    "acpi",
                    "i8042",
                    "debug-exit");

    private final long low;
    private final long high;

    PcPlatform(long memory) {
        low = Math.min(memory, HOLE);
        high = memory - low;
    }

    @Override
    public List<MemoryRange> ram() {
        List<MemoryRange> ram = new ArrayList<>();
        ram.add(range(0, WINDOW, RangeKind.RAM));
        ram.add(range(SHADOW, MAIN, RangeKind.RAM));
        ram.add(range(MAIN, low, RangeKind.RAM));
        if (high > 0) {
            ram.add(range(ABOVE, ABOVE + high, RangeKind.RAM));
        }
        return ram;
    }

    @Override
    public List<MemoryRange> memoryMap() {
        List<MemoryRange> map = new ArrayList<>();
        map.add(range(0, EXTENDED_BIOS_DATA, RangeKind.RAM));
        map.add(range(EXTENDED_BIOS_DATA, WINDOW, RangeKind.RESERVED));
        map.add(range(BIOS, MIB, RangeKind.RESERVED));
        map.add(range(MIB, low - ACPI_BYTES, RangeKind.RAM));
        map.add(range(low - ACPI_BYTES, low, RangeKind.ACPI));
        if (high > 0) {
            map.add(range(ABOVE, ABOVE + high, RangeKind.RAM));
        }
        return map;
    }

    @Override
    public List<DeviceSpec> devices() {
        List<DeviceSpec> devices = new ArrayList<>();
        for (String type : DEVICES) {
            devices.add(new DeviceSpec(type, type, Map.of()));
        }
        devices.add(new DeviceSpec("uart16550", "com1", Map.of()));
        return devices;
    }

    private static MemoryRange range(long start, long end, RangeKind kind) {
        return new MemoryRange(start, end - start, kind);
    }
}

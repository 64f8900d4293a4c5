package org.alcazar.platforms.pc;

import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Settings;
import org.osgi.service.component.annotations.Component;

/** Registers the platform {@code pc}. */
@Component(service = PlatformType.class)
@AlcazarType("pc")
public final class PcPlatformComponent implements PlatformType {
    private static final long SMALLEST = 4 * PcPlatform.MIB;
    private static final long LARGEST = 1024 * PcPlatform.GIB;

    /** One local APIC each, with the 8-bit ids of xAPIC mode. */
    private static final int CPUS = 64;

    @Override
    public String name() {
        return "pc";
    }

    @Override
    public String description() {
        return "PC with PCI, APICs and ACPI";
    }

    @Override
    public String architecture() {
        return "x86";
    }

    @Override
    public Platform create(long memory, int cpus, Settings settings) throws ConfigurationException {
        if (memory < SMALLEST || memory > LARGEST) {
            throw new ConfigurationException(
                    "memory: platform pc takes 4 MiB to 1 TiB, not %d KiB"
                            .formatted(memory / PcPlatform.KIB));
        }
        if (cpus < 1 || cpus > CPUS) {
            throw new ConfigurationException(
                    "cpus: platform pc takes 1 to %d, not %d".formatted(CPUS, cpus));
        }
        return new PcPlatform(memory);
    }
}

package org.alcazar.devices.virtioballoon;

import org.alcazar.devices.pci.api.PciBus;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of a balloon.
 *
 * @param slot device number on the PCI bus, or {@link PciBus#ANY_DEVICE}
 * @param deflateOnOom whether a guest that runs out of memory may take pages back unasked
 * @param reporting whether the guest tells of pages as they become free
 * @param statisticsNanos between two questions for statistics; 0 asks when it is asked for memory
 */
record VirtioBalloonConfig(
        int slot, boolean deflateOnOom, boolean reporting, long statisticsNanos) {
    private static final int LONGEST = 3600;
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    static final Schema SCHEMA =
            Schema.of(
                    Key.integer(
                            "slot",
                            -1,
                            31,
                            PciBus.ANY_DEVICE,
                            "device number on the PCI bus; -1: any"),
                    Key.bool(
                            "deflate-on-oom",
                            false,
                            "whether a guest that runs out of memory may take pages back unasked"),
                    Key.bool(
                            "reporting",
                            true,
                            "whether the guest tells of pages as they become free"),
                    Key.integer(
                            "statistics",
                            0,
                            LONGEST,
                            0,
                            "seconds between two questions for statistics; 0: only when memory is"
                                    + " asked for"));

    static VirtioBalloonConfig of(Settings settings) throws ConfigurationException {
        return new VirtioBalloonConfig(
                (int) settings.integer("slot"),
                settings.bool("deflate-on-oom"),
                settings.bool("reporting"),
                settings.integer("statistics") * NANOS_PER_SECOND);
    }
}

package org.alcazar.devices.apic;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the local APICs.
 *
 * @param virtualWire whether the boot core's APIC is left as firmware leaves it after a reset:
 *     enabled, the PIC at LINT0
 */
record ApicConfig(boolean virtualWire) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.bool(
                            "virtual-wire",
                            true,
                            "after a reset the boot core's APIC is as firmware leaves it: enabled, the PIC at LINT0"));

    static ApicConfig of(Settings settings) {
        return new ApicConfig(settings.bool("virtual-wire"));
    }
}

package org.alcazar.devices.ioapic;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the I/O APIC.
 *
 * @param id after a reset
 */
record IoApicConfig(int id) {
    static final Schema SCHEMA = Schema.of(Key.integer("id", 0, 15, 0, "id after a reset"));

    static IoApicConfig of(Settings settings) {
        return new IoApicConfig((int) settings.integer("id"));
    }
}

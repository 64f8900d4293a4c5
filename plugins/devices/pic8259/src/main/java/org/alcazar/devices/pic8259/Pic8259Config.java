package org.alcazar.devices.pic8259;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the interrupt controllers.
 *
 * @param elcr a bit for each interrupt that is level triggered after a reset
 */
record Pic8259Config(int elcr) {
    /** ACPI's interrupt 9 and those that PCI's are routed to, 10 and 11. */
    private static final int FIRMWARE_ELCR = 0x0e00;

    static final Schema SCHEMA =
            Schema.of(
                    Key.integer(
                            "elcr",
                            0,
                            0xffff,
                            FIRMWARE_ELCR,
                            "a bit for each interrupt that is level triggered after a reset"));

    static Pic8259Config of(Settings settings) {
        return new Pic8259Config((int) settings.integer("elcr"));
    }
}

package org.alcazar.devices.rtc;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the clock.
 *
 * @param base first of its two ports
 * @param irq ISA interrupt
 */
record RtcConfig(int base, int irq) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.integer("base", 0, 0xfffe, 0x70, "first of its two ports"),
                    Key.integer("irq", 0, 23, 8, "interrupt"));

    static RtcConfig of(Settings settings) {
        return new RtcConfig((int) settings.integer("base"), (int) settings.integer("irq"));
    }
}

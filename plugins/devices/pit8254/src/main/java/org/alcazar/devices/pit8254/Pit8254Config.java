package org.alcazar.devices.pit8254;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the timer.
 *
 * @param base first of its four ports
 * @param irq interrupt that channel 0's output is wired to
 */
record Pit8254Config(int base, int irq) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.integer("base", 0, 0xfffc, 0x40, "first of its four ports"),
                    Key.integer("irq", 0, 23, 0, "interrupt of channel 0"));

    static Pit8254Config of(Settings settings) {
        return new Pit8254Config((int) settings.integer("base"), (int) settings.integer("irq"));
    }
}

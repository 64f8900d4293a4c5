package org.alcazar.devices.uart16550;

import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of a serial port.
 *
 * @param base first of its eight ports
 * @param irq ISA interrupt
 * @param backend where bytes go to and come from
 */
record Uart16550Config(int base, int irq, String backend) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.integer(
                            "base", 0, 0xfff8, 0x3f8, "first of its eight ports, a multiple of 8"),
                    Key.integer("irq", 0, 23, 4, "interrupt"),
                    Key.backend("backend", "console", "where bytes go to and come from"));

    static Uart16550Config of(Settings settings) throws ConfigurationException {
        int base = (int) settings.integer("base");
        if (base % Uart16550.PORTS != 0) {
            throw new ConfigurationException(
                    "uart16550: base=0x" + Integer.toHexString(base) + " is not a multiple of 8");
        }
        return new Uart16550Config(base, (int) settings.integer("irq"), settings.string("backend"));
    }
}

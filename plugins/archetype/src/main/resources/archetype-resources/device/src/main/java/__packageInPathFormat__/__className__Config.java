package ${package};

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the device.
 *
 * @param base first of its ports
 * @param irq its interrupt
 */
record ${className}Config(int base, int irq) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.integer("base", 0, 0xfff0, 0x500, "first of its twelve ports"),
                    Key.integer("irq", 0, 23, 10, "its interrupt"));

    static ${className}Config of(Settings settings) {
        return new ${className}Config(
                (int) settings.integer("base"), (int) settings.integer("irq"));
    }
}

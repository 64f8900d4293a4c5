package ${package};

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the platform.
 *
 * @param reserved bytes at the upper end of RAM that the guest is told to leave alone
 */
record ${className}Config(long reserved) {
    static final Schema SCHEMA =
            Schema.of(
                    Key.size("reserved", 0, 1 << 20, "64K", "RAM that the guest leaves alone"));

    static ${className}Config of(Settings settings) {
        return new ${className}Config(settings.integer("reserved"));
    }
}

package ${package};

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

/**
 * Settings of the extension.
 *
 * @param number of the hypercall
 */
record ${className}Config(long number) {
    static final Schema SCHEMA =
            Schema.of(Key.integer("number", 0, 0xffff_ffffL, 0x4c00, "number of the hypercall"));

    static ${className}Config of(Settings settings) {
        return new ${className}Config(settings.integer("number"));
    }
}

package org.alcazar.vmm.plugin;

import java.util.List;

/** The keys that a plugin instance takes; feeds validation, completion and help. */
public record Schema(List<Key> keys) {
    public static final Schema EMPTY = new Schema(List.of());

    public Schema {
        keys = List.copyOf(keys);
    }

    public static Schema of(Key... keys) {
        return new Schema(List.of(keys));
    }
}

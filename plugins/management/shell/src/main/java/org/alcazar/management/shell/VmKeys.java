package org.alcazar.management.shell;

import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The keys of a VM's configuration, for completion and for the form of their values; the VMM checks
 * them.
 */
final class VmKeys {
    /** Families whose types some keys name. */
    static final Map<String, String> FAMILIES =
            Map.of(
                    "devices", "device",
                    "extensions", "extension",
                    "engine", "engine",
                    "paging", "paging",
                    "platform", "platform",
                    "loader", "loader");

    static final Schema SCHEMA =
            Schema.of(
                    Key.string("name", "", "name of the VM"),
                    Key.path("kernel", "kernel image"),
                    Key.path("initrd", "initial RAM disk"),
                    Key.path("modules", "multiboot module"),
                    Key.string("append", "", "kernel command line"),
                    Key.string("address", "", "where a raw image is loaded"),
                    Key.string("loader", "", "how the kernel is loaded"),
                    Key.string("memory", "512M", "RAM"),
                    Key.string("cpus", "1", "number of vcores"),
                    Key.string("cpu-model", "", "processor that the guest sees"),
                    Key.string("pin", "free", "processors of the host for the vcores"),
                    Key.string("engine", "", "execution engine"),
                    Key.string("paging", "", "paging mode"),
                    Key.string("platform", "", "kind of machine"),
                    Key.string("devices", "", "a device: TYPE,KEY=VALUE..."),
                    Key.string("extensions", "", "an extension: TYPE,KEY=VALUE..."),
                    Key.choice("clock", List.of("host", "instructions"), "host", "guest time"),
                    Key.string("seed", "0", "where randomness starts"),
                    Key.string("epoch", "", "the guest's date at the start"),
                    Key.string("console", "none", "none or file:PATH"),
                    Key.bool("no-reboot", false, "a reset ends the VM"));

    private static final String FILE = "file:";

    private VmKeys() {}

    /**
     * The tree for the VMM: files as whole paths, devices with their settings.
     *
     * @param given texts, or lists of texts
     */
    static Map<String, Object> tree(Map<String, Object> given, Path folder) throws UsageException {
        Map<String, Object> tree = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : given.entrySet()) {
            List<Object> values = new ArrayList<>();
            List<?> texts =
                    entry.getValue() instanceof List<?> list ? list : List.of(entry.getValue());
            for (Object text : texts) {
                values.add(value(entry.getKey(), text.toString(), folder));
            }
            tree.put(entry.getKey(), values.size() == 1 ? values.getFirst() : values);
        }
        return tree;
    }

    private static Object value(String key, String text, Path folder) throws UsageException {
        return switch (key) {
            case "kernel", "initrd", "bios" -> Call.path(folder, text).toString();
            case "modules" -> {
                String[] parts = text.split(" ", 2);
                String file = Call.path(folder, parts[0]).toString();
                yield parts.length == 1 ? file : file + " " + parts[1];
            }
            case "console" ->
                    text.startsWith(FILE)
                            ? FILE + Call.path(folder, text.substring(FILE.length()))
                            : text;
            case "devices", "extensions", "engine", "paging", "platform" -> plugin(text);
            default -> text;
        };
    }

    private static Object plugin(String text) throws UsageException {
        List<String> parts = List.of(text.split(",", -1));
        if (parts.size() == 1) {
            return text;
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("type", parts.getFirst());
        tree.putAll(Call.settings(parts.subList(1, parts.size())));
        return tree;
    }
}

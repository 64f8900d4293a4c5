package org.alcazar.launcher.config;

import org.alcazar.launcher.message.Failure;

import java.util.Map;

/**
 * Which host carries the VMM, and how.
 *
 * @param name such as {@code jvm}
 * @param options {@code key=value,key=value}, or empty; the host itself checks them
 */
public record HostChoice(String name, String options) {
    /** The host without anybody's choice. */
    public static final HostChoice DEFAULT = new HostChoice("jvm", "");

    /** A host as it is by itself. */
    public static HostChoice of(String name) {
        return new HostChoice(name, "");
    }

    /**
     * From a configuration's value.
     *
     * @param value a name, or a tree with {@code type} and options
     */
    static HostChoice ofValue(Object value) throws Failure {
        if (!(value instanceof Map<?, ?> tree)) {
            return of(value.toString());
        }
        StringBuilder options = new StringBuilder();
        for (var entry : tree.entrySet()) {
            String text = String.valueOf(entry.getValue());
            if (text.contains(",")) {
                throw Failure.usage(
                        "host: %s: '%s' has a comma, which options of hosts can't have"
                                .formatted(entry.getKey(), text));
            }
            if (!entry.getKey().equals("type")) {
                options.append(options.isEmpty() ? "" : ",")
                        .append(entry.getKey())
                        .append('=')
                        .append(text);
            }
        }
        return new HostChoice(String.valueOf(tree.get("type")), options.toString());
    }

    /** As on the command line. */
    @Override
    public String toString() {
        return options.isEmpty() ? name : name + "," + options;
    }
}

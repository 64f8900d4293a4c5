package org.alcazar.launcher.config;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;
import org.apache.commons.configuration2.interpol.ConfigurationInterpolator;
import org.apache.commons.configuration2.interpol.DefaultLookups;
import org.apache.commons.configuration2.interpol.Lookup;
import org.apache.commons.configuration2.tree.ImmutableNode;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What files say about a guest, not yet checked value by value: keys are known, includes are
 * resolved.
 *
 * <p>{@code include: FILE} (or a list) reads another file first; this file's values then win, and
 * entries of lists are added behind. {@code ${env:NAME}}, {@code ${sys:NAME}} and {@code ${KEY}}
 * stand for an environment variable, a system property and another key's value, {@code ${…:-TEXT}}
 * gives what to take otherwise.
 */
final class Description {
    private static final String INCLUDE = "include";
    private static final int MOST_INCLUDES = 16;

    private final Map<GuestKey, List<RawValue>> values = new EnumMap<>(GuestKey.class);
    private final ConfigurationInterpolator interpolator = new ConfigurationInterpolator();

    Description() {
        interpolator.registerLookup("env", DefaultLookups.ENVIRONMENT.getLookup());
        interpolator.registerLookup("sys", DefaultLookups.SYSTEM_PROPERTIES.getLookup());
        Lookup ownKeys = this::lookup;
        interpolator.addDefaultLookup(ownKeys);
    }

    /** Adds a file, its includes first; {@code name} is for messages. */
    void read(Path file, String name) throws Failure {
        read(file.toAbsolutePath().normalize(), name, List.of());
    }

    /** Replaces a key's values. */
    void set(GuestKey key, List<RawValue> replacement) {
        values.put(key, List.copyOf(replacement));
    }

    /** Adds a value to a key that takes several. */
    void add(GuestKey key, RawValue value) {
        List<RawValue> all = new ArrayList<>(values.getOrDefault(key, List.of()));
        all.add(value);
        values.put(key, List.copyOf(all));
    }

    /** The values of a key with everything put in for {@code ${…}}. */
    List<RawValue> get(GuestKey key) throws Failure {
        List<RawValue> found = new ArrayList<>();
        for (RawValue raw : values.getOrDefault(key, List.of())) {
            found.add(
                    raw.origin().file().isEmpty()
                            ? raw // the shell has seen to it
                            : new RawValue(
                                    interpolate(raw.origin().place(key), raw.value()),
                                    raw.origin()));
        }
        return found;
    }

    private void read(Path file, String name, List<Path> above) throws Failure {
        List<Path> chain = Stream.concat(above.stream(), Stream.of(file)).toList();
        if (above.contains(file) || chain.size() > MOST_INCLUDES) {
            throw Failure.usage(name + ": includes itself by way of " + above.getLast());
        }
        Path parent = file.getParent();
        Origin origin = new Origin(name, parent == null ? file : parent);
        Map<String, List<ImmutableNode>> nodes = new LinkedHashMap<>();
        for (ImmutableNode node : TreeReader.read(file, name).getChildren()) {
            nodes.computeIfAbsent(node.getNodeName(), key -> new ArrayList<>()).add(node);
        }
        for (ImmutableNode node : nodes.getOrDefault(INCLUDE, List.of())) {
            String text = String.valueOf(interpolate(name + ": " + INCLUDE, value(node)));
            Path included = origin.folder().resolve(text).normalize();
            Path shown = above.isEmpty() ? Path.of(name).resolveSibling(text) : included;
            read(included, shown.normalize().toString(), chain);
        }
        nodes.remove(INCLUDE);
        for (var entry : nodes.entrySet()) {
            take(origin, entry.getKey(), entry.getValue());
        }
    }

    private void take(Origin origin, String name, List<ImmutableNode> nodes) throws Failure {
        Optional<NotYet> wish = NotYet.of(name);
        if (wish.isPresent()) {
            throw Failure.usage("%s: %s: %s".formatted(origin.file(), name, wish.get().why()));
        }
        GuestKey key =
                GuestKey.of(name)
                        .orElseThrow(() ->
                                Failure.usage(
                                        "%s: unknown key '%s'%s"
                                                .formatted(origin.file(), name, suggest(name))));
        if (key.repeatable()) {
            for (ImmutableNode node : nodes) {
                add(key, new RawValue(value(node), origin));
            }
        } else if (nodes.size() > 1) {
            throw Failure.usage(origin.place(key) + ": must be one value, not a list");
        } else {
            set(key, List.of(new RawValue(value(nodes.getFirst()), origin)));
        }
    }

    private static String suggest(String name) {
        List<String> names = Stream.concat(GuestKey.names().stream(), Stream.of(INCLUDE)).toList();
        String bare = name.startsWith("--") ? name.substring(2) : name;
        // Who writes an option's name means its key.
        return Spelling.suggest(
                List.of("module", "device", "bundle").contains(bare) ? bare + "s" : bare, names);
    }

    /** A plain value, or a map of a node's children and attributes. */
    private static Object value(ImmutableNode node) {
        if (node.getChildren().isEmpty() && node.getAttributes().isEmpty()) {
            return node.getValue() == null ? "" : node.getValue();
        }
        Map<String, Object> map = new LinkedHashMap<>(node.getAttributes());
        for (ImmutableNode child : node.getChildren()) {
            Object value = value(child);
            Object before = map.put(child.getNodeName(), value);
            if (before != null) {
                map.put(
                        child.getNodeName(),
                        List.of(before, value)); // a list, or a key given twice
            }
        }
        if (node.getValue() != null && !node.getValue().toString().isBlank()) {
            map.putIfAbsent("type", node.getValue());
        }
        return map;
    }

    private Object interpolate(String place, Object value) throws Failure {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> all = new LinkedHashMap<>();
            for (var entry : map.entrySet()) {
                all.put(String.valueOf(entry.getKey()), interpolate(place, entry.getValue()));
            }
            return all;
        }
        if (!(value instanceof String text) || !text.contains("${")) {
            return value;
        }
        Object result;
        try {
            result = interpolator.interpolate(text);
        } catch (IllegalStateException e) {
            throw new Failure(2, place + ": '" + text + "' leads back to itself", e);
        }
        String after = String.valueOf(result);
        int unknown = after.indexOf("${");
        if (unknown >= 0 && !text.contains("$${")) {
            int end = after.indexOf('}', unknown);
            String what = after.substring(unknown, end < 0 ? after.length() : end + 1);
            throw Failure.usage(
                    place
                            + ": "
                            + what
                            + " is not set; there are ${env:NAME}, ${sys:NAME} and ${KEY}, each with"
                            + " :-TEXT for a default");
        }
        return after;
    }

    private @org.jspecify.annotations.Nullable Object lookup(String name) {
        List<RawValue> found =
                GuestKey.of(name).map(key -> values.getOrDefault(key, List.of())).orElse(List.of());
        return found.size() == 1 ? found.getFirst().value() : null;
    }
}

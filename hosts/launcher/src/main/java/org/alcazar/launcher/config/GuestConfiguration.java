package org.alcazar.launcher.config;

import org.alcazar.launcher.message.Failure;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A guest's checked configuration.
 *
 * <p>Values are String, Long, Double, Boolean, or Lists of String and of Map, as {@code VmmControl}
 * takes them; sizes are bytes, paths are absolute.
 */
public final class GuestConfiguration {
    private final Map<GuestKey, Object> values;

    private GuestConfiguration(Map<GuestKey, Object> values) {
        this.values = values;
    }

    /**
     * Reads and checks.
     *
     * @param file the guest's description, if there is one; named in messages as it is given here
     * @param options what the command line gives, several values only for keys that take several;
     *     they win over the file's, and are added to its lists
     * @param folder where relative paths of the command line, and {@code file}, count from
     * @param machineMemory bytes of RAM that this machine has
     * @throws Failure with one line that says what is wrong, where, and what would be right
     */
    public static GuestConfiguration read(
            Optional<Path> file,
            Map<GuestKey, List<String>> options,
            Path folder,
            long machineMemory)
            throws Failure {
        Description description = new Description();
        if (file.isPresent()) {
            description.read(folder.resolve(file.get()), file.get().toString());
        }
        Origin origin = Origin.commandLine(folder);
        for (var option : options.entrySet()) {
            List<RawValue> given =
                    option.getValue().stream().map(text -> new RawValue(text, origin)).toList();
            if (option.getKey().repeatable()) {
                given.forEach(value -> description.add(option.getKey(), value));
            } else {
                description.set(option.getKey(), given);
            }
        }
        return check(description, file, machineMemory);
    }

    /**
     * What holds for a native program where no guest is given.
     *
     * @param name of the program
     * @param options what the command line gives
     * @throws Failure as {@link #read}, or if an option is for guests only
     */
    public static GuestConfiguration ofProgram(
            String name, Map<GuestKey, List<String>> options, Path folder, long machineMemory)
            throws Failure {
        Values conversion = new Values(machineMemory);
        Map<GuestKey, Object> values = new EnumMap<>(GuestKey.class);
        for (var option : options.entrySet()) {
            GuestKey key = option.getKey();
            switch (key) {
                case HOST, ENGINE, MEMORY, APPEND, BUNDLES, CONSOLE, TIMEOUT, STATS -> {}
                default ->
                        throw Failure.usage(
                                "%s: is for guests; a native program has host, engine, memory,"
                                                .formatted(key.option())
                                        + " append (its arguments), bundle, console, timeout and"
                                        + " stats");
            }
            List<RawValue> given =
                    option.getValue().stream()
                            .map(text -> new RawValue(text, Origin.commandLine(folder)))
                            .toList();
            convert(conversion, key, given, values);
        }
        values.put(GuestKey.NAME, name);
        return complete(values);
    }

    private static void convert(
            Values conversion, GuestKey key, List<RawValue> given, Map<GuestKey, Object> values)
            throws Failure {
        List<Object> converted = new ArrayList<>();
        for (RawValue raw : given) {
            converted.add(conversion.convert(key, raw));
        }
        if (!converted.isEmpty()) {
            values.put(key, key.repeatable() ? List.copyOf(converted) : converted.getLast());
        }
    }

    /** With what holds where nothing is given, and the host taken apart. */
    private static GuestConfiguration complete(Map<GuestKey, Object> values) throws Failure {
        values.putIfAbsent(GuestKey.CONSOLE, "stdio");
        Object host = values.get(GuestKey.HOST);
        if (host != null) {
            values.put(GuestKey.HOST, HostChoice.ofValue(host));
        }
        return new GuestConfiguration(values);
    }

    /**
     * Checks what the command line gives by itself, for when reading the file has to wait.
     *
     * @throws Failure as {@link #read}
     */
    public static void check(Map<GuestKey, List<String>> options, Path folder, long machineMemory)
            throws Failure {
        Values conversion = new Values(machineMemory);
        for (var option : options.entrySet()) {
            for (String text : option.getValue()) {
                conversion.convert(option.getKey(), new RawValue(text, Origin.commandLine(folder)));
            }
        }
    }

    /**
     * The line of description in a guest's file; empty if it has none.
     *
     * @throws Failure if the file is wrong
     */
    public static String describe(Path file) throws Failure {
        Description description = new Description();
        description.read(file, file.toString());
        List<RawValue> found = description.get(GuestKey.DESCRIPTION);
        return found.isEmpty() ? "" : String.valueOf(found.getFirst().value());
    }

    private static GuestConfiguration check(
            Description description, Optional<Path> file, long machineMemory) throws Failure {
        Values conversion = new Values(machineMemory);
        Map<GuestKey, Object> values = new EnumMap<>(GuestKey.class);
        for (GuestKey key : GuestKey.values()) {
            convert(conversion, key, description.get(key), values);
        }
        if (!values.containsKey(GuestKey.KERNEL)) {
            throw Failure.usage(
                    file.map(path -> path + ": the key 'kernel' is missing")
                            .orElse(
                                    "no guest is given: a name, a description in YAML, or --kernel"
                                            + " FILE"));
        }
        values.putIfAbsent(GuestKey.NAME, new GuestConfiguration(values).defaultName(file));
        return complete(values);
    }

    private String defaultName(Optional<Path> file) {
        Path named = file.orElseGet(() -> Path.of(text(GuestKey.KERNEL)));
        String name = String.valueOf(named.getFileName());
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /** Whether the value is there. */
    public boolean has(GuestKey key) {
        return values.containsKey(key);
    }

    /** A text, path, choice or console; empty if it was not given. */
    public String text(GuestKey key) {
        return (String) values.getOrDefault(key, "");
    }

    /** The part of a tree that names the plugin, or a plain name; empty if it was not given. */
    public String type(GuestKey key) {
        Object value = values.get(key);
        return value instanceof Map<?, ?> tree
                ? String.valueOf(tree.get("type"))
                : value == null ? "" : value.toString();
    }

    /** Bytes, if they were given. */
    public Optional<Long> bytes(GuestKey key) {
        return Optional.ofNullable((Long) values.get(key));
    }

    /** Seconds, if they were given. */
    public Optional<Double> seconds(GuestKey key) {
        return Optional.ofNullable((Double) values.get(key));
    }

    /** The host kernel it is for; none: any. */
    public Optional<HostChoice> host() {
        return Optional.ofNullable((HostChoice) values.get(GuestKey.HOST));
    }

    /** Bundles to install beside the distribution's. */
    public List<Path> bundles() {
        return values.get(GuestKey.BUNDLES) instanceof List<?> list
                ? list.stream().map(path -> Path.of((String) path)).toList()
                : List.of();
    }

    /** Where statistics go, if anywhere. */
    public Optional<Path> stats() {
        return has(GuestKey.STATS) ? Optional.of(Path.of(text(GuestKey.STATS))) : Optional.empty();
    }

    /**
     * What the VMM is told: the keys of a file with their values, without those that are the
     * launcher's own.
     */
    public Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        values.forEach((key, value) -> {
            if (key.forVmm()) {
                tree.put(key.key(), value);
            }
        });
        return tree;
    }

    /** Bytes of RAM that this machine has. */
    public static long machineMemory() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemTotal:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (java.io.IOException e) {
            // Not a Linux machine: the host will refuse what it lacks.
        }
        return Long.MAX_VALUE;
    }
}

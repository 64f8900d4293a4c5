package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.Spelling;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A VM's configuration, checked as far as that is possible without its plugins. Keys are those of
 * the command line and of configuration files.
 *
 * @param memory bytes of RAM
 * @param engine name and settings; {@code paging} and {@code platform} alike
 * @param swap policy and settings: {@code file}, {@code limit} and the policy's own; no file: none
 * @param address where a raw image goes
 * @param instructionClock whether guest time is counted in instructions
 * @param epoch wall-clock time at guest time 0 in nanoseconds since 1970, if it is fixed
 * @param exitRegisters names of the register groups that travel with exits, where they travel
 * @param callLimit nanoseconds that a call into a plugin may take
 * @param tree what this was made from
 */
record VmConfiguration(
        String name,
        long memory,
        int cpus,
        Pinning pin,
        Choice engine,
        Choice paging,
        Choice platform,
        Choice swap,
        String kernel,
        String initrd,
        String append,
        List<String> modules,
        Optional<Long> address,
        String bios,
        String loader,
        List<DeviceSpec> devices,
        List<DeviceSpec> extensions,
        String console,
        boolean instructionClock,
        long seed,
        Optional<Long> epoch,
        boolean noReboot,
        StopPolicy onBundleStop,
        long callLimit,
        List<String> exitRegisters,
        Map<String, Object> tree) {
    static final int MAX_CPUS = 64;

    /** Wall-clock time at the start under the instruction clock, where none is given. */
    private static final String FIXED_EPOCH = "2026-01-01T00:00:00Z";

    private static final String MEMORY = "memory";
    private static final String SWAP = "swap";
    static final String DEVICES = "devices";
    private static final String EXTENSIONS = "extensions";
    private static final String MODULES = "modules";
    private static final String PIN = "pin";
    static final String EXIT_REGISTERS = "exit-registers";
    private static final List<String> LISTS =
            List.of(DEVICES, EXTENSIONS, MODULES, PIN, EXIT_REGISTERS);
    private static final List<String> CHOICES = List.of("engine", "paging", "platform", SWAP);

    /**
     * Plain keys; the choices may also be a map with {@code type} and settings, lists have their
     * own form.
     */
    static final Schema SCHEMA =
            Schema.of(
                    Key.string("name", "", "name of the VM, for messages and accounting"),
                    Key.string(MEMORY, "512M", "size of RAM, whole pages of 4 KiB"),
                    Key.integer("cpus", 1, MAX_CPUS, 1, "number of vcores"),
                    Key.string("cpu-model", "", "processor that the engine shows to the guest"),
                    Key.string("engine", "", "execution engine"),
                    Key.string("paging", "", "paging mode"),
                    Key.string("platform", "", "kind of machine"),
                    Key.string(SWAP, "", "which pages of RAM go to a file first; file, limit"),
                    Key.path("kernel", "kernel image"),
                    Key.path("initrd", "initial RAM disk"),
                    Key.string("append", "", "kernel command line"),
                    Key.string("address", "", "where a raw image is loaded"),
                    Key.path("bios", "firmware image"),
                    Key.string("loader", "", "how the kernel is loaded, if not by its contents"),
                    Key.string("console", "stdio", "stdio, none or file:PATH"),
                    Key.choice(
                            "clock",
                            List.of("host", "instructions"),
                            "host",
                            "what drives guest time"),
                    Key.integer(
                            "seed", Long.MIN_VALUE, Long.MAX_VALUE, 0, "where randomness starts"),
                    Key.string(
                            "epoch", "", "the guest's date at the start, such as " + FIXED_EPOCH),
                    Key.bool("no-reboot", false, "a reset ends the VM"),
                    Key.choice(
                            StopPolicy.KEY,
                            StopPolicy.NAMES,
                            StopPolicy.REFUSE.word(),
                            "what happens when a bundle in use is stopped"),
                    Key.integer(
                            "call-limit",
                            1,
                            3600,
                            10,
                            "seconds that a call into a plugin may take"));

    /** A plugin type by name (empty: the VMM chooses) and its settings. */
    record Choice(String type, Map<String, Object> settings) {}

    /**
     * @throws ConfigurationException with one line that says what is wrong and what would be right
     */
    static VmConfiguration of(Map<String, Object> tree) throws ConfigurationException {
        checkKeys(tree);
        Map<String, Object> plain = new LinkedHashMap<>(tree);
        LISTS.forEach(plain::remove);
        CHOICES.forEach(plain::remove);
        plain.values().removeIf(value -> "".equals(value));
        for (Map.Entry<String, Object> entry : plain.entrySet()) {
            if (entry.getValue() instanceof Map || entry.getValue() instanceof List) {
                throw new ConfigurationException("key '" + entry.getKey() + "' takes one value");
            }
        }
        Settings settings = Settings.check("configuration", SCHEMA, plain);
        boolean instructions = settings.string("clock").equals("instructions");
        String cpuModel = settings.string("cpu-model");
        Choice engine = choice("engine", tree);
        if (!cpuModel.isEmpty()) {
            Map<String, Object> more = new LinkedHashMap<>(engine.settings);
            more.put("cpu-model", cpuModel);
            engine = new Choice(engine.type, Map.copyOf(more));
        }
        return new VmConfiguration(
                settings.string("name"),
                memory(settings.string(MEMORY)),
                (int) settings.integer("cpus"),
                Pinning.of(tree.getOrDefault(PIN, "free")),
                engine,
                choice("paging", tree),
                choice("platform", tree),
                choice(SWAP, tree),
                settings.string("kernel"),
                settings.string("initrd"),
                settings.string("append"),
                strings(MODULES, tree),
                address(settings.string("address")),
                settings.string("bios"),
                settings.string("loader"),
                specs(DEVICES, "device", tree),
                specs(EXTENSIONS, "extension", tree),
                console(settings.string("console")),
                instructions,
                settings.integer("seed"),
                epoch(settings.string("epoch"), instructions),
                settings.bool("no-reboot"),
                StopPolicy.of(settings.string(StopPolicy.KEY)),
                settings.integer("call-limit") * 1_000_000_000,
                words(EXIT_REGISTERS, tree),
                Map.copyOf(tree));
    }

    /** The same with other values for some keys. */
    VmConfiguration with(Map<String, Object> overrides) throws ConfigurationException {
        Map<String, Object> changed = new LinkedHashMap<>(tree);
        changed.putAll(overrides);
        return of(changed);
    }

    private static void checkKeys(Map<String, Object> tree) throws ConfigurationException {
        Set<String> known = new LinkedHashSet<>();
        SCHEMA.keys().forEach(key -> known.add(key.name()));
        known.addAll(LISTS);
        for (String key : tree.keySet()) {
            if (!known.contains(key)) {
                throw new ConfigurationException(
                        "unknown key '" + key + "'" + Spelling.suggest(key, known));
            }
        }
    }

    private static long memory(String text) throws ConfigurationException {
        long bytes;
        try {
            bytes = Settings.parseSize(text);
        } catch (NumberFormatException e) {
            throw new ConfigurationException("memory=" + text + " is not a size such as 512M", e);
        }
        if (bytes == 0) {
            throw new ConfigurationException("memory=" + text + " is no memory; try 512M");
        }
        if (bytes % HostMemory.PAGE_SIZE != 0) {
            throw new ConfigurationException(
                    "memory="
                            + text
                            + " is not whole pages of 4 KiB; the nearest is "
                            + Math.max(1, bytes / HostMemory.PAGE_SIZE) * 4
                            + "K");
        }
        return bytes;
    }

    private static Optional<Long> address(String text) throws ConfigurationException {
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Long.decode(text));
        } catch (NumberFormatException e) {
            throw new ConfigurationException(
                    "address=" + text + " is not an address such as 0x100000", e);
        }
    }

    private static Optional<Long> epoch(String text, boolean fixed) throws ConfigurationException {
        if (text.isEmpty() && !fixed) {
            return Optional.empty();
        }
        try {
            Instant at = Instant.parse(text.isEmpty() ? FIXED_EPOCH : text);
            return Optional.of(at.getEpochSecond() * GuestClock.NANOS_PER_SECOND + at.getNano());
        } catch (DateTimeParseException e) {
            throw new ConfigurationException(
                    "epoch=" + text + " is not a date such as " + FIXED_EPOCH, e);
        }
    }

    private static String console(String text) throws ConfigurationException {
        if (text.equals("stdio")
                || text.equals("none")
                || text.startsWith("file:") && text.length() > "file:".length()) {
            return text;
        }
        throw new ConfigurationException(
                "console=" + text + " is not one of stdio, none, file:PATH");
    }

    private static Choice choice(String key, Map<String, Object> tree)
            throws ConfigurationException {
        Object value = tree.getOrDefault(key, "");
        return switch (value) {
            case Map<?, ?> map -> {
                Map<String, Object> settings = settings(key, map);
                Object type = settings.remove("type");
                yield new Choice(type == null ? "" : type.toString(), Map.copyOf(settings));
            }
            case List<?> list -> throw new ConfigurationException("key '" + key + "' takes a name");
            default -> new Choice(value.toString(), Map.of());
        };
    }

    private static List<DeviceSpec> specs(String key, String word, Map<String, Object> tree)
            throws ConfigurationException {
        List<DeviceSpec> out = new ArrayList<>();
        for (Object entry : list(key, tree)) {
            Map<String, Object> settings = new LinkedHashMap<>();
            if (entry instanceof Map<?, ?> map) {
                settings.putAll(settings(key, map));
            } else {
                settings.put("type", entry.toString());
            }
            Object type = settings.remove("type");
            Object name = settings.remove("name");
            if (type == null) {
                throw new ConfigurationException("a " + word + " needs the key 'type'");
            }
            out.add(
                    new DeviceSpec(
                            type.toString(),
                            name == null ? freeName(type.toString(), out) : name.toString(),
                            settings));
        }
        return List.copyOf(out);
    }

    private static String freeName(String type, List<DeviceSpec> taken) {
        Set<String> names = new LinkedHashSet<>();
        taken.forEach(spec -> names.add(spec.name()));
        String name = type;
        for (int i = 1; names.contains(name); i++) {
            name = type + i;
        }
        return name;
    }

    private static List<String> strings(String key, Map<String, Object> tree)
            throws ConfigurationException {
        List<String> out = new ArrayList<>();
        for (Object entry : list(key, tree)) {
            if (entry instanceof Map || entry instanceof List) {
                throw new ConfigurationException("key '" + key + "' takes a list of texts");
            }
            out.add(entry.toString());
        }
        return List.copyOf(out);
    }

    /** A list of words, or one text of them with commas. */
    private static List<String> words(String key, Map<String, Object> tree)
            throws ConfigurationException {
        return strings(key, tree).stream()
                .flatMap(text -> Stream.of(text.split(",")))
                .map(String::strip)
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static List<?> list(String key, Map<String, Object> tree) {
        Object value = tree.getOrDefault(key, List.of());
        return value instanceof List<?> list ? list : "".equals(value) ? List.of() : List.of(value);
    }

    private static Map<String, Object> settings(String key, Map<?, ?> map)
            throws ConfigurationException {
        Map<String, Object> out = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            Object value = entry.getValue();
            if (value == null || value instanceof Map || value instanceof List) {
                throw new ConfigurationException(
                        key + ": key '" + entry.getKey() + "' takes one value");
            }
            out.put(String.valueOf(entry.getKey()), value);
        }
        return out;
    }
}

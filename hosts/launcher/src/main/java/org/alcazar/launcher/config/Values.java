package org.alcazar.launcher.config;

import org.alcazar.launcher.message.Failure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Turns what was written into values of the right type, or says what would have been right. */
final class Values {
    private static final long PAGE = 4096;

    private final long machineMemory;

    /**
     * @param machineMemory bytes of RAM that this machine has
     */
    Values(long machineMemory) {
        this.machineMemory = machineMemory;
    }

    /** String, Long, Double, Boolean or a plugin's Map, by the kind of the key. */
    Object convert(GuestKey key, RawValue raw) throws Failure {
        String place = raw.origin().place(key);
        boolean plugin = key.kind() == Kind.PLUGIN || key.kind() == Kind.CHOSEN_PLUGIN;
        if (plugin && raw.value() instanceof Map<?, ?> map) {
            return plugin(place, map);
        }
        if (raw.value() instanceof Map || raw.value() instanceof List) {
            throw Failure.usage(place + ": must be one " + noun(key) + ", not a list or a tree");
        }
        String text = String.valueOf(raw.value()).strip();
        if (text.isEmpty() && key.kind() != Kind.TEXT) {
            throw Failure.usage(place + ": the value is missing; it takes " + key.label());
        }
        return switch (key.kind()) {
            case TEXT -> text;
            case INPUT_FILE -> input(place, raw.origin().folder(), text).toString();
            case OUTPUT_FILE ->
                    output(place, resolve(place, raw.origin().folder(), text)).toString();
            case MODULE -> module(place, raw.origin().folder(), text);
            case CONSOLE -> console(place, raw.origin().folder(), text);
            case INTEGER -> integer(place, key, text);
            case SECONDS -> seconds(place, text);
            case SIZE -> memory(place, text);
            case SWITCH -> truth(place, text);
            case CHOICE -> choice(place, key, text);
            case CHOSEN_PLUGIN -> text.contains(",") ? plugin(place, text) : text;
            case PLUGIN -> plugin(place, text);
        };
    }

    private static String noun(GuestKey key) {
        return switch (key.kind()) {
            case INPUT_FILE, OUTPUT_FILE, MODULE -> "file name";
            case INTEGER, SECONDS -> "number";
            case SIZE -> "size such as 512M";
            case CHOSEN_PLUGIN, PLUGIN -> "TYPE[,KEY=VALUE...]";
            default -> "text";
        };
    }

    private static Failure wrong(String place, String text, String right) {
        return Failure.usage(place + ": '" + text + "' is not " + right);
    }

    private static Path resolve(String place, Path folder, String text) throws Failure {
        try {
            return folder.resolve(text).toAbsolutePath().normalize();
        } catch (java.nio.file.InvalidPathException e) {
            throw wrong(place, text, "a file's name");
        }
    }

    private static Path input(String place, Path folder, String text) throws Failure {
        Path file = resolve(place, folder, text);
        if (!Files.exists(file)) {
            throw Failure.usage(place + ": there is no file " + file);
        }
        if (Files.isDirectory(file)) {
            throw Failure.usage(place + ": " + file + " is a folder, not a file");
        }
        if (!Files.isReadable(file)) {
            throw Failure.usage(place + ": " + file + " may not be read by this user");
        }
        try {
            if (Files.isRegularFile(file) && Files.size(file) == 0) {
                throw Failure.usage(place + ": " + file + " is empty");
            }
        } catch (IOException e) {
            throw Failure.usage(place + ": " + file + ": " + e.getMessage());
        }
        return file;
    }

    private static Path output(String place, Path file) throws Failure {
        Path folder = file.getParent();
        if (Files.isDirectory(file) || folder == null) {
            throw Failure.usage(place + ": " + file + " is a folder, not a file");
        }
        if (!Files.isDirectory(folder)) {
            throw Failure.usage(place + ": there is no folder " + folder);
        }
        if (!Files.isWritable(folder)) {
            throw Failure.usage(place + ": " + folder + " may not be written by this user");
        }
        return file;
    }

    private static String module(String place, Path folder, String text) throws Failure {
        int space = text.indexOf(' ');
        Path file = input(place, folder, space < 0 ? text : text.substring(0, space));
        return space < 0 ? file.toString() : file + text.substring(space);
    }

    private static String console(String place, Path folder, String text) throws Failure {
        if (text.equals("stdio") || text.equals("none")) {
            return text;
        }
        if (text.startsWith("file:") && text.length() > 5) {
            return "file:" + output(place, resolve(place, folder, text.substring(5)));
        }
        throw wrong(place, text, "one of stdio, none, file:PATH");
    }

    private static Long integer(String place, GuestKey key, String text) throws Failure {
        long value;
        try {
            value = Long.decode(text);
        } catch (NumberFormatException e) {
            throw wrong(place, text, "a whole number");
        }
        if (value < key.minimum() || value > key.maximum()) {
            throw wrong(
                    place,
                    text,
                    key.maximum() == Long.MAX_VALUE
                            ? "a number of at least " + key.minimum()
                            : "a number from " + key.minimum() + " to " + key.maximum());
        }
        return value;
    }

    private static Double seconds(String place, String text) throws Failure {
        try {
            double value = Double.parseDouble(text);
            if (value > 0 && value <= Integer.MAX_VALUE) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw wrong(
                place, text, "a number of seconds greater than 0 and at most " + Integer.MAX_VALUE);
    }

    private Long memory(String place, String text) throws Failure {
        long bytes;
        try {
            bytes = size(text);
        } catch (NumberFormatException e) {
            throw wrong(place, text, "a size such as 512M");
        }
        if (bytes == 0) {
            throw Failure.usage(place + ": a machine needs more than 0 bytes, such as 512M");
        }
        if (bytes % PAGE != 0) {
            throw Failure.usage(
                    "%s: '%s' is not a multiple of 4K; %d is the nearest below"
                            .formatted(place, text, bytes / PAGE * PAGE));
        }
        if (bytes > machineMemory) {
            throw Failure.usage(
                    "%s: '%s' is more than the %dM that this machine has"
                            .formatted(place, text, machineMemory >> 20));
        }
        return bytes;
    }

    /**
     * Bytes of a size such as {@code 64K}, {@code 512MiB}, {@code 2G} or a plain number.
     *
     * @throws NumberFormatException if it is none
     */
    static long size(String text) {
        String t = text.toUpperCase(Locale.ROOT).replaceFirst("(?<=[KMGT])I?B$", "");
        int unit = t.isEmpty() ? -1 : "KMGT".indexOf(t.charAt(t.length() - 1));
        int shift = 10 * (unit + 1);
        long number = Long.parseLong(unit < 0 ? t : t.substring(0, t.length() - 1).strip());
        if (number < 0 || number > Long.MAX_VALUE >> shift) {
            throw new NumberFormatException(text);
        }
        return number << shift;
    }

    private static Boolean truth(String place, String text) throws Failure {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> true;
            case "false", "no", "off" -> false;
            default -> throw wrong(place, text, "true or false");
        };
    }

    private static String choice(String place, GuestKey key, String text) throws Failure {
        if (key.choices().contains(text)) {
            return text;
        }
        throw wrong(place, text, "one of " + String.join(", ", key.choices()));
    }

    /** {@code TYPE[,KEY=VALUE...]}. */
    private static Map<String, Object> plugin(String place, String text) throws Failure {
        Map<String, Object> plugin = new LinkedHashMap<>();
        String[] parts = text.split(",", -1);
        plugin.put("type", parts[0].strip());
        for (String part : List.of(parts).subList(1, parts.length)) {
            int equals = part.indexOf('=');
            if (equals < 1) {
                throw Failure.usage(
                        "%s: '%s' in '%s' is not KEY=VALUE".formatted(place, part, text));
            }
            put(place, plugin, part.substring(0, equals).strip(), part.substring(equals + 1));
        }
        return named(place, plugin);
    }

    private static Map<String, Object> plugin(String place, Map<?, ?> map) throws Failure {
        Map<String, Object> plugin = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            String key = String.valueOf(entry.getKey());
            Object value = entry.getValue();
            if (value instanceof Map || value instanceof List) {
                throw Failure.usage(
                        "%s: '%s' must be one plain value, not a list or a tree"
                                .formatted(place, key));
            }
            put(place, plugin, key, value);
        }
        return named(place, plugin);
    }

    private static void put(String place, Map<String, Object> plugin, String key, Object value)
            throws Failure {
        Object plain =
                switch (value) {
                    case Boolean b -> b;
                    case Integer n -> n.longValue();
                    case Long n -> n;
                    case Double n -> n;
                    default -> value.toString();
                };
        if (plugin.putIfAbsent(key, plain) != null) {
            throw Failure.usage("%s: '%s' is given twice".formatted(place, key));
        }
    }

    private static Map<String, Object> named(String place, Map<String, Object> plugin)
            throws Failure {
        if (String.valueOf(plugin.getOrDefault("type", "")).isBlank()) {
            throw Failure.usage(place + ": the type is missing, as in 'uart16550,irq=4'");
        }
        return plugin;
    }
}

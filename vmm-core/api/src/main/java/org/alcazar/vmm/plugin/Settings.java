package org.alcazar.vmm.plugin;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Values that were checked against a {@link Schema}, defaults filled in. The getters throw {@link
 * IllegalArgumentException} only for a key that the schema lacks: a mistake of the plugin.
 */
public final class Settings {
    private final Map<String, Object> values;

    private Settings(Map<String, Object> values) {
        this.values = values;
    }

    /**
     * Checks raw values.
     *
     * @param where names the place for messages, such as {@code device uart16550}
     * @throws ConfigurationException with one line that says what is wrong and what would be right
     */
    public static Settings check(String where, Schema schema, Map<String, ?> raw)
            throws ConfigurationException {
        List<String> names = schema.keys().stream().map(Key::name).toList();
        for (String given : raw.keySet()) {
            if (!names.contains(given)) {
                throw new ConfigurationException(
                        where + ": unknown key '" + given + "'" + Spelling.suggest(given, names));
            }
        }
        Map<String, Object> values = new LinkedHashMap<>();
        for (Key key : schema.keys()) {
            Object value = raw.get(key.name());
            if (value == null && key.required()) {
                throw new ConfigurationException(
                        where + ": key '" + key.name() + "' is missing: " + key.doc());
            }
            values.put(key.name(), convert(where, key, value == null ? key.fallback() : value));
        }
        return new Settings(values);
    }

    public long integer(String key) {
        return (Long) get(key);
    }

    public boolean bool(String key) {
        return (Boolean) get(key);
    }

    /** A STRING, PATH, CHOICE or BACKEND; empty if it was not given. */
    public String string(String key) {
        return (String) get(key);
    }

    /** As they would be written. */
    public Map<String, Object> values() {
        return Map.copyOf(values);
    }

    private Object get(String key) {
        Object value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("no key '" + key + "' in the schema");
        }
        return value;
    }

    private static Object convert(String where, Key key, Object raw) throws ConfigurationException {
        String text = String.valueOf(raw).trim();
        return switch (key.kind()) {
            case INTEGER -> inRange(where, key, text, integer(where, key, text));
            case SIZE -> inRange(where, key, text, size(where, key, text));
            case BOOLEAN ->
                    switch (text.toLowerCase(Locale.ROOT)) {
                        case "true", "yes", "on" -> true;
                        case "false", "no", "off" -> false;
                        default -> throw wrong(where, key, text, "true or false");
                    };
            case CHOICE -> {
                if (!key.choices().contains(text)) {
                    throw wrong(where, key, text, "one of " + String.join(", ", key.choices()));
                }
                yield text;
            }
            case STRING, PATH, BACKEND -> text;
        };
    }

    private static long integer(String where, Key key, String text) throws ConfigurationException {
        try {
            return number(text);
        } catch (NumberFormatException e) {
            throw wrong(where, key, text, "a whole number");
        }
    }

    private static long size(String where, Key key, String text) throws ConfigurationException {
        try {
            return parseSize(text);
        } catch (NumberFormatException e) {
            throw wrong(where, key, text, "a size such as 512M");
        }
    }

    /**
     * Bytes of a size such as {@code 64K}, {@code 512M}, {@code 2G} or a plain number. @throws
     * NumberFormatException if it is none
     */
    public static long parseSize(String text) {
        String t = text.trim().toUpperCase(Locale.ROOT);
        t = t.startsWith("0X") ? t : t.replaceFirst("I?B$", "");
        int shift =
                t.isEmpty()
                        ? 0
                        : switch (t.charAt(t.length() - 1)) {
                            case 'K' -> 10;
                            case 'M' -> 20;
                            case 'G' -> 30;
                            case 'T' -> 40;
                            default -> 0;
                        };
        long number = number(shift == 0 ? t : t.substring(0, t.length() - 1));
        if (number < 0 || number > Long.MAX_VALUE >> shift) {
            throw new NumberFormatException(text);
        }
        return number << shift;
    }

    /** Decimal, or hexadecimal with 0x; leading zeros mean nothing. */
    private static long number(String text) {
        if (text.startsWith("+")) {
            throw new NumberFormatException(text);
        }
        String digits = text.replaceFirst("^(-?)0[xX]", "$1");
        int radix = digits.length() == text.length() ? 10 : 16;
        if (radix == 16 && !digits.matches("-?\\p{XDigit}+")) {
            throw new NumberFormatException(text);
        }
        return Long.parseLong(digits, radix);
    }

    private static Long inRange(String where, Key key, String text, long value)
            throws ConfigurationException {
        if (value < key.minimum() || value > key.maximum()) {
            throw wrong(where, key, text, "a value from " + key.minimum() + " to " + key.maximum());
        }
        return value;
    }

    private static ConfigurationException wrong(String where, Key key, String text, String wanted) {
        return new ConfigurationException(
                where + ": " + key.name() + "=" + text + " is not " + wanted);
    }
}

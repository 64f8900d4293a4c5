package org.alcazar.hosts.support;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * One option of a host.
 *
 * @param type {@code size}, {@code integer}, {@code switch}, {@code choice}, {@code file} or {@code
 *     text}
 * @param range as {@link HostOptions} says
 * @param fallback what holds if it is not given; empty for nothing
 * @param doc one line for people
 */
record OptionSpec(String key, String type, String range, String fallback, String doc) {
    private static final List<String> TYPES =
            List.of("size", "integer", "switch", "choice", "file", "text");

    OptionSpec {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException(key + ": no type " + type);
        }
    }

    /** One line of a host's list. */
    static OptionSpec of(String line) {
        String[] parts = line.split("\\|", -1);
        if (parts.length != 5) {
            throw new IllegalArgumentException("not key|type|range|default|doc: " + line);
        }
        OptionSpec spec =
                new OptionSpec(
                        parts[0].strip(),
                        parts[1].strip(),
                        parts[2].strip(),
                        parts[3].strip(),
                        parts[4].strip());
        if (!spec.fallback.isEmpty() && !spec.check(spec.fallback).isEmpty()) {
            throw new IllegalArgumentException("default out of range: " + line);
        }
        return spec;
    }

    /** What would be right; empty if the value is. */
    String check(String value) {
        return switch (type) {
            case "size" -> number(value, "a size such as 512M");
            case "integer" -> number(value, "a whole number");
            case "switch" -> oneOf(value, List.of("true", "false"));
            case "choice" -> oneOf(value, List.of(range.split("/")));
            case "file" -> Files.isReadable(Path.of(value)) ? "" : "a file that can be read";
            default -> "";
        };
    }

    private static String oneOf(String value, List<String> words) {
        return words.contains(value) ? "" : "one of " + String.join(", ", words);
    }

    private String number(String value, String what) {
        try {
            long found = number(value);
            String[] ends = range.split("\\.\\.", -1);
            boolean inside =
                    range.isEmpty()
                            || ((ends[0].isEmpty() || found >= number(ends[0]))
                                    && (ends[1].isEmpty() || found <= number(ends[1])));
            return inside
                    ? ""
                    : ends[1].isEmpty()
                            ? what + ", at least " + ends[0]
                            : what + " from " + ends[0] + " to " + ends[1];
        } catch (NumberFormatException e) {
            return what;
        }
    }

    /** A value of the right form. */
    String example() {
        return switch (type) {
            case "size" -> "512M";
            case "integer" -> "1";
            case "switch" -> "true";
            case "choice" -> range.split("/")[0];
            case "file" -> "FILE";
            default -> "TEXT";
        };
    }

    /**
     * A whole number, maybe with K, M, G or T for powers of 1024.
     *
     * @throws NumberFormatException if it is none, or too great
     */
    static long number(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        int unit = upper.isEmpty() ? -1 : "KMGT".indexOf(upper.charAt(upper.length() - 1));
        int shift = 10 * (unit + 1);
        long number = Long.parseLong(unit < 0 ? upper : upper.substring(0, upper.length() - 1));
        if (number < 0 || number > Long.MAX_VALUE >> shift) {
            throw new NumberFormatException(text);
        }
        return number << shift;
    }
}

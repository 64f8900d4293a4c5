package org.alcazar.bench;

import java.util.Collection;
import java.util.Map;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/** Writes maps, collections, strings and numbers as JSON (RFC 8259). */
final class Json {
    private Json() {}

    /** The text, with a line for each member of the outer two levels. */
    static String text(Map<String, ?> tree) {
        return value(tree, 0) + "\n";
    }

    private static String value(Object value, int depth) {
        return switch (value) {
            case Map<?, ?> map ->
                    map.entrySet().stream()
                            .map(e -> string(e.getKey()) + ": " + value(e.getValue(), depth + 1))
                            .collect(joining(depth, "{", "}"));
            case Collection<?> list ->
                    list.stream().map(e -> value(e, depth + 1)).collect(joining(depth, "[", "]"));
            case Double d when !Double.isFinite(d) -> "null";
            case Number n -> n.toString();
            case Boolean b -> b.toString();
            default -> string(value);
        };
    }

    private static Collector<CharSequence, ?, String> joining(
            int depth, String open, String close) {
        if (depth > 2) {
            return Collectors.joining(", ", open, close);
        }
        String line = "\n" + "  ".repeat(depth);
        return Collectors.joining("," + line + "  ", open + line + "  ", line + close);
    }

    private static String string(Object value) {
        StringBuilder out = new StringBuilder("\"");
        value.toString()
                .chars()
                .forEach(c -> {
                    if (c == '"' || c == '\\') {
                        out.append('\\').append((char) c);
                    } else if (c < ' ') {
                        out.append("\\u%04x".formatted(c));
                    } else {
                        out.append((char) c);
                    }
                });
        return out.append('"').toString();
    }
}

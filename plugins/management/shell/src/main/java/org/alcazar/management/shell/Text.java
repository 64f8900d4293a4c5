package org.alcazar.management.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Values as people read them. */
final class Text {
    private static final int BYTES_A_LINE = 16;

    private Text() {}

    /** Columns with the rows' keys above them; numbers stand at the right. */
    static String table(List<? extends Map<String, ?>> rows) {
        List<String> keys = List.copyOf(rows.getFirst().keySet());
        List<List<String>> cells = new ArrayList<>();
        cells.add(keys.stream().map(key -> key.toUpperCase(Locale.ROOT)).toList());
        for (Map<String, ?> row : rows) {
            cells.add(keys.stream().map(key -> cell(row.get(key))).toList());
        }
        StringBuilder out = new StringBuilder();
        for (List<String> line : cells) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < keys.size(); i++) {
                int column = i;
                int width =
                        cells.stream().mapToInt(all -> all.get(column).length()).max().orElse(0);
                boolean right = rows.getFirst().get(keys.get(i)) instanceof Number;
                String padding = " ".repeat(width - line.get(i).length());
                text.append(i == 0 ? "" : "  ");
                text.append(right ? padding + line.get(i) : line.get(i) + padding);
            }
            out.append(out.isEmpty() ? "" : "\n").append(text.toString().stripTrailing());
        }
        return out.toString();
    }

    private static String cell(@org.jspecify.annotations.Nullable Object value) {
        return switch (value) {
            case null -> "";
            case Double number -> String.format(Locale.ROOT, "%.1f", number);
            case List<?> list -> String.join(", ", list.stream().map(String::valueOf).toList());
            default -> value.toString();
        };
    }

    /** A line for each value, those of trees in it further right. */
    static String tree(Map<String, ?> tree) {
        StringBuilder out = new StringBuilder();
        tree(tree, 0, out);
        return out.toString().stripTrailing();
    }

    private static void tree(Map<?, ?> tree, int depth, StringBuilder out) {
        int width =
                tree.entrySet().stream()
                        .filter(entry -> !isTree(entry.getValue()))
                        .mapToInt(entry -> entry.getKey().toString().length())
                        .max()
                        .orElse(0);
        tree.forEach((key, value) -> {
            out.append("  ".repeat(depth)).append(key);
            if (isTree(value)) {
                out.append('\n');
                branch(value, depth + 1, out);
            } else {
                out.append(" ".repeat(width - key.toString().length() + 2));
                out.append(leaf(value)).append('\n');
            }
        });
    }

    private static boolean isTree(Object value) {
        return value instanceof Map
                || value instanceof List<?> list && list.stream().anyMatch(Text::isTree);
    }

    private static void branch(Object value, int depth, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            tree(map, depth, out);
        } else if (value instanceof List<?> list) {
            Map<String, Object> numbered = new TreeMap<>();
            for (int i = 0; i < list.size(); i++) {
                numbered.put(String.format(Locale.ROOT, "%2d", i), list.get(i));
            }
            tree(numbered, depth, out);
        }
    }

    private static String leaf(Object value) {
        return value instanceof Double number
                ? String.format(Locale.ROOT, "%.6g", number)
                : cell(value);
    }

    /** Sixteen bytes a line: address, values, characters. */
    static List<String> dump(long address, byte[] bytes) {
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += BYTES_A_LINE) {
            StringBuilder values = new StringBuilder();
            StringBuilder characters = new StringBuilder();
            for (int i = at; i < Math.min(at + BYTES_A_LINE, bytes.length); i++) {
                values.append(i % 8 == 0 && i != at ? " " : "");
                values.append(String.format(" %02x", bytes[i]));
                characters.append(bytes[i] >= ' ' && bytes[i] < 0x7f ? (char) bytes[i] : '.');
            }
            lines.add(String.format("%016x %-49s  %s", address + at, values, characters));
        }
        return lines;
    }

    /** A size with the unit that suits it. */
    static String size(long bytes) {
        String units = "KMGT";
        long value = bytes;
        String unit = "";
        for (int i = 0; i < units.length() && value != 0 && value % 1024 == 0; i++) {
            value /= 1024;
            unit = units.substring(i, i + 1);
        }
        return value + unit;
    }

    /** All of a failure's message in one line. */
    static String oneLine(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank()
                ? failure.toString()
                : message.strip().replaceAll("\\s*\\n\\s*", "; ");
    }
}

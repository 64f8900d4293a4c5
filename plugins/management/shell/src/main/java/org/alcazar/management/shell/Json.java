package org.alcazar.management.shell;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Writes trees of JDK types as JSON (RFC 8259), two spaces a level. */
final class Json {
    private final StringBuilder out = new StringBuilder();

    private Json() {}

    /**
     * The text of a tree of Map, Iterable, text, truth values and numbers. What JSON has no form
     * for (not a number, infinite) becomes null, bytes a text of hexadecimal digits.
     */
    static String text(Object tree) {
        Json json = new Json();
        json.value(tree, 0);
        return json.out.toString();
    }

    private void value(@org.jspecify.annotations.Nullable Object value, int depth) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map ->
                    items(
                            '{',
                            '}',
                            map.entrySet().iterator(),
                            depth,
                            entry -> {
                                text(String.valueOf(entry.getKey()));
                                out.append(": ");
                                value(entry.getValue(), depth + 1);
                            });
            case List<?> list ->
                    items('[', ']', list.iterator(), depth, item -> value(item, depth + 1));
            case Double number when !Double.isFinite(number) -> out.append("null");
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            case byte[] bytes -> text(java.util.HexFormat.of().formatHex(bytes));
            default -> text(value.toString());
        }
    }

    private <T> void items(char open, char close, Iterator<T> items, int depth, Consumer<T> write) {
        out.append(open);
        boolean any = items.hasNext();
        while (items.hasNext()) {
            line(depth + 1);
            write.accept(items.next());
            out.append(items.hasNext() ? "," : "");
        }
        if (any) {
            line(depth);
        }
        out.append(close);
    }

    private void line(int depth) {
        out.append('\n').repeat("  ", depth);
    }

    private void text(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                default ->
                        out.append(
                                c < 0x20 || c == 0x7f
                                        ? String.format("\\u%04x", (int) c)
                                        : String.valueOf(c));
            }
        }
        out.append('"');
    }
}

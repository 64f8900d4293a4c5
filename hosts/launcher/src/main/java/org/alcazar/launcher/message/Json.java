package org.alcazar.launcher.message;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes a tree of JDK types as JSON (RFC 8259), two spaces a level. */
public final class Json {
    private final StringBuilder out = new StringBuilder();

    private Json() {}

    /**
     * The text of a tree of Map, List, String, Boolean and numbers, with a line feed at the end.
     * What JSON has no form for (not a number, infinite) becomes null; other objects become
     * strings.
     */
    public static String text(Map<String, ?> tree) {
        Json json = new Json();
        json.value(tree, 0);
        return json.out.append('\n').toString();
    }

    private void value(Object value, int depth) {
        switch (value) {
            case Map<?, ?> map -> map(map, depth);
            case List<?> list -> list(list, depth);
            case Boolean b -> out.append(b);
            case Long n -> out.append(n);
            case Integer n -> out.append(n);
            case Double n -> number(n);
            default -> string(value.toString());
        }
    }

    private void map(Map<?, ?> map, int depth) {
        out.append('{');
        for (Iterator<? extends Map.Entry<?, ?>> i = map.entrySet().iterator(); i.hasNext(); ) {
            Map.Entry<?, ?> entry = i.next();
            line(depth + 1);
            string(String.valueOf(entry.getKey()));
            out.append(": ");
            value(entry.getValue(), depth + 1);
            out.append(i.hasNext() ? "," : "");
        }
        if (!map.isEmpty()) {
            line(depth);
        }
        out.append('}');
    }

    private void list(List<?> list, int depth) {
        out.append('[');
        for (Iterator<?> i = list.iterator(); i.hasNext(); ) {
            line(depth + 1);
            value(i.next(), depth + 1);
            out.append(i.hasNext() ? "," : "");
        }
        if (!list.isEmpty()) {
            line(depth);
        }
        out.append(']');
    }

    private void number(double n) {
        if (Double.isFinite(n)) {
            out.append(n);
        } else {
            out.append("null");
        }
    }

    private void line(int depth) {
        out.append('\n').repeat("  ", depth);
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20 || c == 0x7f) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}

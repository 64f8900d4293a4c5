package org.alcazar.management.shell;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What a command has to show.
 *
 * @param tree of JDK types, for JSON: maps, lists, texts, numbers, truth values
 * @param text for people; empty: nothing
 */
record Shown(Object tree, Supplier<String> text) {
    /** The command has shown everything itself, as JSON too. */
    static final Shown NOTHING = new Shown(Map.of(), () -> "");

    /** Rows with the same keys: a table. */
    static Shown table(List<? extends Map<String, ?>> rows, String ifEmpty) {
        return new Shown(rows, () -> rows.isEmpty() ? ifEmpty : Text.table(rows));
    }

    /** Named values, some of them trees: lines with a name and a value. */
    static Shown tree(Map<String, ?> tree) {
        return new Shown(tree, () -> Text.tree(tree));
    }

    /** Lines as they are. */
    static Shown lines(List<String> lines, String ifEmpty) {
        return new Shown(lines, () -> lines.isEmpty() ? ifEmpty : String.join("\n", lines));
    }

    /** A line for people and what it says for programs. */
    static Shown of(Map<String, ?> tree, String line) {
        return new Shown(tree, () -> line);
    }
}

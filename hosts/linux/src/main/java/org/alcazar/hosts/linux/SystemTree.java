package org.alcazar.hosts.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Reads {@code /proc}, {@code /sys} and the like; what is not there is empty.
 *
 * @param root {@code /}, or a test's own tree
 */
record SystemTree(Path root) {
    /** A path beneath the root; a leading slash means nothing. */
    Path path(String name) {
        return root.resolve(name.replaceFirst("^/+", "")).normalize();
    }

    List<String> lines(String name) {
        try {
            return Files.readAllLines(path(name));
        } catch (IOException e) {
            return List.of();
        }
    }

    /** The first line without blanks around it; empty if there is none. */
    String text(String name) {
        List<String> lines = lines(name);
        return lines.isEmpty() ? "" : lines.getFirst().strip();
    }

    /** A file that holds one whole number, maybe with K, M or G behind it. */
    OptionalLong number(String name) {
        String text = text(name);
        int shift =
                10 * (1 + (text.isEmpty() ? -1 : "KMG".indexOf(text.charAt(text.length() - 1))));
        try {
            String digits = shift == 0 ? text : text.substring(0, text.length() - 1);
            return OptionalLong.of(Long.parseLong(digits) << shift);
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    /** Numbers of the entries of a folder that are called {@code prefix} and a number, sorted. */
    List<Integer> numbered(String folder, String prefix) {
        try (Stream<Path> entries = Files.list(path(folder))) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .filter(name -> name.matches(prefix + "\\d+"))
                    .map(name -> Integer.valueOf(name.substring(prefix.length())))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** A list such as {@code 0-3,8}. */
    static List<Integer> list(String text) {
        List<Integer> out = new ArrayList<>();
        for (String part : text.isBlank() ? new String[0] : text.strip().split(",")) {
            String[] ends = part.split("-");
            int last = Integer.parseInt(ends[ends.length - 1]);
            for (int i = Integer.parseInt(ends[0]); i <= last; i++) {
                out.add(i);
            }
        }
        return out;
    }
}

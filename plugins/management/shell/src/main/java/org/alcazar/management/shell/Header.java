package org.alcazar.management.shell;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What a client says of itself first.
 *
 * @param terminal whether a person types, else a script follows
 * @param term the terminal's type
 * @param columns of the terminal
 * @param rows of the terminal
 * @param json whether all results are wanted as JSON
 * @param folder the client's
 */
record Header(boolean terminal, String term, int columns, int rows, boolean json, Path folder) {
    private static final String VERSION = "1";
    private static final int MOST_CELLS = 10_000;

    /**
     * Reads lines {@code key=value}; unknown keys are for later versions.
     *
     * @throws IOException if it is no header, or one of another version
     */
    static Header of(byte[] content) throws IOException {
        Map<String, String> values = new HashMap<>();
        new String(content, StandardCharsets.UTF_8)
                .lines()
                .forEach(line -> {
                    int equals = line.indexOf('=');
                    if (equals > 0) {
                        values.put(line.substring(0, equals), line.substring(equals + 1));
                    }
                });
        if (!VERSION.equals(values.get("version"))) {
            throw new IOException(
                    "version " + values.get("version") + " of the protocol is not " + VERSION);
        }
        return new Header(
                "terminal".equals(values.get("mode")),
                values.getOrDefault("term", "dumb"),
                cells(values.getOrDefault("columns", ""), 80),
                cells(values.getOrDefault("rows", ""), 24),
                "true".equals(values.get("json")),
                Path.of(values.getOrDefault("folder", "")).toAbsolutePath());
    }

    static int cells(String text, int fallback) {
        try {
            int cells = Integer.parseInt(text);
            return cells > 0 && cells <= MOST_CELLS ? cells : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }
}

package org.alcazar.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Alcazar's process took beside the guest's memory, from the part {@code process-memory} of
 * the file that {@code --stats} writes.
 *
 * @param bytes figures by part (heap, metaspace, code-cache) and kind (used, committed, peak, …)
 */
record MemoryUse(Map<String, Map<String, Long>> bytes) {
    /** MiB of heap, metaspace and code cache together that will do. */
    private static final int WANTED = 400;

    private static final double MIB = 1 << 20;
    private static final Pattern PART =
            Pattern.compile("\"(heap|metaspace|code-cache)\": \\{([^}]*)}");
    private static final Pattern FIGURE = Pattern.compile("\"([\\w-]+)\": ([0-9]+)");

    /** Finds the figures in a file's text; empty maps if there are none. */
    static MemoryUse parse(String statistics) {
        Map<String, Map<String, Long>> parts = new LinkedHashMap<>();
        Matcher part = PART.matcher(statistics);
        while (part.find()) {
            Map<String, Long> figures = new LinkedHashMap<>();
            Matcher figure = FIGURE.matcher(part.group(2));
            while (figure.find()) {
                figures.put(figure.group(1), Long.parseLong(figure.group(2)));
            }
            parts.put(part.group(1), figures);
        }
        return new MemoryUse(parts);
    }

    /** All parts together, in MiB. */
    double total(String kind) {
        return bytes.values().stream().mapToLong(f -> f.getOrDefault(kind, 0L)).sum() / MIB;
    }

    /** A line for people. */
    String text() {
        StringBuilder out = new StringBuilder("MiB of Alcazar's process at its end (peak):");
        bytes.forEach((part, figures) ->
                out.append(
                        " %s %.0f (%.0f),"
                                .formatted(
                                        part,
                                        figures.getOrDefault("used", 0L) / MIB,
                                        figures.getOrDefault("peak", 0L) / MIB)));
        return out.append(
                        " together %.0f (%.0f), committed %.0f; at most %d are wanted"
                                .formatted(
                                        total("used"), total("peak"), total("committed"), WANTED))
                .toString();
    }
}

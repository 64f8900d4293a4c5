package org.alcazar.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Shows results as a table for people and as a tree for {@link Json}. */
final class Table {
    private final Results results;
    private final String ours;
    private final List<Program> programs;

    Table(Results results, String ours, List<Program> programs) {
        this.results = results;
        this.ours = ours;
        this.programs = programs;
    }

    private Map<BenchClass, List<Program>> classes() {
        return programs.stream()
                .collect(
                        Collectors.groupingBy(
                                Program::kind, LinkedHashMap::new, Collectors.toList()));
    }

    private List<String> guests() {
        return results.peers().stream()
                .filter(peer -> !peer.equals(ours) && !peer.equals(Results.NATIVE))
                .toList();
    }

    private double geometricMean(String peer, List<Program> of) {
        return Samples.of(
                        of.stream()
                                .map(program -> results.ratios(peer, ours, program).median())
                                .filter(Double::isFinite)
                                .toList())
                .geometricMean();
    }

    String text() {
        StringBuilder out = new StringBuilder("%-11s".formatted(""));
        results.peers().forEach(peer -> out.append("%12s".formatted(peer)));
        guests().forEach(peer ->
                out.append("%12s%15s%8s%8s".formatted("ratio", "spread", "cpu", "cold")));
        out.append("\n");
        classes().forEach((kind, members) -> group(out, kind, members));
        out.append("Median seconds of a repetition.");
        guests().forEach(peer ->
                out.append(
                        " A ratio is the time of %s over that of %s; cpu: of processor time; cold: of the first repetition."
                                .formatted(peer, ours)));
        return out.append("\n").toString();
    }

    private void group(StringBuilder out, BenchClass kind, List<Program> members) {
        out.append(kind.label());
        for (String peer : guests()) {
            double mean = geometricMean(peer, members);
            out.append(
                    ": geometric mean %.2f (at least %.1f, aim %.1f: %s)"
                            .formatted(mean, kind.floor(), kind.aim(), kind.verdict(mean)));
        }
        out.append("\n");
        members.forEach(program -> row(out, program));
    }

    private void row(StringBuilder out, Program program) {
        out.append("  %-9s".formatted(program.name()));
        results.peers()
                .forEach(peer -> out.append(seconds(results.seconds(peer, program).median())));
        for (String peer : guests()) {
            Samples ratios = results.ratios(peer, ours, program);
            out.append(ratio(ratios.median(), 12));
            out.append("%15s".formatted(spread(ratios)));
            out.append(ratio(results.cpuRatios(peer, ours, program).median(), 8));
            out.append(ratio(results.coldRatios(peer, ours, program).median(), 8));
        }
        out.append("\n");
    }

    private static String seconds(double value) {
        return Double.isFinite(value) ? "%12.3f".formatted(value) : "%12s".formatted("-");
    }

    private static String ratio(double value, int width) {
        return Double.isFinite(value)
                ? ("%" + width + ".2f").formatted(value)
                : ("%" + width + "s").formatted("-");
    }

    private static String spread(Samples ratios) {
        return ratios.values().size() < 2
                ? ""
                : "%.2f to %.2f".formatted(ratios.min(), ratios.max());
    }

    /** Everything measured, and what follows from it. */
    Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        Map<String, Object> classes = new LinkedHashMap<>();
        classes()
                .forEach((kind, members) -> {
                    Map<String, Object> entry = new LinkedHashMap<>();
                    entry.put("at-least", kind.floor());
                    entry.put("aim", kind.aim());
                    guests().forEach(peer -> entry.put(peer, geometricMean(peer, members)));
                    classes.put(kind.label(), entry);
                });
        tree.put("classes", classes);
        Map<String, Object> all = new LinkedHashMap<>();
        programs.forEach(program -> all.put(program.name(), tree(program)));
        tree.put("programs", all);
        return tree;
    }

    private Map<String, Object> tree(Program program) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("class", program.kind().label());
        for (String peer : guests()) {
            Samples ratios = results.ratios(peer, ours, program);
            entry.put("ratio-to-" + peer, ratios.median());
            entry.put("ratios-to-" + peer, ratios.values());
            entry.put("cpu-ratios-to-" + peer, results.cpuRatios(peer, ours, program).values());
            entry.put("cold-ratios-to-" + peer, results.coldRatios(peer, ours, program).values());
        }
        for (String peer : results.peers()) {
            List<Object> rounds = new ArrayList<>();
            results.rounds(peer)
                    .forEach(round ->
                            rounds.add(
                                    round.of(program).stream()
                                            .map(Markers.Repetition::seconds)
                                            .toList()));
            entry.put(peer + "-median", results.seconds(peer, program).median());
            entry.put(peer, rounds);
        }
        return entry;
    }
}

package org.alcazar.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Shows what swaps have done to a guest and to the JVM, beside the same guest without them. */
final class HotSwapReport {
    private static final double MEDIAN_MILLIS = 5;
    private static final double MEBI = 1 << 20;

    /** By how much memory may grow beyond what it does without swaps: this part, and so much. */
    private static final double GROWTH = 0.02;

    private static final double GROWTH_BYTES = MEBI;

    /** The least part of the interrupts without swaps that must still come with them. */
    private static final double INTERRUPTS = 0.9;

    private static final List<String> RATES =
            List.of(
                    "irq0",
                    "irq4",
                    "irq8",
                    "rtc-periods",
                    "rtc-updates",
                    "rtc-reads",
                    "rtc-sets",
                    "pit-reads");

    private final int swaps;
    private final Map<String, Samples> pauses = new LinkedHashMap<>();
    private final SoakRun with;
    private final SoakRun without;

    HotSwapReport(int swaps, Map<String, List<Double>> pauses, SoakRun with, SoakRun without) {
        this.swaps = swaps;
        this.with = with;
        this.without = without;
        List<Double> all = new ArrayList<>();
        pauses.forEach((bundle, millis) -> {
            this.pauses.put(bundle, new Samples(millis));
            all.addAll(millis);
        });
        this.pauses.put("all", new Samples(all));
    }

    String text() {
        StringBuilder out = new StringBuilder();
        line(out, "%-32s%8s%10s%10s%10s", "pause in ms", "swaps", "median", "p95", "max");
        pauses.forEach((bundle, millis) ->
                line(
                        out,
                        "%-32s%8d%10.2f%10.2f%10.2f",
                        bundle,
                        millis.values().size(),
                        millis.median(),
                        percentile95(millis),
                        millis.max()));
        line(out, "%n%-32s%16s%16s", "", "with swaps", "without");
        both(
                out,
                "seconds",
                with.counted("milliseconds") / 1e3,
                without.counted("milliseconds") / 1e3);
        both(out, "bytes out of the guest", with.bytesOut(), without.bytesOut());
        both(out, "bytes into the guest", with.bytesIn(), without.bytesIn());
        for (String rate : RATES) {
            both(out, rate + " a second", perSecond(with, rate), perSecond(without, rate));
        }
        both(out, "irq8 missing, percent", missing(with), missing(without));
        both(
                out,
                "complaints of the kernel",
                with.complaints().size(),
                without.complaints().size());
        line(
                out,
                "%n%-12s%8s%12s%14s%10s%10s",
                "memory",
                "swaps",
                "heap MiB",
                "metaspace MiB",
                "classes",
                "loaders");
        memory(out, "with", with);
        memory(out, "without", without);
        return out.toString();
    }

    private static void line(StringBuilder out, String form, Object... values) {
        out.append(form.formatted(values)).append('\n');
    }

    private static void both(StringBuilder out, String what, double with, double without) {
        line(out, "%-32s%16.1f%16.1f", what, with, without);
    }

    private static void memory(StringBuilder out, String what, SoakRun run) {
        for (SoakRun.Look look : run.looks()) {
            Footprint memory = look.memory();
            line(
                    out,
                    "%-12s%8d%12.2f%14.2f%10d%10d",
                    what,
                    look.swaps(),
                    memory.heap() / MEBI,
                    memory.metaspace() / MEBI,
                    memory.classes(),
                    memory.loaders());
        }
    }

    private static double percentile95(Samples samples) {
        List<Double> sorted = samples.values().stream().sorted().toList();
        return sorted.isEmpty()
                ? Double.NaN
                : sorted.get((int) Math.ceil(0.95 * sorted.size()) - 1);
    }

    private static double perSecond(SoakRun run, String what) {
        return run.counted(what) / run.counted("milliseconds") * 1e3;
    }

    /** Periodic interrupts of the clock that merged with the next, in percent. */
    private static double missing(SoakRun run) {
        return 100 * (1 - run.counted("irq8") / run.counted("irq8-due"));
    }

    /** Faults, a line each. */
    List<String> wrong() {
        List<String> wrong = new ArrayList<>();
        with.wrong().forEach(one -> wrong.add("with swaps: " + one));
        without.wrong().forEach(one -> wrong.add("without swaps: " + one));
        List<String> complaints = new ArrayList<>(with.complaints());
        complaints.removeAll(without.complaints());
        complaints.forEach(one -> wrong.add("with swaps the kernel complains: " + one));
        pauses.forEach((bundle, millis) -> {
            if (!bundle.equals("all") && millis.values().size() != swaps) {
                wrong.add("%s: %d swaps of %d".formatted(bundle, millis.values().size(), swaps));
            }
        });
        grown(wrong);
        return wrong;
    }

    /** Where it is slower than it should be, a line each. */
    List<String> slow() {
        List<String> slow = new ArrayList<>();
        pauses.forEach((bundle, millis) -> {
            if (!(millis.median() < MEDIAN_MILLIS)) {
                slow.add(
                        "%s: the guest stood still for %.2f ms at the median; under %.0f is wanted"
                                .formatted(bundle, millis.median(), MEDIAN_MILLIS));
            }
        });
        for (String rate : List.of("irq0", "irq8")) {
            if (!(perSecond(with, rate) > INTERRUPTS * perSecond(without, rate))) {
                slow.add(
                        "%s came %.0f times a second with swaps, %.0f times without"
                                .formatted(rate, perSecond(with, rate), perSecond(without, rate)));
            }
        }
        return slow;
    }

    private void grown(List<String> wrong) {
        if (with.looks().isEmpty() || without.looks().isEmpty()) {
            return;
        }
        Footprint first = with.looks().getFirst().memory();
        Footprint last = with.looks().getLast().memory();
        Footprint alone = without.looks().getFirst().memory();
        Footprint end = without.looks().getLast().memory();
        if (last.loaders() != first.loaders()) {
            wrong.add(
                    "class loaders of bundles: %d, then %d"
                            .formatted(first.loaders(), last.loaders()));
        }
        grown(wrong, "heap", last.heap() - first.heap(), end.heap() - alone.heap(), first.heap());
        grown(
                wrong,
                "metaspace",
                last.metaspace() - first.metaspace(),
                end.metaspace() - alone.metaspace(),
                first.metaspace());
    }

    private static void grown(
            List<String> wrong, String what, double by, double anyway, double of) {
        if (by - Math.max(0, anyway) > GROWTH * of + GROWTH_BYTES) {
            wrong.add(
                    "%s grew by %.2f MiB with swaps, by %.2f without"
                            .formatted(what, by / MEBI, anyway / MEBI));
        }
    }

    Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("swaps", swaps);
        Map<String, Object> millis = new LinkedHashMap<>();
        pauses.forEach((bundle, samples) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("median", samples.median());
            entry.put("p95", percentile95(samples));
            entry.put("max", samples.max());
            if (!bundle.equals("all")) {
                entry.put("each", samples.values());
            }
            millis.put(bundle, entry);
        });
        tree.put("pause-ms", millis);
        tree.put("with-swaps", with.tree());
        tree.put("without-swaps", without.tree());
        tree.put("wrong", wrong());
        tree.put("slow", slow());
        return tree;
    }
}

package org.alcazar.bench;

import org.alcazar.bench.Options.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What each paging mode costs a guest: fixed amounts of work of three kinds in {@code
 * linux-memory}, under each mode in turn, round after round. Time is that between the two lines
 * around the work; exits, walks and misses are the run's less those of a run that does next to no
 * work. One core on the clock of instructions.
 */
final class PagingBench {
    private static final String REFERENCE = "nested";
    private static final List<String> MODES =
            List.of(
                    REFERENCE,
                    "direct",
                    "shadow,strategy=vtlb",
                    "shadow,strategy=cache",
                    "shadow,strategy=sync");
    private static final List<String> LOADS = List.of("pagetables", "tlb", "compute");
    private static final long SILENCE_SECONDS = 900;
    private static final double MILLION = 1e6;
    private static final double KIB = 1024;

    private static final Option ONLY = Option.text("--modes", "MODE;MODE");
    private static final Option WHICH = Option.text("--loads", "pagetables,tlb,compute");
    static final List<Option> OPTIONS = List.of(Options.ROUNDS, ONLY, WHICH, Options.JSON);

    private static final Pattern EXITS = Pattern.compile("\"exits\"\\s*:\\s*\\{([^}]*)}");
    private static final Pattern COUNT = Pattern.compile("\"([a-z-]+)\"\\s*:\\s*(\\d+)");

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Path stats;
    private final List<String> modes;
    private final List<String> loads;
    private final int rounds;

    /** Seconds of the work, by load and mode. */
    private final Map<String, Map<String, List<Double>>> seconds = new LinkedHashMap<>();

    /** What was counted in runs, by load and mode. */
    private final Map<String, Map<String, Counts>> counts = new LinkedHashMap<>();

    /** What was counted in runs that do next to nothing, by mode. */
    private final Map<String, Counts> idle = new LinkedHashMap<>();

    /** Figures of one run's statistics. */
    private record Counts(long exits, long paging, long walks, long misses, long tableBytes) {
        static Counts of(String statistics) throws IOException {
            Matcher exits = EXITS.matcher(statistics);
            if (!exits.find()) {
                throw new IOException("the statistics have no exits");
            }
            Map<String, Long> byReason = counts(exits.group(1));
            long all = byReason.values().stream().mapToLong(Long::longValue).sum();
            long paging =
                    byReason.getOrDefault("translation", 0L)
                            + byReason.getOrDefault("fault", 0L)
                            + byReason.getOrDefault("instruction", 0L);
            Map<String, Long> others = counts(statistics);
            return new Counts(
                    all,
                    paging,
                    others.getOrDefault("page-walks", 0L),
                    others.getOrDefault("tlb-misses", 0L),
                    others.getOrDefault("table-bytes", 0L));
        }

        private static Map<String, Long> counts(String text) {
            Map<String, Long> out = new LinkedHashMap<>();
            Matcher matcher = COUNT.matcher(text);
            while (matcher.find()) {
                out.merge(matcher.group(1), Long.parseLong(matcher.group(2)), Long::sum);
            }
            return out;
        }

        Counts less(Counts other) {
            return new Counts(
                    exits - other.exits,
                    paging - other.paging,
                    walks - other.walks,
                    misses - other.misses,
                    tableBytes);
        }
    }

    private PagingBench(Path stats, Options options) throws Options.Wrong {
        this.stats = stats;
        rounds = options.number(Options.ROUNDS, 5);
        modes = options.text(ONLY).map(text -> List.of(text.split(";"))).orElse(MODES);
        loads = options.text(WHICH).map(text -> List.of(text.split(","))).orElse(LOADS);
        if (!LOADS.containsAll(loads)) {
            throw new Options.Wrong(
                    "bench paging: --loads takes some of " + String.join(", ", LOADS));
        }
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("paging", OPTIONS, arguments);
        Path stats = Files.createTempFile("alcazar-bench", ".json");
        try {
            return new PagingBench(stats, options).measure(options.text(Options.JSON));
        } finally {
            Files.deleteIfExists(stats);
        }
    }

    private int measure(Optional<String> json) throws IOException, InterruptedException {
        LinuxGuest.find(
                root,
                "linux-memory",
                List.of("guests/linux", "guests/linux/scripts", "guests/memory"));
        for (String mode : modes) {
            runGuest(mode, "compute", true);
            idle.put(mode, Counts.of(Files.readString(stats)));
        }
        for (int round = 0; round < rounds; round++) {
            System.err.println("round " + (round + 1) + " of " + rounds);
            List<String> order = new ArrayList<>(modes);
            Collections.rotate(order, round);
            for (String load : loads) {
                for (String mode : order) {
                    double took = runGuest(mode, load, false);
                    System.err.printf("  %-10s %-22s %.3f s%n", load, mode, took);
                    seconds.computeIfAbsent(load, key -> new LinkedHashMap<>())
                            .computeIfAbsent(mode, key -> new ArrayList<>())
                            .add(took);
                    Counts all = Counts.of(Files.readString(stats));
                    counts.computeIfAbsent(load, key -> new LinkedHashMap<>())
                            .put(mode, idle.containsKey(mode) ? all.less(idle.get(mode)) : all);
                }
            }
        }
        loads.forEach(this::report);
        if (json.isPresent()) {
            Files.writeString(Path.of(json.get()), Json.text(seconds));
        }
        return 0;
    }

    /** Seconds between the lines around the work. */
    private double runGuest(String mode, String load, boolean nothing)
            throws IOException, InterruptedException {
        String words =
                "console=ttyS0 nokaslr alcazar.run=memory memory.bench="
                        + load
                        + (nothing ? " memory.work=1" : "");
        List<String> command =
                List.of(
                        root.resolve("alcazar").toString(),
                        "run",
                        "linux-memory",
                        "--append",
                        words,
                        "--cpus",
                        "1",
                        "--paging",
                        mode,
                        "--clock",
                        "instructions",
                        "--seed",
                        "1",
                        "--stats",
                        stats.toString());
        double[] times = {Double.NaN, Double.NaN};
        TimedProcess.End end =
                new TimedProcess(SILENCE_SECONDS)
                        .run(
                                command,
                                (line, time, cpu) -> {
                                    if (line.contains("memory: bench " + load + " work")) {
                                        times[0] = time;
                                    } else if (line.contains("memory: bench " + load + " done")) {
                                        times[1] = time;
                                    }
                                });
        double took = times[1] - times[0];
        if (end.status() != 0 || Double.isNaN(took)) {
            throw new IOException(
                    "%s under paging %s ended with status %d:%n%s"
                            .formatted(load, mode, end.status(), end.last()));
        }
        return took;
    }

    private void report(String load) {
        Map<String, List<Double>> found = seconds.getOrDefault(load, Map.of());
        List<Double> reference = found.getOrDefault(modes.getFirst(), List.of());
        System.out.printf("%s: %d rounds%n", load, rounds);
        System.out.printf(
                "  %-22s%9s%9s  %-16s%10s%10s%10s%10s%9s%n",
                "",
                "seconds",
                "to " + shortly(modes.getFirst()),
                "least to most",
                "exits",
                "paging",
                "M walks",
                "M misses",
                "KiB");
        for (String mode : modes) {
            List<Double> own = found.getOrDefault(mode, List.of());
            Samples ratios =
                    new Samples(
                            IntStream.range(0, own.size())
                                    .mapToObj(i -> own.get(i) / reference.get(i))
                                    .toList());
            Counts what = counts.getOrDefault(load, Map.of()).get(mode);
            if (what == null) {
                continue;
            }
            System.out.printf(
                    "  %-22s%9.3f%9.3f  %-16s%10d%10d%10.3f%10.3f%9.0f%n",
                    shortly(mode),
                    new Samples(own).median(),
                    ratios.median(),
                    "%.3f to %.3f".formatted(ratios.min(), ratios.max()),
                    what.exits,
                    what.paging,
                    what.walks / MILLION,
                    what.misses / MILLION,
                    what.tableBytes / KIB);
        }
    }

    private static String shortly(String mode) {
        return Arrays.stream(mode.split(","))
                .map(word -> word.substring(word.indexOf('=') + 1))
                .reduce((a, b) -> a + " " + b)
                .orElse(mode);
    }
}

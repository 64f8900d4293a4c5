package org.alcazar.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * How much several vcores get done, as ratios within one run: the micro guest {@code smpload} with
 * four vcores does each load with one, two and four of them in turn, while the others sleep, round
 * after round. A ratio is the median of those of the rounds.
 */
final class SmpBench {
    private static final int CORES = 4;

    /** Rounds in which the just-in-time compiler still works. */
    private static final int WARM_UP = 3;

    private static final int LOADS = 9;

    /** Seconds beyond those of the loads before the guest is taken to hang. */
    private static final long SPARE = 60;

    /** One figure to look at, and what it has to be at least, 0 if nothing is asked. */
    private record Ratio(String what, String load, int cores, int than, double least) {}

    private static final List<Ratio> RATIOS =
            List.of(
                    new Ratio("2 vcores that compute, to 1", "compute", 2, 1, 1.8),
                    new Ratio("4 vcores that compute, to 2", "compute", 4, 2, 0.85),
                    new Ratio("4 vcores with spin locks, to 2", "spinlock", 4, 2, 0.5),
                    new Ratio("2 vcores with spin locks, to 1", "spinlock", 2, 1, 0),
                    new Ratio("4 vcores with ticket locks, to 2", "ticket", 4, 2, 0));

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));

    /** What a load got done in each round, by load and number of vcores. */
    private final Map<String, List<Double>> done = new LinkedHashMap<>();

    private int rounds = 9;
    private int millis = 300;
    private Optional<Path> json = Optional.empty();

    static int run(List<String> arguments) throws IOException, InterruptedException {
        SmpBench bench = new SmpBench();
        for (int i = 0; i < arguments.size(); i += 2) {
            String value = i + 1 < arguments.size() ? arguments.get(i + 1) : "";
            if (!bench.option(arguments.get(i), value)) {
                System.err.println(
                        "alcazar: bench smp takes --rounds N (1 to 999), --ms N (10 to 9999) and --json FILE, not '%s %s'"
                                .formatted(arguments.get(i), value));
                return 2;
            }
        }
        return bench.measure();
    }

    private boolean option(String name, String value) {
        switch (name) {
            case "--rounds" -> {
                if (!value.matches("[1-9][0-9]{0,2}")) {
                    return false;
                }
                rounds = Integer.parseInt(value);
            }
            case "--ms" -> {
                if (!value.matches("[1-9][0-9]{1,3}")) {
                    return false;
                }
                millis = Integer.parseInt(value);
            }
            case "--json" -> {
                json = Optional.of(Path.of(value));
                return !value.isEmpty();
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private int measure() throws IOException, InterruptedException {
        Path guest = root.resolve("guests/micro/build/smpload.elf");
        if (!Files.exists(guest)) {
            System.err.println("alcazar: the guest is not built; run ./alcazar guest build micro");
            return 2;
        }
        int cpus = Runtime.getRuntime().availableProcessors();
        if (cpus != 2) {
            System.err.println("alcazar: figures are meant for 2 processors; here are " + cpus);
        }
        runGuest(guest);
        report();
        if (json.isPresent()) {
            writeJson(json.get());
        }
        return 0;
    }

    private void runGuest(Path guest) throws IOException, InterruptedException {
        int all = rounds + WARM_UP;
        Process process =
                new ProcessBuilder(
                                root.resolve("alcazar").toString(),
                                "run",
                                "--kernel",
                                guest.toString(),
                                "--cpus",
                                String.valueOf(CORES),
                                "--memory",
                                "64M",
                                "--append",
                                "cpus=%d ms=%d rounds=%d".formatted(CORES, millis, all))
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        // A guest that hangs must not hold the bench: its end closes the stream below.
        CompletableFuture.runAsync(
                process::destroyForcibly,
                CompletableFuture.delayedExecutor(
                        SPARE + (long) all * LOADS * millis / 500, TimeUnit.SECONDS));
        boolean ended = false;
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.ISO_8859_1))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                ended |= line.equals("ok smpload");
                take(line);
            }
        } finally {
            process.destroyForcibly();
        }
        if (!ended) {
            throw new IOException("the guest did not come to its end; status " + process.waitFor());
        }
    }

    /** A line such as {@code compute 2 12345}. */
    private void take(String line) {
        String[] words = line.split(" ", -1);
        if (words.length == 3 && words[2].matches("[0-9]+")) {
            System.err.println("  " + line);
            done.computeIfAbsent(words[0] + " " + words[1], key -> new ArrayList<>())
                    .add(Double.parseDouble(words[2]));
        }
    }

    private List<Double> rounds(String load, int cores) {
        List<Double> found = done.getOrDefault(load + " " + cores, List.of());
        return found.subList(Math.min(WARM_UP, found.size()), found.size());
    }

    private List<Double> ratios(Ratio ratio) {
        List<Double> many = rounds(ratio.load, ratio.cores);
        List<Double> few = rounds(ratio.load, ratio.than);
        return IntStream.range(0, Math.min(many.size(), few.size()))
                .mapToObj(i -> many.get(i) / few.get(i))
                .toList();
    }

    private void report() {
        for (Ratio ratio : RATIOS) {
            List<Double> all = ratios(ratio);
            double median = median(all);
            System.out.printf(
                    "%-34s %.2f  (%.2f to %.2f, %d rounds)%s%n",
                    ratio.what,
                    median,
                    all.stream().mapToDouble(v -> v).min().orElse(0),
                    all.stream().mapToDouble(v -> v).max().orElse(0),
                    all.size(),
                    ratio.least == 0
                            ? ""
                            : " wanted %.2f%s"
                                    .formatted(ratio.least, median < ratio.least ? ": short" : ""));
        }
    }

    private void writeJson(Path file) throws IOException {
        StringBuilder out = new StringBuilder("{");
        for (Ratio ratio : RATIOS) {
            out.append(out.length() > 1 ? "," : "")
                    .append("\n  \"")
                    .append(ratio.what)
                    .append("\": ")
                    .append(ratios(ratio));
        }
        Files.writeString(file, out.append("\n}\n"));
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int n = sorted.size();
        return n == 0 ? 0 : (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }
}

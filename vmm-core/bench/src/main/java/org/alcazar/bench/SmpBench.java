package org.alcazar.bench;

import org.alcazar.bench.Options.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static final long SILENCE_SECONDS = 60;

    private static final Option MILLIS = Option.number("--ms");
    static final List<Option> OPTIONS = List.of(Options.ROUNDS, MILLIS, Options.JSON);

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

    private final int rounds;
    private final int millis;

    private SmpBench(Options options) {
        rounds = options.number(Options.ROUNDS, 9);
        millis = options.number(MILLIS, 300);
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("smp", OPTIONS, arguments);
        return new SmpBench(options).measure(options.text(Options.JSON));
    }

    private int measure(Optional<String> json) throws IOException, InterruptedException {
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
            writeJson(Path.of(json.get()));
        }
        return 0;
    }

    private void runGuest(Path guest) throws IOException, InterruptedException {
        List<String> command =
                List.of(
                        root.resolve("alcazar").toString(),
                        "run",
                        "--kernel",
                        guest.toString(),
                        "--cpus",
                        String.valueOf(CORES),
                        "--memory",
                        "64M",
                        "--append",
                        "cpus=%d ms=%d rounds=%d".formatted(CORES, millis, rounds + WARM_UP));
        boolean[] ended = {false};
        TimedProcess.End end =
                new TimedProcess(SILENCE_SECONDS + millis / 100)
                        .run(
                                command,
                                (line, seconds, cpu) -> {
                                    ended[0] |= line.equals("ok smpload");
                                    take(line);
                                });
        if (!ended[0]) {
            throw new IOException("the guest did not come to its end:\n" + end.last());
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

    private Samples ratios(Ratio ratio) {
        List<Double> many = rounds(ratio.load, ratio.cores);
        List<Double> few = rounds(ratio.load, ratio.than);
        return new Samples(
                IntStream.range(0, Math.min(many.size(), few.size()))
                        .mapToObj(i -> many.get(i) / few.get(i))
                        .toList());
    }

    private void report() {
        for (Ratio ratio : RATIOS) {
            Samples all = ratios(ratio);
            System.out.printf(
                    "%-34s %.2f  (%.2f to %.2f, %d rounds)%s%n",
                    ratio.what,
                    all.median(),
                    all.min(),
                    all.max(),
                    all.values().size(),
                    ratio.least == 0
                            ? ""
                            : " wanted %.2f%s"
                                    .formatted(
                                            ratio.least,
                                            all.median() < ratio.least ? ": short" : ""));
        }
    }

    private void writeJson(Path file) throws IOException {
        Map<String, Object> tree = new LinkedHashMap<>();
        RATIOS.forEach(ratio -> tree.put(ratio.what, ratios(ratio).values()));
        Files.writeString(file, Json.text(tree));
    }
}

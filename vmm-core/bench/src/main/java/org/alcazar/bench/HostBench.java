package org.alcazar.bench;

import org.alcazar.bench.Options.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a host costs its guests: the same guests on each host and on {@code jvm}, round after round
 * in changing order, on the clock of instructions, so that all of them do the same. Linux boots,
 * which shows the speed of a guest; the micro guest {@code timer} does little but exits, which
 * shows what the host adds to each. Exits that differ between hosts are a fault.
 */
final class HostBench {
    private static final String REFERENCE = "jvm";
    private static final String PREFIX = "org.alcazar.hosts.";
    private static final long SILENCE_SECONDS = 900;
    private static final double MICROS = 1e6;

    private static final Option ONLY = Option.text("--only", "HOST,HOST");
    private static final Option LOADS = Option.text("--loads", "linux,exits");
    static final List<Option> OPTIONS = List.of(Options.ROUNDS, ONLY, LOADS, Options.JSON);

    private static final Pattern RUN =
            Pattern.compile("\"time\"\\s*:\\s*\\{[^}]*?\"run\"\\s*:\\s*([^,}\\s]+)");
    private static final Pattern EXITS = Pattern.compile("\"exits\"\\s*:\\s*(\\{[^}]*})");
    private static final Pattern COUNT = Pattern.compile(":\\s*(\\d+)");

    /** What the guest does. */
    private enum Load {
        LINUX("linux"),
        EXITS("exits");

        private final String word;

        Load(String word) {
            this.word = word;
        }
    }

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Path stats;
    private final List<String> hosts;
    private final List<Load> loads;
    private final int rounds;

    /** Seconds that the guest ran, by load and host, a value for each round. */
    private final Map<Load, Map<String, List<Double>>> seconds = new LinkedHashMap<>();

    /** Exits by reason, as the statistics have them. */
    private final Map<Load, String> exits = new LinkedHashMap<>();

    private HostBench(Path stats, Options options) throws IOException, Options.Wrong {
        this.stats = stats;
        rounds = options.number(Options.ROUNDS, 20);
        hosts = hosts(options.text(ONLY));
        Optional<String> chosen = options.text(LOADS);
        loads =
                Stream.of(Load.values())
                        .filter(load ->
                                chosen.isEmpty()
                                        || List.of(chosen.get().split(",")).contains(load.word))
                        .toList();
        if (loads.isEmpty()) {
            throw new Options.Wrong("bench hosts: --loads takes linux, exits or both");
        }
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("hosts", OPTIONS, arguments);
        Path stats = Files.createTempFile("alcazar-bench", ".json");
        try {
            return new HostBench(stats, options).measure(options.text(Options.JSON));
        } finally {
            Files.deleteIfExists(stats);
        }
    }

    /** The reference first. */
    private List<String> hosts(Optional<String> chosen) throws IOException, Options.Wrong {
        List<String> all;
        try (Stream<Path> files =
                Files.list(root.resolve("hosts/launcher/target/alcazar/bundles"))) {
            all =
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> name.startsWith(PREFIX))
                            .map(name ->
                                    name.substring(
                                            PREFIX.length(), name.length() - ".jar".length()))
                            .filter(name -> !name.equals(REFERENCE))
                            .sorted()
                            .toList();
        }
        List<String> wanted = chosen.map(text -> List.of(text.split(","))).orElse(all);
        for (String host : wanted) {
            if (!all.contains(host)) {
                throw new Options.Wrong(
                        "bench hosts: no host '%s' beside %s; there are %s"
                                .formatted(host, REFERENCE, String.join(", ", all)));
            }
        }
        return Stream.concat(Stream.of(REFERENCE), wanted.stream()).toList();
    }

    private int measure(Optional<String> json) throws IOException, InterruptedException {
        if (loads.contains(Load.LINUX)) {
            LinuxGuest.find(root, "linux", List.of("guests/linux", "guests/linux/scripts"));
        }
        if (loads.contains(Load.EXITS) && !Files.exists(timer())) {
            System.err.println("alcazar: the guest is not built; run ./alcazar guest build micro");
            return 2;
        }
        for (int round = 0; round < rounds; round++) {
            System.err.println("round " + (round + 1) + " of " + rounds);
            List<String> order = new ArrayList<>(hosts);
            Collections.rotate(order, round);
            for (Load load : loads) {
                for (String host : order) {
                    runGuest(load, host);
                }
            }
        }
        loads.forEach(this::report);
        if (json.isPresent()) {
            Map<String, Object> tree = new LinkedHashMap<>();
            loads.forEach(load -> tree.put(load.word, seconds.get(load)));
            Files.writeString(Path.of(json.get()), Json.text(tree));
        }
        return 0;
    }

    private Path timer() {
        return root.resolve("guests/micro/build/timer.elf");
    }

    private void runGuest(Load load, String host) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(root.resolve("alcazar").toString(), "run"));
        command.addAll(
                load == Load.LINUX
                        ? List.of("linux", "--append", "console=ttyS0 alcazar.run=hello")
                        : List.of("--kernel", timer().toString(), "--memory", "64M"));
        command.addAll(
                List.of(
                        "--host",
                        host,
                        "--clock",
                        "instructions",
                        "--seed",
                        "1",
                        "--console",
                        "none"));
        command.addAll(List.of("--stats", stats.toString()));
        TimedProcess.End end =
                new TimedProcess(SILENCE_SECONDS).run(command, (line, time, cpu) -> {});
        int expected = load == Load.LINUX ? 0 : 33; // what the micro guests call success
        if (end.status() != expected) {
            throw new IOException(
                    "%s on host %s ended with status %d:%n%s"
                            .formatted(load.word, host, end.status(), end.last()));
        }
        String text = Files.readString(stats);
        String found = match(EXITS, text);
        String known = exits.computeIfAbsent(load, key -> found);
        if (!found.equals(known)) {
            throw new IOException(
                    "%s on host %s has other exits than on %s: %s instead of %s"
                            .formatted(load.word, host, hosts.getFirst(), found, known));
        }
        double run = Double.parseDouble(match(RUN, text));
        System.err.printf("  %-6s %-8s %.3f s%n", load.word, host, run);
        seconds.computeIfAbsent(load, key -> new LinkedHashMap<>())
                .computeIfAbsent(host, key -> new ArrayList<>())
                .add(run);
    }

    private static String match(Pattern pattern, String text) throws IOException {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IOException("the statistics have no " + pattern);
        }
        return matcher.group(1);
    }

    private void report(Load load) {
        Map<String, List<Double>> found = seconds.getOrDefault(load, Map.of());
        List<Double> reference = found.getOrDefault(REFERENCE, List.of());
        double count =
                COUNT.matcher(exits.getOrDefault(load, ""))
                        .results()
                        .mapToDouble(one -> Double.parseDouble(one.group(1)))
                        .sum();
        System.out.printf(
                "%s: %d rounds, %.0f exits, the same on all hosts%n", load.word, rounds, count);
        System.out.printf(
                "  %-8s%10s%9s  %-18s%14s%n",
                "", "seconds", "to jvm", "95 % of the median", "us per exit");
        for (String host : hosts) {
            List<Double> own = found.getOrDefault(host, List.of());
            Samples ratios = pairs(own, reference, (one, other) -> one / other);
            // What it takes longer than the reference, a share for each exit.
            Samples more = pairs(own, reference, (one, other) -> (one - other) * MICROS / count);
            System.out.printf(
                    "  %-8s%10.3f%9.3f  %-18s%14.3f%n",
                    host,
                    new Samples(own).median(),
                    ratios.median(),
                    "%.3f to %.3f".formatted(ratios.low(), ratios.high()),
                    more.median());
        }
    }

    /** What two hosts have of each round. */
    private static Samples pairs(
            List<Double> own, List<Double> reference, DoubleBinaryOperator compared) {
        return new Samples(
                IntStream.range(0, Math.min(own.size(), reference.size()))
                        .mapToObj(i -> compared.applyAsDouble(own.get(i), reference.get(i)))
                        .toList());
    }
}

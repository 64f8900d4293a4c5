package org.alcazar.bench;

import org.alcazar.bench.Markers.Repetition;
import org.alcazar.bench.Options.Option;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Runs the programs of {@code guests/bench} in the same Linux guest under Alcazar and under its
 * peers in turn, round after round: one boot per peer and round does them all.
 */
final class GuestBench {
    private static final Option ONLY = Option.text("--only", "NAME[,NAME]…");
    private static final Option REPETITIONS = Option.number("--repetitions");
    private static final Option WARM_UP = Option.number("--warm-up");
    private static final Option SECONDS = Option.number("--seconds");
    private static final Option QUICK = Option.flag("--quick");
    private static final Option ENGINE = Option.text("--engine", "NAME");
    private static final Option HOST = Option.text("--host", "NAME[,KEY=VALUE…]");
    static final List<Option> OPTIONS =
            List.of(
                    Options.AGAINST,
                    ONLY,
                    Options.ROUNDS,
                    REPETITIONS,
                    WARM_UP,
                    SECONDS,
                    QUICK,
                    ENGINE,
                    HOST,
                    Options.JSON);

    private static final long SILENCE_SECONDS = 300;
    private static final OperatingSystemMXBean LOAD = ManagementFactory.getOperatingSystemMXBean();
    private static final String GUEST = "linux-bench";
    private static final String PROGRAMS = "guests/bench";

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Options options;
    private final List<Program> programs;
    private final int rounds;
    private final int warmUp;
    private final int repetitions;
    private final int seconds;
    private final Path stats;
    private final List<Peer> peers = new ArrayList<>();
    private final List<String> troubles = new ArrayList<>();
    private final List<Double> loads = new ArrayList<>();
    private final Map<String, String> versions = new LinkedHashMap<>();
    private Optional<MemoryUse> memory = Optional.empty();

    private GuestBench(Options options, Path stats) throws Options.Wrong {
        boolean quick = options.has(QUICK);
        this.options = options;
        this.stats = stats;
        programs = programs(options.text(ONLY));
        rounds = options.number(Options.ROUNDS, quick ? 1 : 3);
        warmUp = options.number(WARM_UP, quick ? 2 : 4);
        seconds = options.number(SECONDS, quick ? 30 : 60);
        repetitions = warmUp + options.number(REPETITIONS, quick ? 3 : 5);
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("guests", OPTIONS, arguments);
        Path stats = Files.createTempFile("alcazar-bench", ".json");
        try {
            return new GuestBench(options, stats).measure();
        } finally {
            Files.deleteIfExists(stats);
        }
    }

    private static List<Program> programs(Optional<String> only) throws Options.Wrong {
        if (only.isEmpty()) {
            return Program.ALL;
        }
        List<Program> chosen = new ArrayList<>();
        for (String name : only.get().split(",", -1)) {
            chosen.add(
                    Program.named(name)
                            .orElseThrow(() ->
                                    new Options.Wrong(
                                            "no program '%s'; there are %s"
                                                    .formatted(name, names(Program.ALL, ", ")))));
        }
        return chosen;
    }

    private static String names(List<Program> programs, String separator) {
        return programs.stream().map(Program::name).collect(Collectors.joining(separator));
    }

    /** Those that are programs indeed. */
    private List<Program> ran() {
        return programs.stream().filter(program -> !program.equals(Program.BOOT)).toList();
    }

    private int measure() throws IOException, InterruptedException {
        if (options.text(Options.JSON).isPresent()) {
            writeJson("{}\n"); // whether it can be written is better known now
        }
        LinuxGuest guest =
                LinuxGuest.find(
                        root, GUEST, List.of(PROGRAMS, "guests/linux", "guests/linux/scripts"));
        List<String> ours = new ArrayList<>(List.of("--stats", stats.toString()));
        options.text(ENGINE).ifPresent(engine -> ours.addAll(List.of("--engine", engine)));
        options.text(HOST).ifPresent(host -> ours.addAll(List.of("--host", host)));
        peers.add(new Peer.Alcazar(root, ours));
        if (options.has(Options.AGAINST)) {
            peers.add(new Peer.Qemu());
        }
        peers.removeIf(Peer::isLeftOut);
        for (Peer peer : peers) {
            versions.put(peer.name(), version(peer));
        }
        Results results = new Results(warmUp, checksums());
        if (canRunHere() && !ran().isEmpty()) {
            System.err.println("on the machine itself");
            List<String> command = nativeCommand(guest);
            results.add(Results.NATIVE, markers(Results.NATIVE, command));
        }
        String append = append();
        for (int round = 1; round <= rounds; round++) {
            for (Peer peer : peers) {
                System.err.printf("round %d of %d: %s%n", round, rounds, peer.name());
                results.add(peer.name(), markers(peer.name(), peer.command(guest, append)));
                readStatistics();
                loads.add(LOAD.getSystemLoadAverage());
            }
        }
        return report(results);
    }

    private String append() {
        // Where the boot is not measured it may be short: no self-tests, no second relocation.
        String boot = programs.contains(Program.BOOT) ? "" : " quiet nokaslr cryptomgr.notests";
        return "console=ttyS0%s alcazar.run=bench bench.of=%s bench.repetitions=%d bench.seconds=%d"
                .formatted(boot, names(ran(), ","), repetitions, seconds);
    }

    private static String version(Peer peer) throws IOException, InterruptedException {
        List<String> said = new ArrayList<>();
        new TimedProcess(SILENCE_SECONDS)
                .run(List.of(peer.program(), "--version"), (line, seconds, cpu) -> said.add(line));
        return said.isEmpty() ? "unknown" : said.getFirst();
    }

    private boolean canRunHere() {
        return System.getProperty("os.name", "").equals("Linux")
                && System.getProperty("os.arch", "").equals("amd64")
                && Files.isDirectory(root.resolve(PROGRAMS).resolve("build"));
    }

    private List<String> nativeCommand(LinuxGuest guest) {
        Path folder = root.resolve(PROGRAMS);
        List<String> command = new ArrayList<>();
        command.addAll(List.of("sh", folder.resolve("run").toString()));
        command.add(folder.resolve("build").toString());
        command.add(guest.busybox().toString());
        command.add(String.valueOf(repetitions));
        command.add(String.valueOf(seconds));
        ran().forEach(program -> command.add(program.name()));
        return command;
    }

    private Map<String, String> checksums() throws IOException {
        return Files.readAllLines(root.resolve(PROGRAMS).resolve("checksums")).stream()
                .map(line -> line.split(" ", -1))
                .collect(Collectors.toMap(words -> words[0], words -> words[1]));
    }

    private Markers markers(String peer, List<String> command)
            throws IOException, InterruptedException {
        Markers markers = new Markers(repetitions, this::progress);
        TimedProcess.End end = new TimedProcess(SILENCE_SECONDS).run(command, markers);
        if (end.status() != 0) {
            troubles.add("%s ended with status %d:\n%s".formatted(peer, end.status(), end.last()));
        }
        return markers;
    }

    private void progress(String program, List<Repetition> done) {
        Samples seconds =
                Samples.of(
                        done.subList(Math.min(warmUp, done.size() - 1), done.size()).stream()
                                .map(Repetition::seconds)
                                .toList());
        if (done.size() == 1) {
            System.err.printf("  %-10s %8.3f s%n", program, seconds.median());
        } else {
            System.err.printf(
                    "  %-10s %8.3f s, at first %.3f%n",
                    program, seconds.median(), done.getFirst().seconds());
        }
    }

    /** Keeps the greatest use of memory; the file is there after Alcazar's rounds. */
    private void readStatistics() throws IOException {
        MemoryUse use = MemoryUse.parse(Files.readString(stats));
        Files.writeString(stats, "");
        boolean more = memory.isEmpty() || use.total("peak") > memory.get().total("peak");
        if (!use.bytes().isEmpty() && more) {
            memory = Optional.of(use);
        }
    }

    private int report(Results results) throws IOException {
        String ours = peers.getFirst().name();
        for (String peer : results.peers()) {
            for (Program program : peer.equals(Results.NATIVE) ? ran() : programs) {
                results.trouble(peer, program).ifPresent(troubles::add);
            }
        }
        Table table = new Table(results, ours, programs);
        System.out.print(table.text());
        Samples load = new Samples(loads);
        System.out.printf(
                "%s; %d rounds of %d repetitions after %d; load average %.1f to %.1f on %d processors%n",
                String.join("; ", versions.values()),
                rounds,
                repetitions - warmUp,
                warmUp,
                load.min(),
                load.max(),
                Runtime.getRuntime().availableProcessors());
        memory.ifPresent(use -> System.out.println(use.text()));
        for (String peer : results.peers()) {
            programs.forEach(
                    program -> results.clock(peer, program).ifPresent(System.out::println));
        }
        troubles.forEach(trouble -> System.err.println("alcazar: " + trouble));
        if (options.text(Options.JSON).isPresent()) {
            writeJson(Json.text(tree(table)));
        }
        return troubles.isEmpty() ? 0 : Main.FAULT;
    }

    private void writeJson(String text) throws IOException {
        Path file = Path.of(options.text(Options.JSON).orElseThrow());
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new IOException(file + " cannot be written", e);
        }
    }

    private Map<String, Object> tree(Table table) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("versions", versions);
        tree.put("rounds", rounds);
        tree.put("warm-up", warmUp);
        tree.put("repetitions", repetitions);
        tree.put("processors", Runtime.getRuntime().availableProcessors());
        tree.put("load-averages", loads);
        options.text(ENGINE).ifPresent(engine -> tree.put("engine", engine));
        options.text(HOST).ifPresent(host -> tree.put("host", host));
        tree.putAll(table.tree());
        memory.ifPresent(use -> tree.put("memory", use.bytes()));
        tree.put("troubles", troubles);
        return tree;
    }
}

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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Boots the same kernel and initramfs under Alcazar and under QEMU's TCG in turn, and compares wall
 * times. The clock runs from the start of the process to the line with which {@code /init} reports
 * itself; Alcazar's own part before the guest's first instruction is taken from its statistics and
 * shown apart.
 */
final class BootBench {
    static final List<Option> OPTIONS = List.of(Options.AGAINST, Options.ROUNDS, Options.JSON);

    private static final long SILENCE_SECONDS = 180;
    private static final String TOTAL = " process start to init";

    /** Phases in the launcher's statistics, in seconds; the first of each name is the one. */
    private static final List<String> BEFORE_GUEST =
            List.of("jvm", "configuration", "framework", "create");

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Map<String, List<Double>> seconds = new LinkedHashMap<>();
    private final Path stats;

    private BootBench(Path stats) {
        this.stats = stats;
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("boot", OPTIONS, arguments);
        Path stats = Files.createTempFile("alcazar-bench", ".json");
        try {
            return new BootBench(stats).measure(options);
        } finally {
            Files.deleteIfExists(stats);
        }
    }

    private int measure(Options options) throws IOException, InterruptedException {
        LinuxGuest guest =
                LinuxGuest.find(root, "linux", List.of("guests/linux", "guests/linux/scripts"));
        List<Peer> peers = new ArrayList<>();
        peers.add(new Peer.Alcazar(root, List.of("--stats", stats.toString())));
        if (options.has(Options.AGAINST)) {
            peers.add(new Peer.Qemu());
        }
        peers.removeIf(Peer::isLeftOut);
        int rounds = options.number(Options.ROUNDS, 3);
        for (int round = 1; round <= rounds; round++) {
            System.err.println("round " + round + " of " + rounds);
            for (Peer peer : peers) {
                boot(peer, guest);
            }
        }
        report();
        Optional<String> json = options.text(Options.JSON);
        if (json.isPresent()) {
            Files.writeString(Path.of(json.get()), Json.text(seconds));
        }
        return 0;
    }

    private void boot(Peer peer, LinuxGuest guest) throws IOException, InterruptedException {
        Markers markers = new Markers(0, (program, done) -> {});
        TimedProcess.End end =
                new TimedProcess(SILENCE_SECONDS)
                        .run(peer.command(guest, "console=ttyS0 alcazar.run=hello"), markers);
        List<Markers.Repetition> boot = markers.of(Program.BOOT);
        if (boot.isEmpty()) {
            throw new IOException(
                    peer.name() + " did not reach init; its last lines are:\n" + end.last());
        }
        double total = boot.getFirst().seconds();
        add(peer.name() + TOTAL, total);
        if (peer instanceof Peer.Alcazar) {
            add("alcazar first instruction to init", total - beforeGuest());
        }
    }

    /** The phases before the guest's first instruction, as the launcher's statistics give them. */
    private double beforeGuest() throws IOException {
        String text = Files.readString(stats);
        double before = 0;
        for (String phase : BEFORE_GUEST) {
            Matcher matcher = Pattern.compile("\"" + phase + "\": ([0-9.]+)").matcher(text);
            before += matcher.find() ? Double.parseDouble(matcher.group(1)) : 0;
        }
        return before;
    }

    private void add(String name, double value) {
        seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
        System.err.printf("  %-36s %.2f s%n", name, value);
    }

    private void report() {
        seconds.forEach((name, values) -> {
            Samples samples = new Samples(values);
            System.out.printf(
                    "%-36s median %.2f s  (%.2f to %.2f, %d rounds)%n",
                    name, samples.median(), samples.min(), samples.max(), values.size());
        });
        List<Double> peer = seconds.getOrDefault("qemu-tcg" + TOTAL, List.of());
        if (!peer.isEmpty()) {
            seconds.forEach((name, values) -> {
                if (name.startsWith("alcazar")) {
                    System.out.printf(
                            "%-36s %.2f of QEMU's speed%n",
                            name, new Samples(peer).median() / new Samples(values).median());
                }
            });
        }
    }
}

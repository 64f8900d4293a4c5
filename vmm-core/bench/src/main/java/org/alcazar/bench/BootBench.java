package org.alcazar.bench;

import java.io.IOException;
import java.io.InputStream;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Boots the same kernel and initramfs under Alcazar and under QEMU's TCG in turn, and compares wall
 * times. The clock runs from the start of the process to the line with which {@code /init} reports
 * itself; Alcazar's own part before the guest's first instruction is taken from its statistics and
 * shown apart.
 */
final class BootBench {
    private static final String MARKER = "alcazar: init reached";
    private static final long LIMIT_SECONDS = 180;

    /** Phases in the launcher's statistics, in seconds; the first of each name is the one. */
    private static final List<String> BEFORE_GUEST =
            List.of("jvm", "configuration", "framework", "create");

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Map<String, List<Double>> seconds = new LinkedHashMap<>();
    private int rounds = 3;
    private boolean qemu;
    private Optional<Path> json = Optional.empty();

    static int run(List<String> arguments) throws IOException, InterruptedException {
        BootBench bench = new BootBench();
        for (int i = 0; i < arguments.size(); i += 2) {
            String value = i + 1 < arguments.size() ? arguments.get(i + 1) : "";
            boolean known =
                    switch (arguments.get(i)) {
                        case "--against" -> value.equals("qemu");
                        case "--rounds" -> value.matches("[1-9][0-9]{0,2}");
                        case "--json" -> !value.isEmpty();
                        default -> false;
                    };
            if (!known) {
                System.err.println(
                        "alcazar: bench boot takes --against qemu, --rounds N (1 to 999) and --json FILE, not '%s %s'"
                                .formatted(arguments.get(i), value));
                return 2;
            }
            bench.qemu |= arguments.get(i).equals("--against");
            if (arguments.get(i).equals("--rounds")) {
                bench.rounds = Integer.parseInt(value);
            } else if (arguments.get(i).equals("--json")) {
                bench.json = Optional.of(Path.of(value));
            }
        }
        return bench.measure();
    }

    private int measure() throws IOException, InterruptedException {
        Path guest = root.resolve("guests/linux/build/linux");
        if (!Files.exists(guest.resolve("vmlinuz"))) {
            System.err.println("alcazar: the guest is not built; run ./alcazar guest build linux");
            return 2;
        }
        List<String> ours =
                List.of(
                        root.resolve("alcazar").toString(),
                        "run",
                        "--kernel",
                        guest.resolve("vmlinuz").toString(),
                        "--initrd",
                        guest.resolve("initrd.gz").toString(),
                        "--append",
                        "console=ttyS0 alcazar.run=hello",
                        "--memory",
                        "512M");
        List<String> theirs =
                List.of(
                        "qemu-system-x86_64",
                        "-accel",
                        "tcg",
                        "-m",
                        "512",
                        "-nographic",
                        "-no-reboot",
                        "-kernel",
                        guest.resolve("vmlinuz").toString(),
                        "-initrd",
                        guest.resolve("initrd.gz").toString(),
                        "-append",
                        "console=ttyS0 alcazar.run=hello");
        if (qemu && !available("qemu-system-x86_64")) {
            System.err.println(
                    "alcazar: qemu-system-x86_64 is not installed, left out (package qemu-system-x86)");
            qemu = false;
        }
        for (int round = 1; round <= rounds; round++) {
            System.err.println("round " + round + " of " + rounds);
            boot("alcazar", ours);
            if (qemu) {
                boot("qemu-tcg", theirs);
            }
        }
        report();
        return 0;
    }

    private static boolean available(String program) {
        return List.of(System.getenv().getOrDefault("PATH", "").split(":", -1)).stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private void boot(String name, List<String> command) throws IOException, InterruptedException {
        Path stats = Files.createTempFile("alcazar-bench", ".json");
        List<String> whole = new ArrayList<>(command);
        if (name.equals("alcazar")) {
            whole.addAll(List.of("--stats", stats.toString()));
        }
        long start = System.nanoTime();
        Process process =
                new ProcessBuilder(whole)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        // A guest that hangs must not hold the bench: its end closes the stream below.
        CompletableFuture.runAsync(
                process::destroyForcibly,
                CompletableFuture.delayedExecutor(LIMIT_SECONDS, TimeUnit.SECONDS));
        try {
            StringBuilder console = new StringBuilder();
            InputStream out = process.getInputStream();
            byte[] chunk = new byte[4096];
            boolean reached = false;
            for (int n = out.read(chunk); n >= 0; n = out.read(chunk)) {
                console.append(new String(chunk, 0, n, StandardCharsets.ISO_8859_1));
                if (!reached && console.indexOf(MARKER) >= 0) {
                    reached = true;
                    add(name + " process start to init", System.nanoTime() - start);
                }
            }
            process.waitFor();
            if (!reached) {
                throw new IOException(
                        name + " did not reach init; its console ends with: " + tail(console));
            }
            if (Files.size(stats) > 0) {
                firstInstruction(stats);
            }
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(stats);
        }
    }

    /**
     * Takes the phases before the guest's first instruction off, as the launcher's statistics give
     * them.
     */
    private void firstInstruction(Path stats) throws IOException {
        String text = Files.readString(stats);
        double before = 0;
        for (String phase : BEFORE_GUEST) {
            Matcher matcher = Pattern.compile("\"" + phase + "\": ([0-9.]+)").matcher(text);
            before += matcher.find() ? Double.parseDouble(matcher.group(1)) : 0;
        }
        List<Double> totals = seconds.get("alcazar process start to init");
        if (totals != null) {
            add("alcazar first instruction to init", (long) ((totals.getLast() - before) * 1e9));
        }
    }

    private void add(String name, long nanos) {
        seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(nanos / 1e9);
        System.err.printf("  %-36s %.2f s%n", name, nanos / 1e9);
    }

    private static String tail(StringBuilder console) {
        return console.substring(Math.max(0, console.length() - 400));
    }

    private void report() throws IOException {
        StringBuilder out = new StringBuilder();
        seconds.forEach((name, values) ->
                System.out.printf(
                        "%-36s median %.2f s  (%.2f to %.2f, %d rounds)%n",
                        name,
                        median(values),
                        values.stream().mapToDouble(v -> v).min().orElse(0),
                        values.stream().mapToDouble(v -> v).max().orElse(0),
                        values.size()));
        List<Double> peer = seconds.get("qemu-tcg process start to init");
        if (peer != null) {
            seconds.forEach((name, values) -> {
                if (name.startsWith("alcazar")) {
                    System.out.printf(
                            "%-36s %.2f times QEMU%n", name, median(values) / median(peer));
                }
            });
        }
        out.append("{");
        seconds.forEach((name, values) ->
                out.append(out.length() > 1 ? "," : "")
                        .append("\n  \"")
                        .append(name)
                        .append("\": ")
                        .append(values));
        out.append("\n}\n");
        if (json.isPresent()) {
            Files.writeString(json.get(), out);
        }
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int n = sorted.size();
        return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }
}

package org.alcazar.bench;

import org.alcazar.bench.Options.Option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Swaps the bundles of serial port, clock and timer beneath a Linux guest that keeps all three busy
 * (the guest {@code linux-soak}), and then lets the same guest run as long without: how long it
 * stood still, whether it or its kernel noticed, and what is left in the JVM.
 */
final class HotSwapBench {
    private static final Option SWAPS = Option.number("--swaps");
    static final List<Option> OPTIONS = List.of(SWAPS, Options.JSON);

    private static final List<String> BUNDLES =
            List.of(
                    "org.alcazar.devices.uart16550",
                    "org.alcazar.devices.rtc",
                    "org.alcazar.devices.pit8254");

    /** Rounds of all bundles in one session of the shell; the first warms up. */
    private static final int ROUNDS_AT_ONCE = 10;

    /** Rounds from one look at the JVM's memory to the next. */
    private static final int ROUNDS_BETWEEN_LOOKS = 50;

    private static final Pattern SWAP =
            Pattern.compile(
                    "\"bundle\": ?\"([^\"]+)\".*?\"pause-ms\": ?([0-9.Ee-]+)", Pattern.DOTALL);

    private final Path root = Path.of(System.getProperty("alcazar.root", "."));
    private final Path home = Path.of(System.getProperty("alcazar.home", "."));
    private final Path folder;
    private final int swaps;
    private final Map<String, List<Double>> pauses = new LinkedHashMap<>();

    /** Seconds from the load's begin to each look at the JVM's memory. */
    private final List<Double> looks = new ArrayList<>();

    private HotSwapBench(int swaps, Path folder) {
        this.swaps = swaps;
        this.folder = folder;
    }

    static int run(List<String> arguments) throws IOException, InterruptedException, Options.Wrong {
        Options options = Options.parse("hotswap", OPTIONS, arguments);
        Path folder = Files.createTempDirectory("alcazar-bench");
        try {
            return new HotSwapBench(options.number(SWAPS, 200), folder)
                    .measure(options.text(Options.JSON));
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private interface Work {
        void under(SoakGuest guest, SoakRun run) throws IOException, InterruptedException;
    }

    private int measure(Optional<String> json) throws IOException, InterruptedException {
        LinuxGuest guest =
                LinuxGuest.find(
                        root,
                        "linux-soak",
                        List.of("guests/linux", "guests/linux/scripts", "guests/soak"));
        SoakRun with = soak(guest, "%d swaps of each bundle".formatted(swaps), this::swapAll);
        SoakRun without = soak(guest, "as long without swaps", this::lookOn);
        HotSwapReport report = new HotSwapReport(swaps, pauses, with, without);
        System.out.print(report.text());
        if (json.isPresent()) {
            Files.writeString(Path.of(json.get()), Json.text(report.tree()));
        }
        List<String> wrong = report.wrong();
        Stream.concat(wrong.stream(), report.slow().stream())
                .forEach(one -> System.err.println("alcazar: bench hotswap: " + one));
        return wrong.isEmpty() ? 0 : Main.FAULT;
    }

    private SoakRun soak(LinuxGuest files, String what, Work work)
            throws IOException, InterruptedException {
        System.err.println(what + ": booting");
        Path errors = folder.resolve("errors");
        List<String> command =
                new Peer.Alcazar(root, List.of())
                        .command(files, "console=ttyS0 nolapic_timer alcazar.run=soak");
        try (SoakGuest guest = new SoakGuest(command, errors)) {
            SoakRun run = new SoakRun(guest);
            guest.awaitBegin();
            run.begin();
            work.under(guest, run);
            guest.end();
            return run;
        } catch (IOException e) {
            String said = Files.readString(errors, StandardCharsets.ISO_8859_1).strip();
            throw new IOException(e.getMessage() + (said.isEmpty() ? "" : "; it said: " + said), e);
        }
    }

    private void swapAll(SoakGuest guest, SoakRun run) throws IOException, InterruptedException {
        for (int done = 0; done < swaps && guest.wrong().isEmpty(); ) {
            int more = Math.min(ROUNDS_AT_ONCE, swaps - done);
            swap(guest.pid(), done, more);
            done += more;
            if (done == more || done % ROUNDS_BETWEEN_LOOKS == 0 || done == swaps) {
                looks.add(run.look(done));
            }
            System.err.printf("  %d of %d, %.0f s%n", done, swaps, run.seconds());
        }
    }

    /** Looks at the memory at the same times as with swaps. */
    private void lookOn(SoakGuest guest, SoakRun run) throws IOException, InterruptedException {
        for (double at : looks) {
            while (run.seconds() < at && guest.wrong().isEmpty()) {
                Thread.sleep(100);
            }
            run.look(0);
        }
    }

    /** Rounds of swaps in one session of the shell. */
    private void swap(long process, int from, int rounds) throws IOException, InterruptedException {
        List<Path> jars = new ArrayList<>();
        for (int number = from; number < from + rounds; number++) {
            for (String bundle : BUNDLES) {
                Path jar = home.resolve("bundles").resolve(bundle + ".jar");
                jars.add(new BundleVersions(jar, folder).newer(number));
            }
        }
        Path script = folder.resolve("script");
        Files.write(script, jars.stream().map(jar -> "bundle:swap " + jar).toList());
        Matcher swapped = SWAP.matcher(shell(process, script));
        int count = 0;
        for (; swapped.find(); count++) {
            pauses.computeIfAbsent(swapped.group(1), name -> new ArrayList<>())
                    .add(Double.valueOf(swapped.group(2)));
        }
        if (count != jars.size()) {
            throw new IOException("%d of %d swaps were told of".formatted(count, jars.size()));
        }
        for (Path jar : jars) {
            Files.delete(jar);
        }
    }

    private String shell(long process, Path script) throws IOException, InterruptedException {
        Path errors = folder.resolve("shell-errors");
        ProcessBuilder builder =
                new ProcessBuilder(
                                root.resolve("alcazar").toString(),
                                "attach",
                                Long.toString(process),
                                "--json",
                                "--script",
                                script.toString())
                        .redirectError(errors.toFile());
        builder.environment().put("ALCAZAR_NO_BUILD", "1");
        Process shell = builder.start();
        String out = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (shell.waitFor() != 0) {
            throw new IOException("a swap failed: " + Files.readString(errors).strip());
        }
        return out;
    }
}

package org.alcazar.launcher;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;

import picocli.CommandLine.Model.CommandSpec;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code alcazar bench}: a JVM of its own with the benchmarks' class path, where everything is
 * flat.
 */
final class BenchCommand {
    /** Known by name: benchmarks measure parts from within, which the launcher must not see. */
    private static final String MAIN = "org.alcazar.bench.Main";

    private static final String JAR = "org.alcazar.bench.jar";
    private static final long STOP_SECONDS = 5;

    private final Surroundings surroundings;

    BenchCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("bench");
        spec.usageMessage()
                .customSynopsis("alcazar bench [NAME] [--against qemu] [OPTIONS]")
                .description(
                        "Measures. Without name and options it lists what can be measured; `bench"
                                + " --against qemu` runs programs in a Linux guest here and under QEMU.");
        return spec;
    }

    int run(List<String> arguments) throws Failure {
        Path bench = surroundings.home().resolve("bench");
        if (!Files.isRegularFile(bench.resolve(JAR))) {
            throw Failure.usage("there are no benchmarks in " + bench + ": run ./alcazar build");
        }
        try {
            Process process = new ProcessBuilder(command(bench, arguments)).inheritIO().start();
            Thread hook = new Thread(() -> end(process), "end-bench");
            Runtime.getRuntime().addShutdownHook(hook);
            return process.waitFor();
        } catch (IOException e) {
            throw new Failure(Status.FAULT, "bench: the JVM does not start: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(Status.INTERRUPTED, "interrupted", e);
        }
    }

    private static void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private List<String> command(Path bench, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // JMH needs what the product itself does without.
        command.addAll(
                List.of(
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow"));
        command.add("-Dalcazar.root=" + surroundings.root());
        command.add("-Dalcazar.home=" + surroundings.home());
        command.add("-cp");
        command.add(
                String.join(
                        File.pathSeparator,
                        bench + "/*",
                        surroundings.bundles() + "/*",
                        surroundings.home().resolve("lib") + "/*"));
        command.add(MAIN);
        command.addAll(arguments);
        return command;
    }
}

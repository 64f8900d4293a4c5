package org.alcazar.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process whose lines of output are stamped with the time at which they arrive, by this machine's
 * monotonic clock. The guest's own clock has no say.
 */
final class TimedProcess {
    /** Takes a line of standard output. */
    @FunctionalInterface
    interface Lines {
        /**
         * One line.
         *
         * @param seconds since just before the process was started
         * @param cpu seconds of processor time that it has used in all its threads, to a hundredth;
         *     children do not count; 0 where the machine does not tell
         */
        void line(String line, double seconds, double cpu);
    }

    /**
     * How a process ended.
     *
     * @param status its exit status
     * @param last the last lines of its output and of its standard error, for a message
     */
    record End(int status, String last) {}

    private static final int LAST_LINES = 8;
    private static final double NANOS = 1e9;

    private final long silenceSeconds;
    private volatile long lastLine;

    /**
     * Creates a runner.
     *
     * @param silenceSeconds after so long without a line the process is taken to hang and ended
     */
    TimedProcess(long silenceSeconds) {
        this.silenceSeconds = silenceSeconds;
    }

    /** Runs a command to its end, with nothing on its standard input. */
    End run(List<String> command, Lines lines) throws IOException, InterruptedException {
        Path errors = Files.createTempFile("alcazar-bench", ".err");
        Deque<String> last = new ArrayDeque<>();
        long start = System.nanoTime();
        lastLine = start;
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectError(errors.toFile());
        builder.environment().put("ALCAZAR_NO_BUILD", "1"); // what runs here has been built
        Process process = builder.start();
        Thread hook = new Thread(process::destroyForcibly, "end-peer");
        Runtime.getRuntime().addShutdownHook(hook);
        Thread watchdog = Thread.ofPlatform().daemon().start(() -> watch(process));
        try (BufferedReader reader =
                new BufferedReader(
                        new InputStreamReader(
                                process.getInputStream(), StandardCharsets.ISO_8859_1))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lastLine = System.nanoTime();
                lines.line(line, (lastLine - start) / NANOS, cpu(process));
                last.addLast(line);
                if (last.size() > LAST_LINES) {
                    last.removeFirst();
                }
            }
            int status = process.waitFor();
            Files.readAllLines(errors, StandardCharsets.ISO_8859_1).stream()
                    .limit(LAST_LINES)
                    .forEach(last::addLast);
            return new End(status, String.join("\n", last));
        } finally {
            process.destroyForcibly();
            removeHook(hook);
            watchdog.join();
            Files.deleteIfExists(errors);
        }
    }

    private static double cpu(Process process) {
        return process.info().totalCpuDuration().map(Duration::toMillis).orElse(0L) / 1e3;
    }

    static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // This program is ending, and the hook runs or has run.
        }
    }

    private void watch(Process process) {
        try {
            while (!process.waitFor(1, TimeUnit.SECONDS)) {
                if (System.nanoTime() - lastLine > silenceSeconds * NANOS) {
                    process.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }
}

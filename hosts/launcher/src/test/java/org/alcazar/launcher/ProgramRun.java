package org.alcazar.launcher;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The assembled program in a process of its own, as the script starts it. */
final class ProgramRun implements AutoCloseable {
    private static final Executor THREADS = task -> Thread.ofVirtual().start(task);
    private static final long LIMIT_SECONDS = 240;
    private static final String[] RESET_SIGNALS = {"env", "--default-signal"};

    private final Process process;
    private final CompletableFuture<String> err;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final InputStream from;

    private ProgramRun(List<String> command, long limitSeconds) throws IOException {
        process = new ProcessBuilder(command).start();
        from = process.getInputStream();
        InputStream errors = process.getErrorStream();
        err = CompletableFuture.supplyAsync(() -> text(errors), THREADS);
        // A program that hangs must not hang the build.
        process.onExit()
                .orTimeout(limitSeconds, TimeUnit.SECONDS)
                .exceptionally(e -> {
                    process.destroyForcibly();
                    return process;
                });
    }

    /** How it ended. */
    record End(int status, String out, String err) {}

    static Path root() {
        return Path.of(System.getProperty("alcazar.root", "."));
    }

    static Path home() {
        return Path.of(System.getProperty("alcazar.home", "."));
    }

    /** Starts {@code alcazar ARGUMENTS}. */
    static ProgramRun start(String... arguments) throws IOException {
        return start(LIMIT_SECONDS, arguments);
    }

    /** Starts it and kills it if it takes longer. */
    static ProgramRun start(long limitSeconds, String... arguments) throws IOException {
        return start(limitSeconds, List.of(), arguments);
    }

    /** The same with further options for the JVM. */
    static ProgramRun start(long limitSeconds, List<String> options, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        if (canResetSignals()) {
            command.addAll(List.of(RESET_SIGNALS));
        }
        command.addAll(command(options, arguments));
        return new ProgramRun(command, limitSeconds);
    }

    /**
     * What runs in the background (nohup, a script's {@code &}) ignores signals, and so would its
     * children, JVMs too.
     */
    private static boolean canResetSignals() throws IOException {
        List<String> trial = new ArrayList<>(List.of(RESET_SIGNALS));
        trial.add("true");
        try {
            return new ProcessBuilder(trial)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Starts it on a terminal of its own, and then runs a line of shell there. */
    static ProgramRun onTerminal(String afterwards, String... arguments) throws IOException {
        StringBuilder line = new StringBuilder();
        for (String word : command(List.of(), arguments)) {
            line.append('\'').append(word).append("' ");
        }
        return new ProgramRun(
                List.of("script", "-qec", line + "; " + afterwards, "/dev/null"), LIMIT_SECONDS);
    }

    /** How the program is started. */
    static List<String> command(List<String> options, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(
                List.of(
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=deny",
                        "-Dalcazar.root=" + root(),
                        "-Dalcazar.home=" + home(),
                        "-cp",
                        home().resolve("lib") + File.separator + "*",
                        "org.alcazar.launcher.Main"));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String text(InputStream in) {
        try {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(" + e.getMessage() + ")";
        }
    }

    /** Types something. */
    ProgramRun type(String text) throws IOException {
        process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        return this;
    }

    /** Waits until the text has been printed on standard output, or for the end of it. */
    ProgramRun until(String text) throws IOException {
        while (!out.toString(StandardCharsets.UTF_8).contains(text)) {
            int octet = from.read();
            if (octet < 0) {
                break;
            }
            out.write(octet);
        }
        return this;
    }

    /** Sends a signal by name. */
    ProgramRun signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
        return this;
    }

    long pid() {
        return process.pid();
    }

    /** Ends its standard input and waits for its end. */
    End end() throws IOException, InterruptedException {
        process.getOutputStream().close();
        from.transferTo(out);
        int status = process.waitFor();
        return new End(status, out.toString(StandardCharsets.UTF_8), err.join());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}

package org.alcazar.launcher;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.shell.ShellClient;
import org.alcazar.launcher.terminal.TerminalMode;
import org.alcazar.launcher.terminal.UnixTerminal;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@code shell} and {@code attach} have in common: a session on the terminal, or a script.
 *
 * @param script what to run; none: what is typed
 * @param json whether results are wanted as JSON
 */
record ShellSession(Surroundings surroundings, Optional<String> script, boolean json) {
    private static final String FILE = "--script";
    private static final String TEXT = "-c";
    private static final String JSON = "--json";

    static CommandSpec options(CommandSpec spec) {
        return spec.addOption(
                        OptionSpec.builder(TEXT)
                                .paramLabel("TEXT")
                                .type(String.class)
                                .description("run these commands instead")
                                .build())
                .addOption(
                        OptionSpec.builder(FILE)
                                .paramLabel("FILE")
                                .type(String.class)
                                .description("run the commands of a file instead")
                                .build())
                .addOption(
                        OptionSpec.builder(JSON)
                                .type(boolean.class)
                                .description("print results as JSON")
                                .build());
    }

    /**
     * Reads the options.
     *
     * @throws Failure if both kinds of script are given, or the file cannot be read
     */
    static ShellSession of(ParseResult arguments, Surroundings surroundings) throws Failure {
        Optional<String> script =
                Optional.ofNullable(arguments.matchedOptionValue(TEXT, (String) null));
        Optional<String> file =
                Optional.ofNullable(arguments.matchedOptionValue(FILE, (String) null));
        if (script.isPresent() && file.isPresent()) {
            throw Failure.usage(
                    arguments.commandSpec().name() + ": -c and --script: one of them is enough");
        }
        if (file.isPresent()) {
            script = Optional.of(read(surroundings.folder().resolve(file.get())));
        }
        return new ShellSession(surroundings, script, arguments.hasMatchedOption(JSON));
    }

    private static String read(Path file) throws Failure {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new Failure(
                    Status.USAGE, FILE + ": " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Until the script or the person has ended; returns the exit status. */
    int run(Path socket) throws Failure {
        ShellClient client =
                new ShellClient(
                        socket,
                        surroundings.folder(),
                        json,
                        surroundings.out(),
                        surroundings.messages());
        if (script.isPresent()) {
            return client.run(script.get());
        }
        return UnixTerminal.isTerminal(0) ? interact(client) : client.run(standardInput());
    }

    private int interact(ShellClient client) throws Failure {
        TerminalMode mode = UnixTerminal.open();
        Thread hook = new Thread(mode::restore, "restore-terminal");
        Runtime.getRuntime().addShutdownHook(hook);
        String term = System.getenv().getOrDefault("TERM", "dumb");
        return client.interact(new FileInputStream(FileDescriptor.in), mode, term);
    }

    /** Without a terminal all of it is a script. */
    private static String standardInput() throws Failure {
        try {
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new Failure(Status.USAGE, "standard input cannot be read: " + e.getMessage(), e);
        }
    }
}

package org.alcazar.launcher;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.shell.Sockets;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

import java.util.List;
import java.util.stream.Collectors;

/** {@code alcazar attach}: a session in a process that runs. */
final class AttachCommand {
    private final Surroundings surroundings;

    AttachCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("attach");
        spec.usageMessage()
                .description(
                        "A shell in a running process of this user, one of `alcazar run` or `alcazar"
                                + " shell`: `help` there lists its commands. The end of the session"
                                + " leaves the process alone.");
        spec.addPositional(
                PositionalParamSpec.builder()
                        .arity("0..1")
                        .index("0")
                        .paramLabel("PID")
                        .type(String.class)
                        .description("the process; the only one by default")
                        .build());
        return ShellSession.options(spec);
    }

    int run(ParseResult arguments) throws Failure {
        ShellSession session = ShellSession.of(arguments, surroundings);
        Sockets sockets = Sockets.of(System.getenv());
        long pid = pid(arguments.matchedPositionalValue(0, ""), sockets.pids());
        return session.run(sockets.of(pid));
    }

    private static long pid(String given, List<Long> running) throws Failure {
        if (given.isEmpty() && running.size() == 1) {
            return running.getFirst();
        }
        String all = running.stream().map(String::valueOf).collect(Collectors.joining(", "));
        String there = running.isEmpty() ? "none runs" : "there are: " + all;
        if (given.isEmpty()) {
            throw Failure.usage("attach: say to which process, by its id; " + there);
        }
        if (!given.matches("\\d{1,18}") || !running.contains(Long.valueOf(given))) {
            throw Failure.usage(
                    "attach: '" + given + "' is no process that can be attached to; " + there);
        }
        return Long.parseLong(given);
    }
}

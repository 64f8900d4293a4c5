package org.alcazar.launcher;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.shell.Sockets;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

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
        long pid = sockets.choose(arguments.matchedPositionalValue(0, ""));
        return session.run(sockets.of(pid));
    }
}

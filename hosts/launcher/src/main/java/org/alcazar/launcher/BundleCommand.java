package org.alcazar.launcher;

import org.alcazar.launcher.bundle.BundleWatch;
import org.alcazar.launcher.bundle.NewBundle;
import org.alcazar.launcher.bundle.Swap;
import org.alcazar.launcher.framework.BundleDoctor;
import org.alcazar.launcher.framework.BundleDoctor.Diagnosis;
import org.alcazar.launcher.framework.BundleFolder;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.shell.ShellSwap;
import org.alcazar.launcher.shell.Sockets;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

import java.nio.file.Path;
import java.util.Arrays;

/** {@code alcazar bundle new|watch|doctor}. */
final class BundleCommand {
    private final Surroundings surroundings;

    BundleCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    static CommandSpec spec() {
        CommandSpec create =
                subcommand(
                        "new",
                        "Makes the project of a new bundle, with tests, outside of this tree:"
                                + " `bundle new device my-timer --in ~/work`.",
                        word("0", "FAMILY", "device, backend, paging, extension, engine, …"),
                        word("1", "NAME", "of the bundle and its type, such as my-timer"));
        create.addOption(
                OptionSpec.builder("--in")
                        .paramLabel("DIR")
                        .type(Path.class)
                        .description("where its folder goes; the working directory otherwise")
                        .build());
        CommandSpec spec = CommandSpec.create().name("bundle");
        spec.usageMessage().description("Makes, watches and diagnoses bundles.");
        CommandSpec doctor =
                subcommand(
                        "doctor",
                        "Says why a bundle does not resolve or start, or which types it offers."
                                + " Exit status 2 if something is wrong.",
                        word("0", "FILE|DIR", "a bundle, or the folder of its project"));
        CommandSpec watch =
                subcommand(
                        "watch",
                        "Builds a bundle at each save and swaps it into the running VM, or installs it"
                                + " where it is not there yet.",
                        word("0", "DIR", "the folder of its project"));
        watch.addOption(
                OptionSpec.builder("--pid")
                        .paramLabel("PID")
                        .type(Long.class)
                        .description("the process to swap in, where several run")
                        .build());
        return spec.addSubcommand("new", create)
                .addSubcommand("watch", watch)
                .addSubcommand("doctor", doctor);
    }

    private static CommandSpec subcommand(
            String name, String description, PositionalParamSpec... words) {
        CommandSpec spec = CommandSpec.create().name(name);
        spec.usageMessage().description(description);
        Arrays.stream(words).forEach(spec::addPositional);
        return Main.withHelp(spec);
    }

    private static PositionalParamSpec word(String index, String label, String description) {
        return PositionalParamSpec.builder()
                .arity("1")
                .required(true)
                .index(index)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }

    int run(ParseResult arguments) throws Failure {
        if (!arguments.hasSubcommand()) {
            throw Failure.usage(
                    "bundle: say what to do: there are new FAMILY NAME, watch DIR and doctor FILE");
        }
        ParseResult command = arguments.subcommand();
        try {
            return switch (command.commandSpec().name()) {
                case "new" -> create(command);
                case "watch" -> watch(command);
                case "doctor" -> diagnose(command);
                default -> throw new IllegalStateException(command.commandSpec().name());
            };
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(Status.INTERRUPTED, "interrupted", e);
        }
    }

    private int create(ParseResult command) throws Failure, InterruptedException {
        NewBundle maker =
                new NewBundle(
                        surroundings.root(),
                        surroundings.bundles(),
                        surroundings.programs(),
                        surroundings.messages());
        Path in = path(command.matchedOptionValue("--in", Path.of("")));
        Path project =
                maker.make(
                        command.matchedPositionalValue(0, ""),
                        command.matchedPositionalValue(1, ""),
                        in);
        surroundings
                .out()
                .println(
                        project
                                + ": made. `mvn package` there compiles and tests it; its README.md"
                                + " tells the next steps.");
        return Status.OK;
    }

    private int watch(ParseResult command) throws Failure, InterruptedException {
        Long pid = command.matchedOptionValue("--pid", (Long) null);
        Swap swap = new ShellSwap(Sockets.of(System.getenv()), pid == null ? "" : pid.toString());
        Path project = path(Path.of(command.matchedPositionalValue(0, "")));
        new BundleWatch(project, surroundings.programs(), swap, surroundings.messages()).run();
        return Status.OK;
    }

    private int diagnose(ParseResult command) throws Failure {
        Path given = path(Path.of(command.matchedPositionalValue(0, "")));
        Diagnosis found = BundleDoctor.examine(new BundleFolder(surroundings.bundles()), given);
        found.problems().forEach(problem -> surroundings.out().println(line(found, problem)));
        found.offers().forEach(type -> surroundings.out().println(line(found, "offers " + type)));
        return found.problems().isEmpty() ? Status.OK : Status.USAGE;
    }

    private static String line(Diagnosis found, String text) {
        return found.file().getFileName() + ": " + text;
    }

    private Path path(Path given) {
        return surroundings.folder().resolve(given).normalize();
    }
}

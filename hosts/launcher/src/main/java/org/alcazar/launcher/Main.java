package org.alcazar.launcher;

import org.alcazar.launcher.framework.BundleFolder;
import org.alcazar.launcher.framework.FelixVmm;
import org.alcazar.launcher.framework.HostHelp;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Spelling;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.Phases;
import org.alcazar.launcher.run.VmmProvider;
import org.alcazar.launcher.shell.ShellSocket;
import org.alcazar.launcher.shell.Sockets;
import org.alcazar.launcher.terminal.UnixTerminal;
import org.slf4j.LoggerFactory;

import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The program: finds the command, runs it, and turns what goes wrong into one line and an exit
 * status.
 */
public final class Main {
    /** What the script does itself; known here for help and spelling. */
    private static final SortedMap<String, String> OF_THE_SCRIPT =
            sorted(
                    "build", "[MODULE]: compiles, checks and packages all, or one module.",
                    "test", "[--all]: runs the tests; --all adds the slow ones.",
                    "format", "Lays out the sources as the checks want them.",
                    "repository", "Brings target/repository up to date, for bundles outside.");

    private static final int DEFAULT_COLUMNS = 80;
    private static final int HELP_COLUMNS = 100;

    private final Surroundings surroundings;
    private final VmmProvider provider;
    private final Phases phases;

    Main(Surroundings surroundings, VmmProvider provider, Phases phases) {
        this.surroundings = surroundings;
        this.provider = provider;
        this.phases = phases;
    }

    private static SortedMap<String, String> sorted(String... namesAndTexts) {
        SortedMap<String, String> map = new TreeMap<>();
        for (int i = 0; i < namesAndTexts.length; i += 2) {
            map.put(namesAndTexts[i], namesAndTexts[i + 1]);
        }
        return Collections.unmodifiableSortedMap(map);
    }

    /** Runs the program and ends the process with its status. */
    public static void main(String[] arguments) {
        Phases phases = new Phases(System::nanoTime);
        Level level = Level.of(arguments);
        System.setProperty(LogConfigurator.LEVEL, level.log());
        // The log comes first: whoever logs while another thread sets it up is held back, and told
        // so.
        LoggerFactory.getILoggerFactory();
        Messages messages =
                new Messages(
                        new FileOutputStream(FileDescriptor.err),
                        UnixTerminal.isTerminal(2),
                        columns());
        messages.level(level.messages());
        System.setErr(messages.stream());
        Path home = Path.of(System.getProperty("alcazar.home", "."));
        Surroundings surroundings =
                new Surroundings(
                        Path.of(System.getProperty("alcazar.root", ".")),
                        home,
                        Path.of("").toAbsolutePath(),
                        System.out,
                        messages,
                        new MachineCommands(System.getenv()));
        VmmProvider provider =
                (host, bundles) -> {
                    FelixVmm vmm =
                            FelixVmm.start(
                                    new BundleFolder(home.resolve("bundles")),
                                    host,
                                    bundles,
                                    socket(messages));
                    vmm.offer(new KnownGuests(surroundings, host));
                    return vmm;
                };
        int status = new Main(surroundings, provider, phases).run(arguments);
        if (status != Status.TIMEOUT) { // else a console's thread may stand in it, unread for ever
            System.out.flush();
        }
        System.exit(status);
    }

    /** Where others attach to this process; it runs without it too. */
    private static Optional<ShellSocket> socket(Messages messages) {
        try {
            return Optional.of(ShellSocket.open(Sockets.of(System.getenv()).prepare()));
        } catch (IOException | UnsupportedOperationException e) {
            messages.say("warning: nobody can attach to this process: " + e.getMessage());
            return Optional.empty();
        }
    }

    private static int columns() {
        try {
            return Integer.parseInt(System.getenv().getOrDefault("COLUMNS", ""));
        } catch (NumberFormatException e) {
            return DEFAULT_COLUMNS;
        }
    }

    /** How much is said and logged. */
    private record Level(Messages.Level messages, String log) {
        /** Read before the command line is: the log has to know. */
        static Level of(String[] arguments) {
            int verbose = 0;
            boolean quiet = false;
            for (String argument : arguments) {
                verbose += argument.equals("--verbose") ? 1 : 0;
                verbose += argument.matches("-v+") ? argument.length() - 1 : 0;
                quiet |= argument.equals("-q") || argument.equals("--quiet");
            }
            if (verbose > 0) {
                return new Level(
                        Messages.Level.VERBOSE,
                        List.of("info", "debug", "trace").get(Math.min(verbose, 3) - 1));
            }
            return new Level(
                    quiet ? Messages.Level.QUIET : Messages.Level.NORMAL, quiet ? "error" : "warn");
        }
    }

    /** Runs one command; returns the exit status. */
    int run(String... arguments) {
        try {
            return dispatch(arguments);
        } catch (ParameterException e) {
            surroundings.messages().say(explain(e));
            return Status.USAGE;
        } catch (Failure e) {
            surroundings.messages().say(String.valueOf(e.getMessage()));
            LoggerFactory.getLogger(Main.class).debug("for this reason", e);
            return e.status();
        } catch (RuntimeException | Error e) {
            surroundings.messages().say("a fault of the launcher: " + e);
            LoggerFactory.getLogger(Main.class).error("for this reason", e);
            return Status.FAULT;
        } finally {
            surroundings.messages().clear();
        }
    }

    private int dispatch(String[] arguments) throws Failure {
        List<String> words = new ArrayList<>(Arrays.asList(arguments));
        if (!words.isEmpty() && words.getFirst().equals("help")) {
            words.removeIf("help"::equals); // `help run` is `run --help`
            words.add("--help");
        }
        boolean help = words.contains("--help") || words.contains("-h");
        if (!help && !words.isEmpty() && words.getFirst().equals("bench")) {
            // Its options are the benchmarks' own.
            return new BenchCommand(surroundings).run(words.subList(1, words.size()));
        }
        CommandLine line = commandLine(help ? hostHelp() : List.of());
        ParseResult result = line.parseArgs(words.toArray(String[]::new));
        ParseResult deepest = result;
        while (deepest.hasSubcommand()) {
            deepest = deepest.subcommand();
        }
        if (deepest.isUsageHelpRequested()) {
            if (!deepest.unmatched().isEmpty() && !deepest.commandSpec().subcommands().isEmpty()) {
                throw new UnmatchedArgumentException(
                        deepest.commandSpec().commandLine(), deepest.unmatched());
            }
            deepest.commandSpec().commandLine().usage(surroundings.out(), Ansi.OFF);
            return Status.OK;
        }
        if (result.isVersionHelpRequested()) {
            surroundings.out().println("alcazar " + version() + ", Java " + Runtime.version());
            return Status.OK;
        }
        if (!result.hasSubcommand()) {
            throw Failure.usage(
                    "say what to do, for instance `run linux`; `help` lists the commands");
        }
        return command(result.subcommand());
    }

    private int command(ParseResult command) throws Failure {
        String name = command.commandSpec().name();
        return switch (name) {
            case "run" -> new RunCommand(surroundings, provider, phases).run(command);
            case "shell" -> new ShellCommand(surroundings, provider).run(command);
            case "attach" -> new AttachCommand(surroundings).run(command);
            case "guest" -> new GuestCommand(surroundings).run(command);
            case "bundle" -> new BundleCommand(surroundings).run(command);
            case "doctor" -> new DoctorCommand(surroundings, provider).run();
            default -> throw Failure.usage(name + ": is done by the script ./alcazar itself");
        };
    }

    private List<String> hostHelp() {
        return HostHelp.lines(new BundleFolder(surroundings.bundles()));
    }

    private static CommandLine commandLine(List<String> hosts) {
        CommandSpec root = CommandSpec.create().name("alcazar");
        root.usageMessage()
                .description("A virtual machine monitor for systems research.")
                .footer(
                        "",
                        "`alcazar help COMMAND` says more. `alcazar run linux` is a good beginning.");
        root.addSubcommand("run", withHelp(RunCommand.spec(hosts)));
        root.addSubcommand("shell", withHelp(ShellCommand.spec()));
        root.addSubcommand("attach", withHelp(AttachCommand.spec()));
        root.addSubcommand("guest", withHelp(GuestCommand.spec()));
        root.addSubcommand("bundle", withHelp(BundleCommand.spec()));
        root.addSubcommand("doctor", withHelp(DoctorCommand.spec()));
        root.addSubcommand("bench", withHelp(BenchCommand.spec()));
        OF_THE_SCRIPT.forEach((name, what) -> root.addSubcommand(name, bare(name, what)));
        root.addOption(
                OptionSpec.builder("--version")
                        .versionHelp(true)
                        .type(boolean.class)
                        .description("print the version")
                        .build());
        return new CommandLine(withHelp(root))
                .setExpandAtFiles(false)
                .setAllowOptionsAsOptionParameters(false)
                .setUsageHelpWidth(HELP_COLUMNS);
    }

    private static CommandSpec bare(String name, String what) {
        CommandSpec spec = CommandSpec.create().name(name);
        spec.usageMessage().description(what);
        spec.addPositional(
                PositionalParamSpec.builder()
                        .arity("0..*")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .hidden(true)
                        .build());
        return withHelp(spec);
    }

    /** Adds what every command has. */
    static CommandSpec withHelp(CommandSpec spec) {
        return spec.addOption(
                        OptionSpec.builder("-v", "--verbose")
                                .type(boolean[].class)
                                .arity("0")
                                .description("say more; -vv and -vvv still more")
                                .build())
                .addOption(
                        OptionSpec.builder("-q", "--quiet")
                                .type(boolean.class)
                                .description("say nothing but errors")
                                .build())
                .addOption(
                        OptionSpec.builder("-h", "--help")
                                .usageHelp(true)
                                .type(boolean.class)
                                .description("this text")
                                .build());
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "0.1.0" : version;
    }

    /** One line about a wrong command line, with the nearest right word. */
    private static String explain(ParameterException e) {
        CommandSpec spec = e.getCommandLine().getCommandSpec();
        String where = spec.qualifiedName().replaceFirst("^alcazar ?", "");
        String prefix = where.isEmpty() ? "" : where + ": ";
        if (e instanceof UnmatchedArgumentException unmatched) {
            String word = unmatched.getUnmatched().getFirst();
            if (word.startsWith("-") && word.length() > 1) {
                String option = word.replaceFirst("=.*", "");
                return prefix
                        + "unknown option '"
                        + option
                        + "'"
                        + Spelling.nearest(option, RunCommand.optionNames(spec))
                                .map(name -> "; did you mean '" + name + "'?")
                                .orElse(
                                        "; `help"
                                                + (where.isEmpty() ? "" : " " + where)
                                                + "` lists them");
            }
            if (!spec.subcommands().isEmpty()) {
                return prefix
                        + "unknown command '"
                        + word
                        + "'"
                        + Spelling.suggest(word, commands(spec));
            }
            return prefix + "'" + word + "' is one word too many; `help " + where + "` says more";
        }
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
        return prefix + message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    }

    private static List<String> commands(CommandSpec spec) {
        Stream<String> own =
                spec.subcommands().entrySet().stream()
                        .filter(entry -> !entry.getValue().getCommandSpec().usageMessage().hidden())
                        .map(Map.Entry::getKey);
        return (spec.parent() == null ? Stream.concat(own, Stream.of("help")) : own).toList();
    }
}

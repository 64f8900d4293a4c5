package org.alcazar.launcher;

import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.Kind;
import org.alcazar.launcher.config.NotYet;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.run.GuestRun;
import org.alcazar.launcher.run.NativeBeside;
import org.alcazar.launcher.run.NativeRun;
import org.alcazar.launcher.run.Phases;
import org.alcazar.launcher.run.ProgramFile;
import org.alcazar.launcher.run.VmmProvider;
import org.alcazar.launcher.terminal.ConsoleOutput;
import org.alcazar.launcher.terminal.EscapeKeys;
import org.alcazar.launcher.terminal.Keyboard;
import org.alcazar.launcher.terminal.TerminalMode;
import org.alcazar.launcher.terminal.UnixTerminal;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code alcazar run}: options, guest, console. */
final class RunCommand {
    private static final String NATIVE = "--native";
    private static final String GUEST = "GUEST.yaml|NAME";

    private final Surroundings surroundings;
    private final Messages messages;
    private final VmmProvider provider;
    private final Phases phases;

    RunCommand(Surroundings surroundings, VmmProvider provider, Phases phases) {
        this.surroundings = surroundings;
        this.messages = surroundings.messages();
        this.provider = provider;
        this.phases = phases;
    }

    /**
     * The command.
     *
     * @param hosts lines about the hosts and their options, for its help
     */
    static CommandSpec spec(List<String> hosts) {
        CommandSpec spec = CommandSpec.create().name("run");
        spec.usageMessage()
                .description("Runs one guest; its console is your terminal.")
                .sortOptions(false)
                .footer(footer(hosts));
        spec.addPositional(
                PositionalParamSpec.builder()
                        .arity("0..1")
                        .index("0")
                        .paramLabel(GUEST)
                        .type(String.class)
                        .description("a guest's description, or a name of `alcazar guest list`")
                        .build());
        for (GuestKey key : GuestKey.values()) {
            if (!key.option().isEmpty()) {
                spec.addOption(option(key));
            }
        }
        spec.addOption(
                OptionSpec.builder(NATIVE)
                        .paramLabel("ELF")
                        .type(String.class)
                        .description(
                                "a program that runs on the host itself without a VMM (host l4),"
                                        + " beside the guest if one is given")
                        .build());
        for (NotYet wish : NotYet.values()) {
            spec.addOption(refused(wish.option()));
        }
        return spec;
    }

    private static OptionSpec option(GuestKey key) {
        OptionSpec.Builder option =
                OptionSpec.builder(key.option())
                        .paramLabel(key.label())
                        .description(escaped(key.doc()));
        if (key.kind() == Kind.SWITCH) {
            return option.type(boolean.class).build();
        }
        return key.repeatable()
                ? option.type(List.class).auxiliaryTypes(String.class).build()
                : option.type(String.class).build();
    }

    private static OptionSpec refused(String name) {
        return OptionSpec.builder(name)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .hidden(true)
                .build();
    }

    private static String escaped(String text) {
        return text.replace("%", "%%");
    }

    private static String[] footer(List<String> hosts) {
        String text =
                """

                The guest's console goes to standard output and nothing else does; what Alcazar says
                goes to standard error. --module, --device, --extension and --bundle may be repeated.

                On a terminal every key reaches the guest, Ctrl-C too, but for these:
                %s
                Exit status: 0 the guest powered off; odd values are the guest's own, (2v+1) & 255 for v
                written to the debug-exit device; 2 wrong usage or configuration; 4 the guest died;
                6 a fault of the VMM; 8 reset under --no-reboot; 124 timeout; 130 interrupted.
                Of a native program without a guest: 0, or (2v+1) & 255 for the v that it ended with;
                4 it did what it may not. --append gives its arguments.\
                """
                        .formatted(EscapeKeys.help());
        Stream<String> options =
                hosts.isEmpty()
                        ? Stream.empty()
                        : Stream.concat(
                                Stream.of(
                                        "",
                                        "Hosts and their options (--host NAME,KEY=VALUE; in a file"
                                                + " host: {type: NAME, KEY: VALUE}):"),
                                hosts.stream());
        return Stream.concat(text.lines(), options.flatMap(String::lines))
                .map(RunCommand::escaped)
                .toArray(String[]::new);
    }

    int run(ParseResult arguments) throws Failure {
        refuse(arguments);
        Map<GuestKey, List<String>> options = options(arguments);
        String guest = arguments.matchedPositionalValue(0, "");
        long memory = GuestConfiguration.machineMemory();
        GuestConfiguration.check(options, surroundings.folder(), memory);
        Optional<ProgramFile> program = program(arguments);
        if (program.isPresent() && guest.isEmpty() && !options.containsKey(GuestKey.KERNEL)) {
            GuestConfiguration alone =
                    GuestConfiguration.ofProgram(
                            program.get().name(), options, surroundings.folder(), memory);
            phases.reached(Phases.Moment.CONFIGURED);
            return new NativeRun(messages, phases).run(program.get(), alone, provider, true);
        }
        GuestConfiguration configuration =
                GuestConfiguration.read(
                        new GuestFinder(surroundings).description(guest),
                        options,
                        surroundings.folder(),
                        memory);
        phases.reached(Phases.Moment.CONFIGURED);
        return runWithConsole(
                configuration,
                program.map(file -> NativeBeside.of(provider, file, configuration, messages))
                        .orElse(provider));
    }

    private Optional<ProgramFile> program(ParseResult arguments) throws Failure {
        if (!arguments.hasMatchedOption(NATIVE)) {
            return Optional.empty();
        }
        String path = arguments.matchedOptionValue(NATIVE, "");
        return Optional.of(ProgramFile.read(surroundings.folder().resolve(path)));
    }

    private static void refuse(ParseResult arguments) throws Failure {
        for (NotYet wish : NotYet.values()) {
            if (arguments.hasMatchedOption(wish.option())) {
                throw Failure.usage(wish.option() + ": " + wish.why());
            }
        }
    }

    static Map<GuestKey, List<String>> options(ParseResult arguments) {
        Map<GuestKey, List<String>> options = new EnumMap<>(GuestKey.class);
        for (GuestKey key : GuestKey.values()) {
            if (!key.option().isEmpty() && arguments.hasMatchedOption(key.option())) {
                Object value = arguments.matchedOptionValue(key.option(), "");
                options.put(
                        key,
                        value instanceof List<?> list
                                ? list.stream().map(String::valueOf).toList()
                                : List.of(value.toString()));
            }
        }
        return options;
    }

    private int runWithConsole(GuestConfiguration configuration, VmmProvider beneath)
            throws Failure {
        boolean console = configuration.text(GuestKey.CONSOLE).equals("stdio");
        TerminalMode terminal = console ? UnixTerminal.open() : TerminalMode.NONE;
        GuestRun run = new GuestRun(messages, phases, terminal);
        InputStream in = System.in;
        Optional<ConsoleOutput> output = Optional.empty();
        if (console) {
            // The host's console takes System.in and System.out as it finds them.
            if (terminal.present()) {
                Keyboard keyboard = new Keyboard(run::command);
                System.setIn(keyboard);
                keyboard.listen(new FileInputStream(FileDescriptor.in));
            }
            ConsoleOutput opened =
                    new ConsoleOutput(
                            consoleStream(),
                            messages,
                            UnixTerminal.isTerminal(1),
                            () -> phases.reached(Phases.Moment.FIRST_OUTPUT));
            output = Optional.of(opened);
            System.setOut(new PrintStream(opened, false));
        }
        try {
            return run.run(configuration, beneath, true);
        } finally {
            System.setIn(in);
            System.setOut(surroundings.out());
            output.ifPresent(ConsoleOutput::reportLoss);
        }
    }

    /** Standard output without the stream in front of it that keeps failures to itself. */
    private OutputStream consoleStream() {
        if (surroundings.out() != System.out) {
            return surroundings.out();
        }
        System.out.flush();
        return new FileOutputStream(FileDescriptor.out);
    }

    /** All names of options, for the nearest spelling. */
    static List<String> optionNames(CommandSpec spec) {
        return spec.options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option -> Stream.of(option.names()))
                .toList();
    }
}

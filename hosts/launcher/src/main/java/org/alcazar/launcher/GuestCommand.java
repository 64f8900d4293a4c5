package org.alcazar.launcher;

import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestCatalog.Guest;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;
import org.alcazar.launcher.message.Status;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;

/** {@code alcazar guest list|build}. */
final class GuestCommand {
    private final Surroundings surroundings;
    private final GuestCatalog catalog;

    GuestCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        catalog = new GuestCatalog(surroundings.guests(), surroundings.programs());
    }

    static CommandSpec spec() {
        CommandSpec list = CommandSpec.create().name("list");
        list.usageMessage().description("Lists the guests that are known by name.");
        CommandSpec build = CommandSpec.create().name("build");
        build.usageMessage()
                .description(
                        "Builds a guest's files from the newest packages; 'micro' builds the tiny"
                                + " guests of the tests.");
        build.addPositional(
                PositionalParamSpec.builder()
                        .arity("0..1")
                        .index("0")
                        .paramLabel("NAME")
                        .type(String.class)
                        .description("a name of `alcazar guest list`, or micro")
                        .build());
        CommandSpec spec = CommandSpec.create().name("guest");
        spec.usageMessage().description("Lists and builds guests.");
        return spec.addSubcommand("list", Main.withHelp(list))
                .addSubcommand("build", Main.withHelp(build));
    }

    int run(ParseResult arguments) throws Failure {
        try {
            if (!Files.isDirectory(surroundings.guests())) {
                throw Failure.usage("there is no folder of guests at " + surroundings.guests());
            }
            if (!arguments.hasSubcommand()) {
                throw Failure.usage("guest: say what to do: there are list and build NAME");
            }
            ParseResult command = arguments.subcommand();
            if (command.commandSpec().name().equals("list")) {
                list();
            } else {
                build(command.matchedPositionalValue(0, ""));
            }
            return Status.OK;
        } catch (GuestException e) {
            throw new Failure(Status.USAGE, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(Status.INTERRUPTED, "interrupted", e);
        } finally {
            surroundings.messages().clear();
        }
    }

    private void list() throws GuestException {
        List<Guest> guests = catalog.list();
        int width = guests.stream().mapToInt(guest -> guest.name().length()).max().orElse(0);
        for (Guest guest : guests) {
            String name = guest.name() + " ".repeat(width - guest.name().length());
            surroundings.out().println(name + "  " + describe(guest));
        }
    }

    static String describe(Guest guest) {
        try {
            return GuestConfiguration.describe(guest.description());
        } catch (Failure e) {
            return "(" + e.getMessage() + ")";
        }
    }

    private void build(String name) throws GuestException, InterruptedException, Failure {
        List<String> names =
                Stream.concat(catalog.list().stream().map(Guest::name), GuestCatalog.MADE.stream())
                        .toList();
        if (name.isEmpty()) {
            throw Failure.usage(
                    "guest build: say which guest; there are: " + String.join(", ", names));
        }
        if (!names.contains(name)) {
            throw Failure.usage("no guest '" + name + "'" + Spelling.suggest(name, names));
        }
        catalog.build(name, new ProgressLines(surroundings.messages()));
    }
}

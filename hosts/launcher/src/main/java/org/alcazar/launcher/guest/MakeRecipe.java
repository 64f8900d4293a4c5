package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Builds the guests of a folder with a Makefile by the machine's make and gcc. */
final class MakeRecipe {
    private final String name;
    private final Path sources;
    private final CommandRunner commands;

    MakeRecipe(String name, Path sources, CommandRunner commands) {
        this.name = name;
        this.sources = sources;
        this.commands = commands;
    }

    void build(Progress progress) throws GuestException, InterruptedException {
        List<String> missing = new ArrayList<>();
        for (String program : List.of("make", "gcc", "as", "ld", "objcopy")) {
            if (!commands.has(program)) {
                missing.add(program);
            }
        }
        if (!missing.isEmpty()) {
            throw new GuestException(
                    "the "
                            + name
                            + " guests need "
                            + String.join(", ", missing)
                            + ": install gcc, binutils and make");
        }
        progress.start("building the " + name + " guests");
        try {
            CommandRunner.Result result =
                    commands.run(sources, List.of("make", "--no-print-directory", "-s"));
            if (!result.ok()) {
                String first = result.errors().lines().findFirst().orElse("no message");
                throw new GuestException("make in " + sources + ": " + first);
            }
        } catch (IOException e) {
            throw new GuestException("make in " + sources + ": " + e.getMessage(), e);
        }
        progress.done();
    }
}

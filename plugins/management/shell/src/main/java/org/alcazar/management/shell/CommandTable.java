package org.alcazar.management.shell;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.vmm.plugin.Spelling;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** The one list of the shell's commands, and help about them. */
final class CommandTable {
    private static final long NANOS_PER_MILLISECOND = 1_000_000;

    private final Map<String, Command> commands = new LinkedHashMap<>();

    CommandTable() {
        add(LifeCycleCommands.all());
        add(MemoryCommands.all());
        add(WatchCommands.all());
        add(ConsoleCommands.all());
        add(DeviceCommands.all());
        add(CpuCommands.all());
        add(BundleCommands.all());
        add(
                List.of(
                        Command.of(
                                "help",
                                "[COMMAND]",
                                "lists the commands, those of a scope, or says all about one",
                                "help vm:create",
                                this::help),
                        Command.of(
                                "sleep",
                                "MILLISECONDS",
                                "waits, for scripts; VMs run on",
                                "sleep 100",
                                CommandTable::sleep),
                        Command.of(
                                "quit",
                                "[STATUS]",
                                "ends the session; of `alcazar shell` the process, and so its VMs",
                                "quit",
                                CommandTable::quit),
                        Command.of(
                                "exit",
                                "[STATUS]",
                                "the same as quit",
                                "exit 1",
                                CommandTable::quit)));
    }

    private void add(List<Command> some) {
        some.forEach(command -> commands.put(command.name(), command));
    }

    List<Command> all() {
        return List.copyOf(commands.values());
    }

    Optional<Command> find(String name) {
        return Optional.ofNullable(commands.get(name));
    }

    /** What somebody may have meant who typed a command that there is not. */
    String suggest(String name) {
        String suggestion = Spelling.suggest(name, commands.keySet());
        return suggestion.startsWith("; did") ? suggestion : "; `help` lists the commands";
    }

    private static Shown quit(Call call) throws UsageException, QuitException {
        throw new QuitException((int) call.number("STATUS", 0, 255, 0));
    }

    private static Shown sleep(Call call) throws UsageException, InterruptedException {
        long millis = call.number("MILLISECONDS", 0, Integer.MAX_VALUE, 0);
        HostClock clock = call.vmm().clock();
        CountDownLatch over = new CountDownLatch(1);
        try (HostTimer timer = clock.timer("sleep", over::countDown)) {
            timer.arm(clock.nanoTime() + millis * NANOS_PER_MILLISECOND);
            over.await();
        }
        return Shown.of(Map.of("milliseconds", millis), "");
    }

    private Shown help(Call call) throws HostRefusal {
        Optional<String> about = call.optional("COMMAND");
        if (about.isPresent() && commands.containsKey(about.get())) {
            return about(commands.get(about.get()));
        }
        List<Command> shown =
                all().stream()
                        .filter(command ->
                                about.isEmpty() || command.name().startsWith(about.get() + ":"))
                        .toList();
        if (shown.isEmpty()) {
            throw new HostRefusal(
                    "there is no command '" + about.orElse("") + "'" + suggest(about.orElse("")));
        }
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Command command : shown) {
            rows.add(
                    LifeCycleCommands.ordered(
                            "command", command.name(), "does", command.summary()));
        }
        if (about.isEmpty()) {
            for (String name : call.vmm().foreign().names()) {
                rows.add(
                        LifeCycleCommands.ordered(
                                "command", name, "does", "belongs to another bundle"));
            }
        }
        return new Shown(
                rows,
                () ->
                        Text.table(rows)
                                + "\n\n`help COMMAND` says more; every command takes --json."
                                + " Output goes through `| grep TEXT`, head, tail, sort, wc, less.");
    }

    private static Shown about(Command command) {
        return Shown.of(
                LifeCycleCommands.ordered(
                        "command", command.name(),
                        "usage", command.usageLine(),
                        "does", command.summary(),
                        "example", command.example()),
                command.summary()
                        + "\n  usage:   "
                        + command.usageLine()
                        + "\n  example: "
                        + command.example());
    }
}

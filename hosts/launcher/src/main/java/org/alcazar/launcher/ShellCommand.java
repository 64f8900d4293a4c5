package org.alcazar.launcher;

import org.alcazar.host.HostRefusal;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.VmmProvider;
import org.alcazar.launcher.run.VmmProvider.Vmm;
import org.alcazar.launcher.shell.Sockets;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/** {@code alcazar shell}: a VMM of its own, with the guests that are given, and a session in it. */
final class ShellCommand {
    private final Surroundings surroundings;
    private final VmmProvider provider;

    ShellCommand(Surroundings surroundings, VmmProvider provider) {
        this.surroundings = surroundings;
        this.provider = provider;
    }

    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("shell");
        spec.usageMessage()
                .description(
                        "Starts a VMM and the guests given, and a shell in it: `help` there lists its"
                                + " commands. The guests' consoles are reached by vm:console. The end"
                                + " of the session ends the process.");
        spec.addPositional(
                PositionalParamSpec.builder()
                        .arity("0..*")
                        .paramLabel("GUEST.yaml|NAME")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .description("descriptions of guests, or names of `alcazar guest list`")
                        .build());
        return ShellSession.options(spec);
    }

    int run(ParseResult arguments) throws Failure {
        ShellSession session = ShellSession.of(arguments, surroundings);
        List<GuestConfiguration> guests = guests(arguments);
        HostChoice host = host(guests);
        List<Path> bundles =
                guests.stream().flatMap(guest -> guest.bundles().stream()).distinct().toList();
        AtomicReference<Runnable> end = new AtomicReference<>(() -> {});
        Thread hook = new Thread(() -> end.get().run(), "end-vms");
        Runtime.getRuntime().addShutdownHook(hook);
        try (Vmm vmm = provider.open(host, bundles)) {
            end.set(vmm::close); // a signal ends the VMs, and the session with them
            for (GuestConfiguration guest : guests) {
                start(vmm, guest);
            }
            return session.run(Sockets.of(System.getenv()).of(ProcessHandle.current().pid()));
        } finally {
            removeHook(hook);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // A signal came, and the hook ends everything.
        }
    }

    private List<GuestConfiguration> guests(ParseResult arguments) throws Failure {
        List<String> names = arguments.matchedPositionalValue(0, List.of());
        List<GuestConfiguration> guests = new ArrayList<>();
        for (String name : names) {
            GuestConfiguration guest =
                    GuestConfiguration.read(
                            new GuestFinder(surroundings).description(name),
                            Map.of(),
                            surroundings.folder(),
                            GuestConfiguration.machineMemory());
            guests.add(guest);
        }
        return guests;
    }

    private static HostChoice host(List<GuestConfiguration> guests) throws Failure {
        List<HostChoice> hosts =
                guests.stream().flatMap(guest -> guest.host().stream()).distinct().toList();
        if (hosts.size() > 1) {
            throw Failure.usage(
                    "all guests of a shell must have the same host and options, not "
                            + hosts.get(0)
                            + " and "
                            + hosts.get(1));
        }
        return hosts.isEmpty() ? HostChoice.DEFAULT : hosts.getFirst();
    }

    /** What the VMM is told of a guest beneath a shell. */
    static Map<String, Object> tree(GuestConfiguration guest) {
        Map<String, Object> tree = new LinkedHashMap<>(guest.tree());
        if (guest.text(GuestKey.CONSOLE).equals("stdio")) {
            tree.put(GuestKey.CONSOLE.key(), "none"); // the terminal is the shell's
        }
        return tree;
    }

    private static void start(Vmm vmm, GuestConfiguration guest) throws Failure {
        try {
            vmm.control().start(vmm.control().create(tree(guest)));
        } catch (HostRefusal e) {
            throw new Failure(Status.USAGE, String.valueOf(e.getMessage()), e);
        }
    }
}

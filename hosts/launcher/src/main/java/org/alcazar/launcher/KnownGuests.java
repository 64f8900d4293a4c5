package org.alcazar.launcher;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostRefusal;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.guest.Progress;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Guests as {@code alcazar run} takes them, for the shell's {@code vm:create}. */
final class KnownGuests implements GuestDescriptions {
    private final Surroundings surroundings;
    private final HostChoice host;

    /**
     * Creates the list.
     *
     * @param host the host beneath this process
     */
    KnownGuests(Surroundings surroundings, HostChoice host) {
        this.surroundings = surroundings;
        this.host = host;
    }

    @Override
    public Map<String, String> names() throws HostRefusal {
        Map<String, String> names = new LinkedHashMap<>();
        try {
            if (Files.isDirectory(surroundings.guests())) {
                for (GuestCatalog.Guest guest : GuestCatalog.list(surroundings.guests())) {
                    names.put(guest.name(), GuestCommand.describe(guest));
                }
            }
            return names;
        } catch (GuestException e) {
            throw new HostRefusal(String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public Guest read(
            String guest, Map<String, List<String>> keys, String folder, Consumer<String> progress)
            throws HostRefusal, InterruptedException {
        Surroundings client = surroundings.in(Path.of(folder));
        try {
            GuestConfiguration configuration =
                    GuestConfiguration.read(
                            new GuestFinder(client, phases(progress)).description(guest),
                            options(keys),
                            client.folder(),
                            GuestConfiguration.machineMemory());
            requireHost(guest, configuration);
            return new Guest(
                    ShellCommand.tree(configuration),
                    configuration.bundles().stream().map(Path::toString).toList());
        } catch (Failure e) {
            if (e.getCause() instanceof InterruptedException) {
                throw new InterruptedException();
            }
            throw new HostRefusal(String.valueOf(e.getMessage()), e);
        }
    }

    private void requireHost(String guest, GuestConfiguration configuration) throws HostRefusal {
        HostChoice wanted = configuration.host().orElse(host);
        if (!wanted.equals(host) && !wanted.equals(HostChoice.of(host.name()))) {
            throw new HostRefusal(
                    "%s: is for the host %s; this process runs on %s"
                            .formatted(guest, wanted, host));
        }
    }

    private static Map<GuestKey, List<String>> options(Map<String, List<String>> keys)
            throws Failure {
        Map<GuestKey, List<String>> options = new EnumMap<>(GuestKey.class);
        for (Map.Entry<String, List<String>> entry : keys.entrySet()) {
            GuestKey key = key(entry.getKey());
            if (entry.getValue().size() > 1 && !key.repeatable()) {
                throw Failure.usage(key.key() + ": must be one value, not several");
            }
            options.put(key, entry.getValue());
        }
        return options;
    }

    private static GuestKey key(String name) throws Failure {
        List<String> names =
                Arrays.stream(GuestKey.values())
                        .filter(GuestKey::forVmm)
                        .map(GuestKey::key)
                        .toList();
        return GuestKey.of(name)
                .filter(GuestKey::forVmm)
                .orElseThrow(() ->
                        Failure.usage(
                                "unknown key '" + name + "'" + Spelling.suggest(name, names)));
    }

    private static Progress phases(Consumer<String> told) {
        return new Progress() {
            @Override
            public void start(String phase) {
                told.accept(phase);
            }

            @Override
            public void step(String text) {
                // A line for each package would be too many.
            }

            @Override
            public void done() {}
        };
    }
}

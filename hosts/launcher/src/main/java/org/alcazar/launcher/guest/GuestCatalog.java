package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The guests known by name: every {@code guests/FOLDER/NAME.yaml} describes one, in the form that
 * {@code alcazar run GUEST.yaml} takes. This class finds the descriptions and builds what they
 * need; it does not read them.
 */
public final class GuestCatalog {
    private static final String SUFFIX = ".yaml";

    /** Folders whose guests are made together, by make, and have no description. */
    public static final List<String> MADE = List.of("l4", "litmus", "micro");

    /** Guests with programs of this tree: the folder in which make builds them. */
    private static final Map<String, String> PROGRAMS =
            Map.of("linux-bench", "bench", "linux-memory", "memory", "linux-soak", "soak");

    /**
     * A guest that is known by name.
     *
     * @param name the file's name without {@code .yaml}
     * @param description the file to give to the configuration reader; relative file names in it
     *     count from its folder
     * @param buildable whether {@link #build} knows how to make its files
     */
    public record Guest(String name, Path description, boolean buildable) {}

    private final Path guests;
    private final CommandRunner commands;

    /**
     * Creates the catalog.
     *
     * @param guests the folder "guests" of the source tree
     * @param commands runs the machine's programs
     */
    public GuestCatalog(Path guests, CommandRunner commands) {
        this.guests = guests.toAbsolutePath().normalize();
        this.commands = commands;
    }

    /**
     * All guests described below a folder, sorted by name.
     *
     * @throws GuestException when the folder cannot be read or two guests have the same name
     */
    public static List<Guest> list(Path guests) throws GuestException {
        List<Guest> found = new ArrayList<>();
        try {
            for (Path folder : StagingFolder.list(guests)) {
                if (Files.isDirectory(folder)) {
                    collect(folder, found);
                }
            }
        } catch (IOException e) {
            throw new GuestException(guests + ": the folder of guests cannot be read: " + e, e);
        }
        found.sort(Comparator.comparing(Guest::name));
        for (int i = 1; i < found.size(); i++) {
            Guest one = found.get(i - 1);
            Guest other = found.get(i);
            if (one.name().equals(other.name())) {
                throw new GuestException(
                        "two guests are named '%s': %s and %s"
                                .formatted(one.name(), one.description(), other.description()));
            }
        }
        return List.copyOf(found);
    }

    private static void collect(Path folder, List<Guest> found) throws IOException {
        for (Path file : StagingFolder.list(folder)) {
            String name = file.getFileName().toString();
            if (name.endsWith(SUFFIX) && name.length() > SUFFIX.length()) {
                String guest = name.substring(0, name.length() - SUFFIX.length());
                found.add(new Guest(guest, file, LinuxRecipe.names().contains(guest)));
            }
        }
    }

    /** All guests of this catalog, sorted by name. */
    public List<Guest> list() throws GuestException {
        return list(guests);
    }

    /** Looks a guest up by its name. */
    public Optional<Guest> find(String name) throws GuestException {
        return list().stream().filter(guest -> guest.name().equals(name)).findFirst();
    }

    /**
     * Makes sure that a guest's files are there and current with the recipe, as {@code run} needs
     * it. Quick when there is nothing to do. A guest without a recipe brings its own files.
     */
    public void prepare(String name, Progress progress)
            throws GuestException, InterruptedException {
        if (known(name).buildable()) {
            makePrograms(name);
            recipe(name).prepare(progress);
        }
    }

    /**
     * Builds a guest anew from the newest packages; a download that would bring nothing new is left
     * out. The names of {@link #MADE} build all guests of such a folder with the machine's gcc and
     * make.
     */
    public void build(String name, Progress progress) throws GuestException, InterruptedException {
        if (MADE.contains(name)) {
            new MakeRecipe(name, guests.resolve(name), commands).build(progress);
        } else if (known(name).buildable()) {
            makePrograms(name);
            recipe(name).update(progress);
        } else {
            throw new GuestException("guest '" + name + "' has no recipe; nothing to build");
        }
    }

    private Guest known(String name) throws GuestException {
        Optional<Guest> guest = find(name);
        if (guest.isEmpty()) {
            String names =
                    Stream.concat(list().stream().map(Guest::name), MADE.stream())
                            .collect(Collectors.joining(", "));
            throw new GuestException("no guest '" + name + "'; known: " + names);
        }
        return guest.get();
    }

    /** Says nothing, for it takes a moment and mostly finds that there is nothing to do. */
    private void makePrograms(String name) throws GuestException, InterruptedException {
        String folder = PROGRAMS.get(name);
        if (folder != null) {
            new MakeRecipe(folder, guests.resolve(folder), commands).build(Progress.SILENT);
        }
    }

    private LinuxRecipe recipe(String name) throws GuestException {
        Path sources = guests.resolve("linux");
        Path folder = sources.resolve("build").resolve(name);
        return new LinuxRecipe(name, sources, folder, commands);
    }
}

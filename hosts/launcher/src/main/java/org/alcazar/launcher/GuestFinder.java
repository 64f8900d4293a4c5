package org.alcazar.launcher;

import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestCatalog.Guest;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.guest.Progress;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;
import org.alcazar.launcher.message.Status;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds guests by their names, and builds them if need be. */
final class GuestFinder {
    private static final List<String> FILE_ENDS = List.of(".yaml", ".yml", ".xml", ".properties");

    private final Surroundings surroundings;
    private final Progress progress;

    GuestFinder(Surroundings surroundings) {
        this(surroundings, new ProgressLines(surroundings.messages()));
    }

    GuestFinder(Surroundings surroundings, Progress progress) {
        this.surroundings = surroundings;
        this.progress = progress;
    }

    /** The file that describes the guest; a guest known by name is built if need be. */
    Optional<Path> description(String guest) throws Failure {
        if (guest.isEmpty()) {
            return Optional.empty();
        }
        try {
            GuestCatalog catalog = new GuestCatalog(surroundings.guests(), surroundings.programs());
            List<Guest> known =
                    Files.isDirectory(surroundings.guests()) ? catalog.list() : List.of();
            Optional<Guest> named =
                    known.stream().filter(candidate -> isMeant(guest, candidate)).findFirst();
            if (named.isPresent()) {
                catalog.prepare(named.get().name(), progress);
            }
            if (isFile(guest)) {
                return Optional.of(file(guest)); // in messages as it was given
            }
            if (named.isPresent()) {
                return Optional.of(named.get().description());
            }
            throw Failure.usage(
                    "no guest '"
                            + guest
                            + "'"
                            + Spelling.suggest(guest, known.stream().map(Guest::name).toList()));
        } catch (GuestException e) {
            throw new Failure(Status.USAGE, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(Status.INTERRUPTED, "interrupted", e);
        } finally {
            surroundings.messages().clear();
        }
    }

    private Path file(String guest) throws Failure {
        String lower = guest.toLowerCase(Locale.ROOT);
        if (FILE_ENDS.stream().noneMatch(lower::endsWith)) {
            throw Failure.usage(
                    guest
                            + ": a guest's description ends in .yaml, .xml or .properties; a kernel is"
                            + " given with --kernel FILE");
        }
        return Path.of(guest);
    }

    private boolean isMeant(String guest, Guest candidate) {
        return isFile(guest)
                ? surroundings.folder().resolve(guest).normalize().equals(candidate.description())
                : candidate.name().equals(guest);
    }

    private static boolean isFile(String guest) {
        String lower = guest.toLowerCase(Locale.ROOT);
        return guest.contains("/") || FILE_ENDS.stream().anyMatch(lower::endsWith);
    }
}

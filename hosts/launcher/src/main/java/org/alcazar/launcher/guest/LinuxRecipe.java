package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Makes the files of a Linux guest: the distribution's own kernel, byte for byte, and an initial
 * RAM file system with its static BusyBox.
 *
 * <p>Kernel and BusyBox come from the machine's package manager, or from files given by hand in
 * {@code given/GUEST/vmlinuz} and {@code given/GUEST/busybox} beside the recipe's sources; either
 * may be given alone. The result is a folder with {@code vmlinuz}, {@code initrd.gz}, {@code
 * busybox} and a manifest; it appears whole or not at all.
 */
public final class LinuxRecipe {
    /** Name of the kernel's file in the folder of the result. */
    public static final String KERNEL = "vmlinuz";

    /** Name of the initial RAM file system's file in the folder of the result. */
    public static final String INITRD = "initrd.gz";

    private static final String BUSYBOX = "busybox";
    private static final String GIVEN = "given";
    private static final String LIST = "initramfs.list";

    /** Guest names, and the metapackages for each: Debian's name, then Ubuntu's. */
    private static final Map<String, List<String>> METAPACKAGES =
            Map.of(
                    "linux", List.of("linux-image-cloud-amd64", "linux-image-virtual"),
                    "linux-generic", List.of("linux-image-amd64", "linux-image-generic"));

    private static final String BUSYBOX_PACKAGE = "busybox-static";

    /**
     * A guest's files, ready to boot.
     *
     * @param guest the guest's name
     * @param kernel a bzImage
     * @param initrd a cpio archive, compressed by gzip
     * @param packages names and versions of the packages they were made of; the version is {@code
     *     given} for a file given by hand
     */
    public record Built(
            String guest, Path kernel, Path initrd, SortedMap<String, String> packages) {}

    private final String guest;
    private final List<String> metapackages;
    private final Path sources;
    private final Path folder;
    private final CommandRunner commands;

    /**
     * Creates the recipe of one guest.
     *
     * @param guest {@code linux} or {@code linux-generic}
     * @param sources the folder with initramfs.list and what it names: guests/linux
     * @param folder where the result is put; its parent also holds a lock file
     * @param commands runs the machine's programs
     * @throws GuestException when there is no such guest
     */
    public LinuxRecipe(String guest, Path sources, Path folder, CommandRunner commands)
            throws GuestException {
        List<String> known = METAPACKAGES.getOrDefault(guest, List.of());
        if (known.isEmpty()) {
            throw new GuestException("no recipe for guest '" + guest + "'; there are " + names());
        }
        metapackages = known;
        this.guest = guest;
        this.sources = sources.toAbsolutePath().normalize();
        this.folder = folder.toAbsolutePath().normalize();
        this.commands = commands;
    }

    /** The guests that have a recipe, sorted. */
    public static List<String> names() {
        return METAPACKAGES.keySet().stream().sorted().toList();
    }

    /**
     * Gives the guest's files, and builds only what is missing, damaged or older than the recipe's
     * own sources. Does not look for newer packages.
     */
    public Built prepare(Progress progress) throws GuestException, InterruptedException {
        return make(progress, false);
    }

    /** As {@link #prepare}, and also fetches packages of which apt knows a newer version. */
    public Built update(Progress progress) throws GuestException, InterruptedException {
        return make(progress, true);
    }

    private Built make(Progress progress, boolean newest)
            throws GuestException, InterruptedException {
        try {
            Optional<Manifest> there = verified();
            if (there.isPresent() && !newest && isCurrent(there.get())) {
                return built(there.get());
            }
            if (!AptPackages.present(commands)
                    && !(Files.exists(given(KERNEL)) && Files.exists(given(BUSYBOX)))) {
                throw noPackageManager();
            }
            try (StagingFolder staging = new StagingFolder(folder)) {
                // Another program may have built it while this one waited for the lock.
                there = verified();
                Manifest manifest = new Build(staging.path(), progress, there, newest).run();
                staging.publish();
                return built(manifest);
            }
        } catch (IOException e) {
            throw new GuestException("guest " + guest + ": " + reason(e), e);
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case AccessDeniedException denied ->
                    denied.getFile() + " may not be written; may this user write there?";
            case FileSystemException failed -> failed.getFile() + ": " + failed.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    private Optional<Manifest> verified() throws IOException {
        Optional<Manifest> manifest = Manifest.read(folder);
        return manifest.isPresent() && manifest.get().matches(folder) ? manifest : Optional.empty();
    }

    private boolean isCurrent(Manifest manifest) throws GuestException, IOException {
        for (String file : List.of(KERNEL, BUSYBOX)) {
            Path given = given(file);
            boolean same =
                    Files.exists(given)
                            ? Sha256.of(given).equals(manifest.files().get(file))
                            : !GIVEN.equals(manifest.packages().get(file));
            if (!same) {
                return false;
            }
        }
        Initramfs now = describe(folder.resolve(BUSYBOX));
        return now.sha256().equals(manifest.source());
    }

    private Built built(Manifest manifest) {
        return new Built(
                guest, folder.resolve(KERNEL), folder.resolve(INITRD), manifest.packages());
    }

    private Path given(String file) {
        return sources.resolve(GIVEN).resolve(guest).resolve(file);
    }

    private Initramfs describe(Path busybox) throws GuestException {
        return InitramfsList.read(sources.resolve(LIST), Map.of(BUSYBOX, busybox));
    }

    private GuestException noPackageManager() {
        return new GuestException(
                "guest "
                        + guest
                        + " needs apt-get, apt-cache and dpkg-deb, which this machine lacks: put a"
                        + " kernel and a static x86-64 BusyBox at "
                        + given("{vmlinuz,busybox}")
                        + ", or run with --kernel FILE --initrd FILE");
    }

    /** One build, into a staging folder. */
    private final class Build {
        private final Path staging;
        private final Progress progress;
        private final Optional<Manifest> before;
        private final boolean newest;
        private final AptPackages apt;
        private final SortedMap<String, String> packages = new TreeMap<>();
        private boolean updated;

        Build(Path staging, Progress progress, Optional<Manifest> before, boolean newest) {
            this.staging = staging;
            this.progress = progress;
            this.before = before;
            this.newest = newest;
            apt = new AptPackages(commands, staging);
        }

        Manifest run() throws GuestException, IOException, InterruptedException {
            Path kernel = obtain(KERNEL, this::fetchKernel);
            Path busybox = obtain(BUSYBOX, this::fetchBusybox);
            GuestFiles.checkKernel(kernel, shown(KERNEL));
            GuestFiles.checkBusybox(busybox, shown(BUSYBOX));
            progress.start("building the initial RAM file system");
            Initramfs files = describe(busybox);
            String source = files.sha256();
            List<String> applets = applets(busybox);
            progress.step(applets.size() + " BusyBox applets");
            files.applets(applets, "/bin/busybox").writeGzip(staging.resolve(INITRD));
            SortedMap<String, String> sums = new TreeMap<>();
            for (String name : List.of(KERNEL, BUSYBOX, INITRD)) {
                sums.put(name, Sha256.of(staging.resolve(name)));
            }
            Manifest manifest = new Manifest(packages, source, sums);
            manifest.write(staging);
            progress.done();
            return manifest;
        }

        /** Where a person finds a file: the given one, not its copy in the staging folder. */
        private Path shown(String file) {
            return packages.containsKey(file) ? given(file) : staging.resolve(file);
        }

        private Path obtain(String file, Fetch fetch)
                throws GuestException, IOException, InterruptedException {
            Path to = staging.resolve(file);
            Path given = given(file);
            if (Files.exists(given)) {
                Files.copy(given, to);
                packages.put(file, GIVEN);
                return to;
            }
            try {
                fetch.run(to);
            } catch (AptPackages.Refused e) {
                updateLists(e);
                try {
                    fetch.run(to);
                } catch (AptPackages.Refused again) {
                    throw new GuestException(again.reason(), again);
                }
            }
            return to;
        }

        /** After apt's refusal: a newer package list may help, and root can get it. */
        private void updateLists(AptPackages.Refused why)
                throws GuestException, IOException, InterruptedException {
            boolean root = commands.run(staging, List.of("id", "-u")).output().strip().equals("0");
            if (!root || updated) {
                throw new GuestException(
                        why.reason() + "; run `sudo apt-get update` and try again", why);
            }
            updated = true;
            progress.start("updating the package lists");
            apt.update();
            progress.done();
        }

        private void fetchKernel(Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            if (!newest && reuse(KERNEL, "linux-image-", to)) {
                return;
            }
            AptPackages.Candidate kernel = apt.kernel(firstKnown(metapackages));
            fetch(kernel, name -> name.startsWith("boot/vmlinuz-"), to);
        }

        private void fetchBusybox(Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            if (!newest && reuse(BUSYBOX, BUSYBOX_PACKAGE, to)) {
                return;
            }
            Predicate<String> wanted =
                    name -> name.equals("bin/busybox") || name.equals("usr/bin/busybox");
            fetch(apt.candidate(BUSYBOX_PACKAGE), wanted, to);
        }

        /** The first package that apt knows; the first refusal when it knows none. */
        private AptPackages.Candidate firstKnown(List<String> names)
                throws AptPackages.Refused, IOException, InterruptedException {
            try {
                return apt.candidate(names.getFirst());
            } catch (AptPackages.Refused e) {
                for (String name : names.subList(1, names.size())) {
                    if (apt.knows(name)) {
                        return apt.candidate(name);
                    }
                }
                throw e;
            }
        }

        private void fetch(AptPackages.Candidate wanted, Predicate<String> file, Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            String name = to.getFileName().toString();
            boolean same =
                    before.isPresent()
                            && wanted.version().equals(before.get().packages().get(wanted.name()));
            if (same && reuse(name, wanted.name(), to)) {
                return;
            }
            progress.start("fetching " + wanted.name());
            Path archive = apt.download(wanted, progress);
            progress.step("unpacking " + name);
            apt.extract(archive, file, to);
            Files.delete(archive);
            packages.put(wanted.name(), wanted.version());
            progress.done();
        }

        /** Takes a file over from the last build, when it came from such a package. */
        private boolean reuse(String file, String packagePrefix, Path to) throws IOException {
            if (before.isEmpty() || !before.get().files().containsKey(file)) {
                return false;
            }
            for (var entry : before.get().packages().entrySet()) {
                if (entry.getKey().startsWith(packagePrefix)) {
                    Path from = folder.resolve(file);
                    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
                    packages.put(entry.getKey(), entry.getValue());
                    return true;
                }
            }
            return false;
        }

        /** What this BusyBox can do; empty where it cannot be run, and then /init asks it. */
        private List<String> applets(Path busybox) throws InterruptedException {
            try {
                Files.setPosixFilePermissions(
                        busybox, PosixFilePermissions.fromString("rwxr-xr-x"));
                CommandRunner.Result result =
                        commands.run(staging, List.of(busybox.toString(), "--list-full"));
                return result.ok()
                        ? result.output().lines().filter(l -> !l.isBlank()).sorted().toList()
                        : List.of();
            } catch (IOException | UnsupportedOperationException e) {
                return List.of();
            }
        }
    }

    @FunctionalInterface
    private interface Fetch {
        void run(Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException;
    }
}

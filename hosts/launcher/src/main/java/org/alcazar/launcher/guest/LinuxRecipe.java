package org.alcazar.launcher.guest;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes the files of a Linux guest: the distribution's own kernel, byte for byte, and an initial
 * RAM file system with its static BusyBox.
 *
 * <p>Kernel and BusyBox come from the machine's package manager, or from files given by hand in
 * {@code given/GUEST/vmlinuz} and {@code given/GUEST/busybox} beside the recipe's sources; either
 * may be given alone. A list {@code GUEST.programs} among the sources names further programs of the
 * distribution, which come with the libraries they need, {@code GUEST.modules} modules out of the
 * kernel's own package (none where it is given), which get into {@code /lib/modules}; {@code
 * GUEST.list} names further files, in the form of {@link InitramfsList}. The result is a folder
 * with {@code vmlinuz}, {@code initrd.gz}, {@code busybox}, {@code programs}, {@code modules} and a
 * manifest; it appears whole or not at all.
 */
public final class LinuxRecipe {
    /** Name of the kernel's file in the folder of the result. */
    public static final String KERNEL = "vmlinuz";

    /** Name of the initial RAM file system's file in the folder of the result. */
    public static final String INITRD = "initrd.gz";

    private static final String BUSYBOX = "busybox";
    private static final String GIVEN = "given";
    private static final String LIST = "initramfs.list";

    /** The folder of the result with the further programs. */
    private static final String PROGRAMS = "programs";

    /** The folder of the result with the kernel's modules. */
    private static final String MODULES = "modules";

    /** Where the initial RAM file system has the contents of these folders. */
    private static final Map<String, String> PLACES = Map.of(PROGRAMS, "", MODULES, "/lib/modules");

    private static final Pattern KERNEL_FILE = Pattern.compile("boot/vmlinuz-.*");
    private static final Pattern BUSYBOX_FILE = Pattern.compile("(usr/)?bin/busybox");
    private static final Pattern MODULE_NAME = Pattern.compile("[\\w-]+");

    private static final List<String> CLOUD =
            List.of("linux-image-cloud-amd64", "linux-image-virtual");

    /** Guest names, and the metapackages for each: Debian's name, then Ubuntu's. */
    private static final Map<String, List<String>> METAPACKAGES =
            Map.of(
                    "linux", CLOUD,
                    "linux-bench", CLOUD,
                    "linux-generic", List.of("linux-image-amd64", "linux-image-generic"),
                    "linux-memory", CLOUD,
                    "linux-soak", CLOUD,
                    "linux-stress", CLOUD);

    private static final String KERNEL_PACKAGES = "linux-image-";
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
     * @param guest one of {@link #names}
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
                    && !(Files.exists(given(KERNEL))
                            && Files.exists(given(BUSYBOX))
                            && !Files.exists(list(PROGRAMS)))) {
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
        return hasListed(manifest, PROGRAMS)
                && (Files.exists(given(KERNEL)) || hasListed(manifest, MODULES))
                && describe(folder, manifest.files().keySet()).sha256().equals(manifest.source());
    }

    /** Whether the result was made with the list that there is now. */
    private boolean hasListed(Manifest manifest, String what) throws IOException {
        String now = Files.exists(list(what)) ? Sha256.of(list(what)) : "";
        return now.equals(manifest.files().getOrDefault(copyOf(what), ""));
    }

    /** What a person has listed of programs or modules. */
    private Path list(String what) {
        return sources.resolve(guest + "." + what);
    }

    /** The copy of a list in the result. */
    private static String copyOf(String what) {
        return what + ".list";
    }

    private Built built(Manifest manifest) {
        return new Built(
                guest, folder.resolve(KERNEL), folder.resolve(INITRD), manifest.packages());
    }

    private Path given(String file) {
        return sources.resolve(GIVEN).resolve(guest).resolve(file);
    }

    /** The initial RAM file system without applets, of the files in a folder with these names. */
    private Initramfs describe(Path from, Collection<String> names) throws GuestException {
        Map<String, Path> values = Map.of(BUSYBOX, from.resolve(BUSYBOX));
        Initramfs files = InitramfsList.read(sources.resolve(LIST), values);
        Path own = sources.resolve(guest + ".list");
        if (Files.exists(own)) {
            InitramfsList.add(own, values, files);
        }
        for (String name : names) {
            int slash = name.indexOf('/');
            String place = slash < 0 ? null : PLACES.get(name.substring(0, slash));
            if (place != null) {
                files.file(place + name.substring(slash), 0755, from.resolve(name));
            }
        }
        return files;
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
            if (Files.exists(list(PROGRAMS))) {
                retried(this::fetchPrograms);
            }
            progress.start("building the initial RAM file system");
            List<String> names = new ArrayList<>(files(staging));
            Initramfs files = describe(staging, names);
            String source = files.sha256();
            List<String> applets = applets(busybox);
            progress.step(applets.size() + " BusyBox applets");
            files.applets(applets, "/bin/busybox").writeGzip(staging.resolve(INITRD));
            names.add(INITRD);
            SortedMap<String, String> sums = new TreeMap<>();
            for (String name : names) {
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
            retried(() -> fetch.run(to));
            return to;
        }

        /** Fetches something; after a refusal once more, from newer package lists. */
        private void retried(Step step) throws GuestException, IOException, InterruptedException {
            try {
                step.run();
            } catch (AptPackages.Refused e) {
                updateLists(e);
                try {
                    step.run();
                } catch (AptPackages.Refused again) {
                    throw new GuestException(again.reason(), again);
                }
            }
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
            boolean sameList = before.isPresent() && hasListed(before.get(), MODULES);
            Map<Pattern, Path> wanted = new LinkedHashMap<>();
            wanted.put(KERNEL_FILE, to);
            wanted.putAll(listedModules());
            if (sameList && !newest && reuse(KERNEL, KERNEL_PACKAGES, to)) {
                reuseFolder(MODULES, before.get());
                return;
            }
            AptPackages.Candidate kernel = apt.kernel(firstKnown(metapackages));
            if (sameList && wasUsed(kernel) && reuse(KERNEL, kernel.name(), to)) {
                reuseFolder(MODULES, before.get());
                return;
            }
            fetch(kernel, wanted);
        }

        /**
         * Modules as they lie in the kernel's package, and where they go. One that is not there is
         * left out: some kernels have it built in, some distributions in another package.
         */
        private Map<Pattern, Path> listedModules() throws GuestException, IOException {
            Path list = list(MODULES);
            if (!Files.exists(list)) {
                return Map.of();
            }
            Files.copy(list, staging.resolve(copyOf(MODULES)), REPLACE_EXISTING);
            Path folder = Files.createDirectories(staging.resolve(MODULES));
            Map<Pattern, Path> out = new LinkedHashMap<>();
            int number = 0;
            for (String line : Files.readAllLines(list)) {
                number++;
                String name = line.strip();
                if (name.isEmpty() || name.startsWith("#")) {
                    continue;
                }
                if (!MODULE_NAME.matcher(name).matches()) {
                    throw new GuestException(
                            list + ":" + number + ": not a module's name: '" + name + "'");
                }
                String file = name + ".ko";
                out.put(
                        Pattern.compile("(usr/)?lib/modules/.*/" + Pattern.quote(file)),
                        folder.resolve(file));
            }
            return out;
        }

        private void fetchBusybox(Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            if (!newest && reuse(BUSYBOX, BUSYBOX_PACKAGE, to)) {
                return;
            }
            AptPackages.Candidate busybox = apt.candidate(BUSYBOX_PACKAGE);
            if (!wasUsed(busybox) || !reuse(BUSYBOX, busybox.name(), to)) {
                fetch(busybox, Map.of(BUSYBOX_FILE, to));
            }
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

        private void fetch(AptPackages.Candidate wanted, Map<Pattern, Path> files)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            progress.start("fetching " + wanted.name());
            Path archive = apt.download(wanted, progress);
            progress.step("unpacking " + files.values().iterator().next().getFileName());
            for (Path missing : apt.extract(archive, files)) {
                progress.step("it has no " + missing.getFileName());
            }
            Files.delete(archive);
            packages.put(wanted.name(), wanted.version());
            progress.done();
        }

        private void fetchPrograms()
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            boolean sameList = before.isPresent() && hasListed(before.get(), PROGRAMS);
            Path list = list(PROGRAMS);
            Files.copy(list, staging.resolve(copyOf(PROGRAMS)), REPLACE_EXISTING);
            List<ProgramFiles.Program> programs = ProgramFiles.readList(list);
            SortedMap<String, AptPackages.Candidate> wanted = new TreeMap<>();
            if (!sameList || newest) {
                for (ProgramFiles.Program program : programs) {
                    apt.withDependencies(program.packageName())
                            .forEach(one -> wanted.put(one.name(), one));
                }
            }
            if (sameList && wanted.values().stream().allMatch(this::wasUsed)) {
                reusePrograms(before.get());
            } else {
                unpackPrograms(programs, List.copyOf(wanted.values()));
            }
        }

        private boolean wasUsed(AptPackages.Candidate one) {
            return before.isPresent()
                    && one.version().equals(before.get().packages().get(one.name()));
        }

        private void reuseFolder(String which, Manifest last) throws IOException {
            for (String name : last.files().keySet()) {
                if (name.startsWith(which + "/")) {
                    Files.createDirectories(staging.resolve(name).resolveSibling("."));
                    Files.copy(folder.resolve(name), staging.resolve(name), REPLACE_EXISTING);
                }
            }
        }

        private void reusePrograms(Manifest last) throws IOException {
            reuseFolder(PROGRAMS, last);
            for (var entry : last.packages().entrySet()) {
                boolean otherFile =
                        entry.getKey().startsWith(KERNEL_PACKAGES)
                                || entry.getKey().equals(BUSYBOX_PACKAGE);
                if (!otherFile) {
                    packages.put(entry.getKey(), entry.getValue());
                }
            }
        }

        private void unpackPrograms(
                List<ProgramFiles.Program> programs, List<AptPackages.Candidate> wanted)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException {
            progress.start("fetching programs");
            progress.step(wanted.size() + " packages");
            Path tree = Files.createDirectories(staging.resolve("unpacked"));
            for (Path archive : apt.download(wanted)) {
                apt.unpack(archive, tree);
                Files.delete(archive);
            }
            ProgramFiles.copy(programs, tree, staging.resolve(PROGRAMS));
            StagingFolder.deleteTree(tree);
            wanted.forEach(one -> packages.put(one.name(), one.version()));
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
                    Files.copy(from, to, REPLACE_EXISTING);
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

    /** Names of all files in a folder and those below, sorted. */
    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @FunctionalInterface
    private interface Step {
        void run() throws AptPackages.Refused, GuestException, IOException, InterruptedException;
    }

    @FunctionalInterface
    private interface Fetch {
        void run(Path to)
                throws AptPackages.Refused, GuestException, IOException, InterruptedException;
    }
}

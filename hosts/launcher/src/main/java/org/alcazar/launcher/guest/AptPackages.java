package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Fetches packages with apt and takes files out of them, without installing anything. Needs root
 * for nothing but the package lists; apt itself checks signatures and sizes.
 */
final class AptPackages {
    /**
     * A package as apt would install it now.
     *
     * @param size of the archive in bytes
     * @param depends the text of its Depends field, empty without one
     */
    record Candidate(String name, String version, long size, String depends) {}

    /** Apt says no; a newer package list may help. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        private final String reason;

        Refused(String reason) {
            super(reason);
            this.reason = reason;
        }

        /** What apt said, one line without a full stop. */
        String reason() {
            return reason;
        }
    }

    private static final Pattern KERNEL =
            Pattern.compile("(?:^|[,|]\\s*)(linux-image-(?:unsigned-)?[0-9][^\\s,|(]*)");

    /** How {@code --simulate} says what it would install: name, version, origin. */
    private static final Pattern INSTALLS = Pattern.compile("Inst ([^ :]+)\\S* \\(([^ ]+) .*");

    private static final long MEGABYTE = 1_000_000;

    private final CommandRunner commands;
    private final Path folder;

    /**
     * Creates the client.
     *
     * @param folder where archives are put while they are needed
     */
    AptPackages(CommandRunner commands, Path folder) {
        this.commands = commands;
        this.folder = folder;
    }

    /** Whether this machine has the programs needed. */
    static boolean present(CommandRunner commands) {
        return commands.has("apt-get") && commands.has("apt-cache") && commands.has("dpkg-deb");
    }

    /** The candidate of a package. */
    Candidate candidate(String name) throws Refused, IOException, InterruptedException {
        CommandRunner.Result result =
                commands.run(folder, List.of("apt-cache", "show", "--no-all-versions", name));
        Optional<String> version = field(result.output(), "Version");
        if (!result.ok() || version.isEmpty()) {
            throw new Refused("apt knows no package " + name);
        }
        String size = field(result.output(), "Size").orElse("0");
        String depends = field(result.output(), "Depends").orElse("");
        return new Candidate(name, version.get(), Long.parseLong(size), depends);
    }

    /** Whether apt has a candidate of a package. */
    boolean knows(String name) throws IOException, InterruptedException {
        return commands.run(folder, List.of("apt-cache", "show", "--no-all-versions", name)).ok();
    }

    /** The package with the kernel itself, that a metapackage leads to. */
    Candidate kernel(Candidate metapackage) throws Refused, IOException, InterruptedException {
        Matcher matcher = KERNEL.matcher(metapackage.depends());
        if (!matcher.find()) {
            throw new Refused(metapackage.name() + " depends on no linux-image-VERSION package");
        }
        return candidate(matcher.group(1));
    }

    private static Optional<String> field(String output, String name) {
        String start = name + ": ";
        return output.lines()
                .filter(line -> line.startsWith(start))
                .map(line -> line.substring(start.length()).strip())
                .findFirst();
    }

    /**
     * A package and all that it depends on, as apt would install them on an empty machine; without
     * recommendations, sorted by name, their sizes not known.
     */
    List<Candidate> withDependencies(String name)
            throws Refused, IOException, InterruptedException {
        // With no list of installed packages nothing counts as there already.
        CommandRunner.Result result =
                commands.run(
                        folder,
                        List.of(
                                "apt-get",
                                "-qq",
                                "--simulate",
                                "--no-install-recommends",
                                "-o",
                                "Dir::State::status=/dev/null",
                                "install",
                                name));
        List<Candidate> all =
                result.output()
                        .lines()
                        .map(INSTALLS::matcher)
                        .filter(Matcher::matches)
                        .map(line -> new Candidate(line.group(1), line.group(2), 0, ""))
                        .sorted(Comparator.comparing(Candidate::name))
                        .toList();
        if (!result.ok() || all.stream().noneMatch(c -> c.name().equals(name))) {
            throw new Refused("apt-get install " + name + ": " + firstError(result));
        }
        return all;
    }

    /** Fetches a package's archive into the folder. */
    Path download(Candidate wanted, Progress progress)
            throws Refused, IOException, InterruptedException {
        progress.step(
                "%s %s (%.1f MB)"
                        .formatted(
                                wanted.name(),
                                wanted.version(),
                                (double) wanted.size() / MEGABYTE));
        return download(List.of(wanted)).getFirst();
    }

    /** Fetches archives into the folder, in one go. */
    List<Path> download(List<Candidate> wanted) throws Refused, IOException, InterruptedException {
        // The sandbox user _apt cannot write here and apt would warn of it.
        List<String> command =
                new ArrayList<>(
                        List.of("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"));
        wanted.forEach(one -> command.add(one.name() + "=" + one.version()));
        CommandRunner.Result result = commands.run(folder, command);
        if (!result.ok()) {
            String names = wanted.stream().map(Candidate::name).collect(Collectors.joining(" "));
            throw new Refused("apt-get download " + names + ": " + firstError(result));
        }
        List<Path> archives = new ArrayList<>();
        for (Candidate one : wanted) {
            archives.add(downloaded(one.name()));
        }
        return archives;
    }

    private Path downloaded(String name) throws Refused, IOException {
        for (Path file : StagingFolder.list(folder)) {
            String found = file.getFileName().toString();
            if (found.startsWith(name + "_") && found.endsWith(".deb")) {
                return file;
            }
        }
        throw new Refused("apt-get download " + name + " left no archive");
    }

    /** Unpacks all files of an archive below a folder. */
    void unpack(Path archive, Path to) throws Refused, IOException, InterruptedException {
        CommandRunner.Result result =
                commands.run(
                        folder,
                        List.of("dpkg-deb", "--extract", archive.toString(), to.toString()));
        if (!result.ok()) {
            throw new Refused("dpkg-deb: " + firstError(result));
        }
    }

    /**
     * Copies the first file that fits each pattern out of an archive.
     *
     * @param wanted the first one is what the archive is fetched for, the others may be missing
     * @return what is missing
     */
    Collection<Path> extract(Path archive, Map<Pattern, Path> wanted)
            throws Refused, IOException, InterruptedException {
        Map<Pattern, Path> missing = new LinkedHashMap<>(wanted);
        CommandRunner.Result result =
                commands.run(
                        folder,
                        List.of("dpkg-deb", "--fsys-tarfile", archive.toString()),
                        in -> missing.keySet().retainAll(new TarReader(in).extract(wanted)));
        if (!result.ok()) {
            throw new Refused("dpkg-deb: " + firstError(result));
        }
        Path first = wanted.values().iterator().next();
        if (missing.containsValue(first)) {
            throw new Refused(archive.getFileName() + " does not hold " + first.getFileName());
        }
        return missing.values();
    }

    /** Fetches the package lists; needs root. */
    void update() throws GuestException, IOException, InterruptedException {
        CommandRunner.Result result = commands.run(folder, List.of("apt-get", "-qq", "update"));
        if (!result.ok()) {
            throw new GuestException("apt-get update: " + firstError(result));
        }
    }

    /** The first error a program named, else the first line it said, else its exit status. */
    private static String firstError(CommandRunner.Result result) {
        List<String> lines = result.errors().lines().filter(line -> !line.isBlank()).toList();
        return lines.stream()
                .filter(line -> line.startsWith("E: "))
                .findFirst()
                .or(() -> lines.stream().findFirst())
                .map(line -> line.replaceFirst("^E: ", ""))
                .orElse("exit status " + result.status());
    }
}

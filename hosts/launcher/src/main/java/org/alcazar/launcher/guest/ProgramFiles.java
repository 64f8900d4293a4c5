package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Programs of the distribution that a guest has beside BusyBox, each with its dynamic linker and
 * the shared libraries that it names, and theirs; nothing else of their packages.
 *
 * <p>A list names them, one in a line: package, blank, the program's path. In the guest programs
 * and dynamic linker keep their paths; all libraries are in {@value #LIBRARIES}, which every
 * dynamic linker searches.
 */
final class ProgramFiles {
    private static final String LIBRARIES = "/lib/";
    private static final Pattern LINE = Pattern.compile("([a-z0-9][a-z0-9+.-]*) +(/\\S+)");

    /** One line of a list. */
    record Program(String packageName, String path) {}

    private final Path tree;
    private final Map<String, Path> libraries;
    private final SortedMap<String, Path> found = new TreeMap<>();

    private ProgramFiles(Path tree, Map<String, Path> libraries) {
        this.tree = tree;
        this.libraries = libraries;
    }

    /** Reads a list; blank lines and lines that begin with # say nothing. */
    static List<Program> readList(Path list) throws GuestException, IOException {
        List<Program> programs = new ArrayList<>();
        int number = 0;
        for (String line : Files.readAllLines(list)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            var matcher = LINE.matcher(line.strip());
            if (!matcher.matches()) {
                throw new GuestException(
                        list + ":" + number + ": not of the form 'PACKAGE /PATH/PROGRAM'");
            }
            programs.add(new Program(matcher.group(1), matcher.group(2)));
        }
        return programs;
    }

    /**
     * Copies the programs, and what they need, from a tree of unpacked packages.
     *
     * @param tree where the packages were unpacked
     * @param to the folder that gets the files, under their paths in the guest
     */
    static void copy(List<Program> programs, Path tree, Path to)
            throws GuestException, IOException {
        ProgramFiles files = new ProgramFiles(tree, libraries(tree));
        for (Program program : programs) {
            files.add(program);
        }
        for (var file : files.found.entrySet()) {
            Path target = to.resolve(file.getKey().substring(1));
            Files.createDirectories(target.resolveSibling("."));
            Files.copy(file.getValue(), target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** All that may be a library, by its name; where a file and a link have one name, the file. */
    private static Map<String, Path> libraries(Path tree) throws IOException {
        Map<String, Path> byName = new TreeMap<>();
        try (Stream<Path> all = Files.walk(tree)) {
            all.filter(path -> path.getFileName().toString().contains(".so"))
                    .filter(path -> !Files.isDirectory(path))
                    .sorted()
                    .forEach(path ->
                            byName.merge(
                                    path.getFileName().toString(),
                                    path,
                                    (one, other) -> Files.isSymbolicLink(one) ? other : one));
        }
        return byName;
    }

    private void add(Program program) throws GuestException, IOException {
        Path file = tree.resolve(program.path().substring(1));
        Optional<ElfProgram> elf =
                Files.isRegularFile(file) ? ElfProgram.read(file) : Optional.empty();
        if (elf.isEmpty()) {
            throw new GuestException(
                    "package " + program.packageName() + " has no program " + program.path());
        }
        found.put(program.path(), file);
        String linker = "";
        if (elf.get().interpreter().isPresent()) {
            String path = elf.get().interpreter().get();
            linker = path.substring(path.lastIndexOf('/') + 1);
            found.put(path, library(linker, program.path()));
        }
        addLibraries(program.path(), elf.get(), linker);
    }

    private void addLibraries(String program, ElfProgram elf, String linker)
            throws GuestException, IOException {
        Deque<String> wanted = new ArrayDeque<>(elf.needed());
        while (!wanted.isEmpty()) {
            String name = wanted.removeFirst();
            if (name.equals(linker) || found.containsKey(LIBRARIES + name)) {
                continue;
            }
            Path file = library(name, program);
            found.put(LIBRARIES + name, file);
            ElfProgram.read(file).ifPresent(library -> wanted.addAll(library.needed()));
        }
    }

    /** A library's file; links are followed by name, for they may be absolute. */
    private Path library(String name, String program) throws GuestException, IOException {
        Path file = libraries.get(name);
        int links = 0;
        while (file != null && Files.isSymbolicLink(file)) {
            Path target = Files.readSymbolicLink(file);
            file = links++ < 8 ? libraries.get(target.getFileName().toString()) : null;
        }
        if (file == null) {
            throw new GuestException(
                    program + " needs " + name + ", which no package it depends on has");
        }
        return file;
    }
}

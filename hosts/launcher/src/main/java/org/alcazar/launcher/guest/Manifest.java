package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a folder of built guest files holds and what it was made of. Kept beside the files in
 * {@value #FILE}, one fact in a line, words separated by one blank:
 *
 * <pre>
 * alcazar-guest 1
 * package NAME VERSION
 * source SHA-256
 * file NAME SHA-256
 * </pre>
 *
 * @param packages package names with their versions; a file given by hand has the version {@code
 *     given}
 * @param source the SHA-256 of the initial RAM file system as described, before applets are added
 * @param files the built files, by name, with their SHA-256
 */
record Manifest(
        SortedMap<String, String> packages, String source, SortedMap<String, String> files) {
    static final String FILE = "manifest";
    private static final String FIRST_LINE = "alcazar-guest 1";

    /** Reads a folder's manifest; empty when there is none or it is not of this form. */
    static Optional<Manifest> read(Path folder) throws IOException {
        List<String> lines;
        try {
            lines =
                    Files.readString(folder.resolve(FILE), StandardCharsets.ISO_8859_1)
                            .lines()
                            .toList();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        SortedMap<String, String> packages = new TreeMap<>();
        SortedMap<String, String> files = new TreeMap<>();
        List<String> source = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            if (words.length == 3 && words[0].equals("package")) {
                packages.put(words[1], words[2]);
            } else if (words.length == 3 && words[0].equals("file")) {
                files.put(words[1], words[2]);
            } else if (words.length == 2 && words[0].equals("source")) {
                source.add(words[1]);
            } else if (!line.equals(FIRST_LINE)) {
                return Optional.empty();
            }
        }
        boolean whole = lines.contains(FIRST_LINE) && source.size() == 1;
        return whole
                ? Optional.of(new Manifest(packages, source.getFirst(), files))
                : Optional.empty();
    }

    /** Writes this into a folder. */
    void write(Path folder) throws IOException {
        StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
        packages.forEach((name, version) -> line(text, "package", name, version));
        line(text, "source", source);
        files.forEach((name, sha) -> line(text, "file", name, sha));
        Files.writeString(folder.resolve(FILE), text, StandardCharsets.ISO_8859_1);
    }

    private static void line(StringBuilder text, String... words) {
        text.append(String.join(" ", words)).append('\n');
    }

    /** Whether the folder has all files of this manifest, unchanged. */
    boolean matches(Path folder) throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            if (!Files.isRegularFile(path) || !Sha256.of(path).equals(file.getValue())) {
                return false;
            }
        }
        return true;
    }
}

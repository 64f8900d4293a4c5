package org.alcazar.launcher.framework;

import org.alcazar.launcher.message.Failure;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The options of the distribution's hosts, for help: out of the list that each host's bundle has
 * beside its activator, {@code org/alcazar/hosts/NAME/options}, of lines {@code key | type | range
 * | default | what it does}.
 */
public final class HostHelp {
    private HostHelp() {}

    /** Lines for people; none where there is no distribution yet. */
    public static List<String> lines(BundleFolder folder) {
        List<String> lines = new ArrayList<>();
        try {
            for (Path file : folder.hosts()) {
                String name = BundleFolder.hostName(file);
                lines.add(name);
                lines.addAll(options(file, name));
            }
        } catch (Failure | IOException e) {
            return List.of();
        }
        return lines;
    }

    private static List<String> options(Path file, String name) throws IOException {
        try (ZipFile jar = new ZipFile(file.toFile())) {
            ZipEntry entry = jar.getEntry("org/alcazar/hosts/" + name + "/options");
            if (entry == null) {
                return List.of();
            }
            var reader =
                    new BufferedReader(
                            new InputStreamReader(
                                    jar.getInputStream(entry), StandardCharsets.UTF_8));
            return reader.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(HostHelp::option)
                    .toList();
        }
    }

    private static String option(String line) {
        String[] parts = line.split("\\s*\\|\\s*", -1);
        if (parts.length != 5) {
            return "  " + line;
        }
        String range = parts[2].isEmpty() ? parts[1] : parts[2].replace('/', '|');
        String otherwise = parts[3].isEmpty() ? "" : " (default " + parts[3] + ")";
        return "  %s=%s%n      %s%s".formatted(parts[0], range, parts[4], otherwise);
    }
}

package org.alcazar.launcher.bundle;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;
import org.alcazar.launcher.message.Status;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** The families that there is a template of, from the archetype's table. */
final class Families {
    private final Path archetype;
    private final Map<String, String> groups;

    private Families(Path archetype, Map<String, String> groups) {
        this.archetype = archetype;
        this.groups = groups;
    }

    /**
     * Reads the table.
     *
     * @param root the source tree
     * @throws Failure if this is none
     */
    static Families read(Path root) throws Failure {
        Path archetype = root.resolve("plugins/archetype");
        Properties lines = new Properties();
        try (Reader in = Files.newBufferedReader(archetype.resolve("families.properties"))) {
            lines.load(in);
        } catch (IOException e) {
            throw new Failure(
                    Status.USAGE, root + " is no source tree of Alcazar: it has no templates", e);
        }
        Map<String, String> groups = new TreeMap<>();
        lines.stringPropertyNames().forEach(name -> groups.put(name, lines.getProperty(name)));
        return new Families(archetype, groups);
    }

    /**
     * The word for many of a family, which is part of bundles' names: {@code devices} for {@code
     * device}.
     *
     * @throws Failure if there is no such family
     */
    String group(String family) throws Failure {
        String group = groups.get(family);
        if (group == null) {
            throw Failure.usage(
                    "no family '" + family + "'" + Spelling.suggest(family, groups.keySet()));
        }
        return group;
    }

    /** What the project of a family is made from. */
    Path template(String family) {
        return archetype.resolve("src/main/resources/archetype-resources").resolve(family);
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.launcher.ProgramRun.End;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A project of each family, made by the program outside of the tree, built and tested by Maven: all
 * of them in one run, which the projects do not notice.
 */
@Tag("machine")
class BundleTemplateIT {
    private static final String ALL =
            """
            <project xmlns="http://maven.apache.org/POM/4.0.0">
              <modelVersion>4.0.0</modelVersion>
              <groupId>org.alcazar</groupId>
              <artifactId>all</artifactId>
              <version>1</version>
              <packaging>pom</packaging>
              <modules>%s</modules>
            </project>
            """;

    @TempDir private Path folder;

    private static Set<String> families() throws Exception {
        Properties table = new Properties();
        try (Reader in =
                Files.newBufferedReader(
                        ProgramRun.root().resolve("plugins/archetype/families.properties"))) {
            table.load(in);
        }
        return new TreeSet<>(table.stringPropertyNames());
    }

    @Test
    void thereIsATemplateOfEachFamilyThatPluginsCanBeOf() throws Exception {
        Path api = ProgramRun.root().resolve("vmm-core/api/src/main/java/org/alcazar/vmm/plugin");
        long interfaces;
        try (Stream<Path> files = Files.list(api)) {
            List<Path> sources = files.toList();
            interfaces = 0;
            for (Path source : sources) {
                interfaces += Files.readString(source).contains(" extends PluginType") ? 1 : 0;
            }
        }
        assertEquals(interfaces, families().size(), () -> "families " + api);
    }

    @Test
    void aProjectOfEachFamilyIsMadeAndPassesItsTests() throws Exception {
        for (String family : families()) {
            try (ProgramRun made =
                    ProgramRun.start(
                            "bundle", "new", family, name(family), "--in", folder.toString())) {
                End end = made.end();
                assertEquals(0, end.status(), end.err());
            }
        }
        String modules =
                families().stream()
                        .map(family -> "<module>" + name(family) + "</module>")
                        .collect(Collectors.joining());
        Files.writeString(folder.resolve("pom.xml"), ALL.formatted(modules));
        assertMavenSucceeds();
        for (String family : families()) {
            assertTested(folder.resolve(name(family)));
        }
        try (ProgramRun doctor =
                ProgramRun.start("bundle", "doctor", folder.resolve(name("device")).toString())) {
            End end = doctor.end();
            assertEquals(
                    "org.alcazar.devices.my-device-1.0.0-SNAPSHOT.jar: offers device my-device\n",
                    end.out(),
                    end.err());
            assertEquals(0, end.status());
        }
    }

    private static String name(String family) {
        return "my-" + family;
    }

    private void assertMavenSucceeds() throws Exception {
        Process maven =
                new ProcessBuilder("mvn", "-B", "-T2", "-fae", "--no-transfer-progress", "package")
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(maven.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, maven.waitFor(), output);
    }

    /** Tests that are skipped (no assembler) prove nothing, nor do those that were not found. */
    private static void assertTested(Path project) throws Exception {
        try (Stream<Path> reports = Files.list(project.resolve("target/surefire-reports"))) {
            List<Path> texts = reports.filter(file -> file.toString().endsWith(".txt")).toList();
            List<String> results =
                    texts.stream()
                            .map(BundleTemplateIT::text)
                            .filter(t -> t.contains("Skipped: 0"))
                            .toList();
            assertEquals(texts.size(), results.size(), () -> "skipped tests in " + project);
            assertEquals(
                    1,
                    texts.stream().filter(t -> t.toString().endsWith("GuestTest.txt")).count(),
                    () -> "tests with a guest in " + project);
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}

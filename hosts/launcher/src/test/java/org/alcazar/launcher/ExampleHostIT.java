package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.guest.Progress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The host of {@code host-api/example}, which belongs to nobody's build: it is copied out of the
 * tree, built and tested by Maven there, and boots a guest.
 */
@Tag("machine")
class ExampleHostIT {
    private static final int MOST_LINES = 300;

    @TempDir private Path folder;

    private static Path example() {
        return ProgramRun.root().resolve("host-api/example");
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(example())) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !example().relativize(file).startsWith("target"))
                    .toList();
        }
    }

    @Test
    void itIsAWholeHostInFewLines() throws IOException {
        int lines = 0;
        for (Path file : files()) {
            lines += file.toString().endsWith(".java") ? Files.readAllLines(file).size() : 0;
        }
        assertTrue(lines > 100 && lines < MOST_LINES, lines + " lines of Java");
    }

    @Test
    void itIsBuiltOutsideOfTheTreePassesTheSuiteAndBootsAGuest() throws Exception {
        copy();
        run(List.of(ProgramRun.root().resolve("alcazar").toString(), "repository"));
        run(List.of("mvn", "-B", "--no-transfer-progress", "package"));
        Path report =
                folder.resolve("target/surefire-reports/org.example.minimal.MinimalHostTest.txt");
        String result = Files.readString(report);
        assertTrue(result.contains("Failures: 0, Errors: 0"), result);
        new GuestCatalog(ProgramRun.root().resolve("guests"), new MachineCommands(System.getenv()))
                .build("micro", Progress.SILENT);
        Path jar = folder.resolve("target/org.example.minimal-1.0.0-SNAPSHOT.jar");
        End boot = boot(jar, "minimal");
        assertEquals("", boot.err());
        assertEquals(33, boot.status(), "the guest's own, of success");
        End other = boot(jar, "jvm");
        assertEquals(2, other.status());
        assertEquals(
                "alcazar: %s: is the host 'minimal', but the host is 'jvm'; choose it with --host minimal"
                        .formatted(jar),
                other.err().strip());
        End misspelt = boot(jar, "minimum");
        assertEquals(2, misspelt.status());
        assertTrue(misspelt.err().contains("minimal"), misspelt.err());
    }

    private static End boot(Path jar, String host) throws Exception {
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "--bundle",
                        jar.toString(),
                        "--host",
                        host,
                        "--kernel",
                        BootIT.micro("timer.elf"),
                        "--memory",
                        "16M",
                        "--console",
                        "none",
                        "--timeout",
                        "100")) {
            return program.end();
        }
    }

    /** As its README says: the repository's path goes into the pom. */
    private void copy() throws IOException {
        for (Path file : files()) {
            Path to = folder.resolve(example().relativize(file));
            Files.createDirectories(to.getParent());
            Files.copy(file, to);
        }
        Path pom = folder.resolve("pom.xml");
        String url = ProgramRun.root().resolve("target/repository").toUri().getRawPath();
        String text = Files.readString(pom);
        assertTrue(text.contains("/path/to/alcazar/target/repository"), text);
        Files.writeString(
                pom,
                text.replace("/path/to/alcazar/target/repository", url.replaceFirst("/$", "")));
    }

    private void run(List<String> command) throws Exception {
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }
}

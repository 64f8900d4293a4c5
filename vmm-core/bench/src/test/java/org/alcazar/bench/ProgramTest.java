package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The programs in {@code guests/bench}: that they build, run here, and are those known here. */
class ProgramTest {
    private static final Path SOURCES = Path.of("../../guests/bench");

    @Test
    void eachProgramHasAChecksumAndEachChecksumAProgram() throws Exception {
        List<String> checked =
                Files.readAllLines(SOURCES.resolve("checksums")).stream()
                        .map(line -> line.split(" ", -1)[0])
                        .toList();
        assertEquals(programs(), checked);
    }

    @Test
    void theGuestHasThemAll() throws Exception {
        Path list = SOURCES.resolveSibling("linux").resolve("linux-bench.list");
        List<String> inGuest =
                Files.readAllLines(list).stream()
                        .filter(line -> line.contains(" ../bench/build/"))
                        .map(line -> line.split(" ", -1)[1])
                        .sorted()
                        .toList();
        assertEquals(programs().stream().map(name -> "/bench/" + name).sorted().toList(), inGuest);
    }

    private static List<String> programs() {
        return Program.ALL.stream()
                .filter(program -> !program.equals(Program.BOOT))
                .map(Program::name)
                .toList();
    }

    @Test
    void eachProgramComputesItsChecksumOnThisMachine() throws Exception {
        Process make =
                new ProcessBuilder("make", "-s", "check")
                        .directory(SOURCES.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, make.waitFor(), said);
    }
}

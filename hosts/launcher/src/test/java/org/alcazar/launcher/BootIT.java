package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.guest.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * Whole machines: the assembled program in a process of its own, with real guests. Runs after the
 * distribution has been put together (Maven's phase integration-test).
 */
@Tag("machine")
class BootIT {
    private static final MachineCommands PROGRAMS = new MachineCommands(System.getenv());

    @TempDir private Path folder;

    @BeforeAll
    static void everythingIsThere() throws IOException, GuestException, InterruptedException {
        for (String bundle :
                List.of("vmm.core", "hosts.jvm", "engines.x86", "platforms.pc", "loaders")) {
            Path jar = ProgramRun.home().resolve("bundles/org.alcazar." + bundle + ".jar");
            assumeTrue(hasClasses(jar), jar + " is there and filled");
        }
        new GuestCatalog(ProgramRun.root().resolve("guests"), PROGRAMS)
                .build("micro", Progress.SILENT);
    }

    private static boolean hasClasses(Path jar) throws IOException {
        if (!Files.exists(jar)) {
            return false;
        }
        try (JarFile file = new JarFile(jar.toFile());
                Stream<String> names = file.stream().map(entry -> entry.getName())) {
            return names.anyMatch(name -> name.endsWith(".class"));
        }
    }

    private static String micro(String name) {
        return ProgramRun.root().resolve("guests/micro/build").resolve(name).toString();
    }

    private static End run(String... arguments) throws IOException, InterruptedException {
        try (ProgramRun program = ProgramRun.start(arguments)) {
            return program.end();
        }
    }

    private static void assertNoCacheOf(long pid) throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().contains("alcazar-cache-" + pid + "-"))
                            .toList());
        }
    }

    @Test
    void aTinyGuestPrintsAndItsStatusIsTheProgrammes() throws IOException, InterruptedException {
        End end = run("run", "--kernel", micro("hello.elf"), "--memory", "16M");
        assertEquals("", end.err());
        assertTrue(end.out().contains("ok hello"), end.out());
        assertEquals(33, end.status());
    }

    @ParameterizedTest
    @CsvSource({"timer.elf, timer", "pvh.elf, pvh", "longmode.elf, longmode", "apic.elf, apic"})
    void everyKindOfTinyGuestRuns(String file, String name)
            throws IOException, InterruptedException {
        End end = run("run", "--kernel", micro(file), "--memory", "64M", "--timeout", "60");
        assertTrue(end.out().contains("ok " + name), end.out() + end.err());
        assertEquals(33, end.status(), end.err());
    }

    @Test
    void aGuestReadsStandardInput() throws IOException, InterruptedException {
        try (ProgramRun program = ProgramRun.start("run", "--kernel", micro("echo.elf"))) {
            End end =
                    program.until("quit ends")
                            .type("abc\n")
                            .until("echo: abc")
                            .type("quit\n")
                            .end();
            assertTrue(end.out().contains("ok echo"), end.out() + end.err());
            assertEquals(33, end.status());
        }
    }

    @Test
    void theEndOfStandardInputDoesNotStopAVmAndATimeoutDoes()
            throws IOException, InterruptedException {
        End end = run("run", "--kernel", micro("echo.elf"), "--timeout", "1");
        assertEquals(124, end.status(), end.err());
        assertEquals("alcazar: ended after 1 s (--timeout)\n", end.err());
    }

    @Test
    void aTripleFaultIsStatus4WithADump() throws IOException, InterruptedException {
        End end = run("run", "--kernel", micro("triple.elf"), "--memory", "16M");
        assertEquals(4, end.status(), end.err());
        assertTrue(end.err().startsWith("alcazar: the guest died: "), end.err());
        assertTrue(end.err().lines().count() > 5, end.err());
    }

    @ParameterizedTest
    @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
    void aSignalEndsTheVmAndLeavesNothing(String signal, int status)
            throws IOException, InterruptedException {
        try (ProgramRun program = ProgramRun.start("run", "--kernel", micro("echo.elf"))) {
            program.until("quit ends").signal(signal);
            assertEquals(status, program.end().status());
            assertNoCacheOf(program.pid());
        }
    }

    @Test
    void whatAKilledProcessLeftIsSweptByTheNext() throws IOException, InterruptedException {
        long killed;
        try (ProgramRun program = ProgramRun.start("run", "--kernel", micro("echo.elf"))) {
            program.until("quit ends").signal("KILL").end();
            killed = program.pid();
        }
        End next = run("run", "--kernel", micro("echo.elf"), "--timeout", "1");
        assertEquals(124, next.status(), next.err());
        assertNoCacheOf(killed);
    }

    @Test
    void onATerminalTheEscapeKeyEndsTheVmAndTheModeIsRestored()
            throws IOException, InterruptedException {
        assumeTrue(PROGRAMS.has("script"), "script(1) gives a terminal");
        try (ProgramRun program =
                ProgramRun.onTerminal(
                        "echo status $?; stty -a", "run", "--kernel", micro("echo.elf"))) {
            // Only now is the mode raw: before that Ctrl-C would be the terminal's.
            program.until("quit ends")
                    .type("a\u0003b\n")
                    .until("echo: a")
                    .type("\u0001x")
                    .until("status");
            End end = program.end();
            assertTrue(end.out().contains("status 130"), end.out());
            assertTrue(end.out().contains(" icanon"), end.out());
            assertTrue(end.out().contains(" echo "), end.out());
        }
    }

    @Test
    void statisticsTellExitsInstructionsAndPhases() throws IOException, InterruptedException {
        Path file = folder.resolve("s.json");
        run("run", "--kernel", micro("hello.elf"), "--stats", file.toString());
        String json = Files.readString(file);
        for (String key : List.of("\"status\": 33", "\"exits\"", "\"instructions\"", "\"run\"")) {
            assertTrue(json.contains(key), json);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--kernel FOREIGN",
                "--kernel TRUNCATED",
                "--kernel HELLO --device uart1650",
                "--kernel HELLO --engine steam",
                "--kernel HELLO --paging steam",
                "--kernel HELLO --bundle FOREIGN",
                "--kernel HELLO --memory 4K",
            })
    void badInputIsOneLineAndStatus2(String words) throws IOException, InterruptedException {
        Path foreign =
                Files.writeString(folder.resolve("foreign"), "no kernel at all\n".repeat(99));
        Path truncated = folder.resolve("truncated");
        byte[] whole = Files.readAllBytes(Path.of(micro("hello.elf")));
        Files.write(truncated, java.util.Arrays.copyOf(whole, 60));
        String line =
                words.replace("FOREIGN", foreign.toString())
                        .replace("TRUNCATED", truncated.toString())
                        .replace("HELLO", micro("hello.elf"));
        End end = run(("run " + line).split(" "));
        assertEquals(2, end.status(), end.err());
        assertEquals(1, end.err().lines().count(), end.err());
        assertTrue(end.err().startsWith("alcazar: "), end.err());
        assertEquals("", end.out());
    }

    @Test
    void doctorFindsTheBundlesInOrder() throws IOException, InterruptedException {
        End end = run("doctor");
        assertTrue(end.out().contains("ok       bundles"), end.out());
    }

    @Test
    void debiansKernelBootsToAnAnswer() throws IOException, InterruptedException {
        End end =
                run(
                        "run",
                        "linux",
                        "--append",
                        "console=ttyS0 alcazar.run=hello",
                        "--timeout",
                        "200");
        assertEquals(0, end.status(), end.err() + end.out());
        assertTrue(end.out().contains("Linux alcazar "), end.out());
        assertFalse(end.out().contains("BUG:"), end.out());
    }

    @Test
    void theShellAnswersAndPowersOff() throws IOException, InterruptedException {
        try (ProgramRun program = ProgramRun.start("run", "linux", "--timeout", "200")) {
            End end =
                    program.until("alcazar: init reached")
                            .until("# ")
                            .type("uname -a; echo $((6 * 7))\n")
                            .until("42")
                            .type("poweroff\n")
                            .end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertTrue(end.out().contains("Linux alcazar "), end.out());
        }
    }
}

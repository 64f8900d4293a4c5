package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
            assertTrue(hasClasses(jar), jar + " is there and filled");
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

    static String micro(String name) {
        return ProgramRun.root().resolve("guests/micro/build").resolve(name).toString();
    }

    private static End run(String... arguments) throws IOException, InterruptedException {
        try (ProgramRun program = ProgramRun.start(arguments)) {
            return program.end();
        }
    }

    static void assertNoCacheOf(long pid) throws IOException {
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

    /**
     * Those that find more in a PC than in an engine, but for those with tests of their own;
     * strictly by the book. The engine's MicroGuestTest runs the others.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "timer",
                "longmode",
                "paging",
                "paging64",
                "exceptions",
                "smc",
                "apic",
                "pvh",
                "mbmodules",
                "tasks",
                "vm86",
                "priority",
                "tlb",
                "xstate"
            })
    void aTinyGuestFindsItsPartOfThePcInOrder(String name)
            throws IOException, InterruptedException {
        End end =
                run(
                        "run",
                        "--kernel",
                        micro(name + ".elf"),
                        "--memory",
                        "64M",
                        "--append",
                        "strict",
                        "--timeout",
                        "100");
        assertEquals(33, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("ok " + name), end.out());
        assertEquals("", end.err());
    }

    @Test
    void everyGuestOfTheFolderHasATest() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(micro("")))) {
            assertEquals(
                    List.of(
                            "apic.elf",
                            "canonical.elf",
                            "debugregs.elf",
                            "echo.elf",
                            "exceptions.elf",
                            "gates.elf",
                            "gates64.elf",
                            "hello.elf",
                            "implicit.elf",
                            "longmode.elf",
                            "mbmodules.elf",
                            "msrs.elf",
                            "paging.elf",
                            "paging57.elf",
                            "paging64.elf",
                            "priority.elf",
                            "pvh.elf",
                            "realmode.bin",
                            "segments.elf",
                            "selfmod.elf",
                            "smc.elf",
                            "smpapic.elf",
                            "smpbusy.elf",
                            "smpcode.elf",
                            "smphostile.elf",
                            "smpload.elf",
                            "smpstart.elf",
                            "syscall.elf",
                            "syscall32.elf",
                            "tasks.elf",
                            "timer.elf",
                            "tlb.elf",
                            "triple.elf",
                            "vm86.elf",
                            "xstate.elf"),
                    files.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString())
                            .sorted()
                            .toList());
        }
    }

    @Test
    void aBootSectorRunsInRealMode() throws IOException, InterruptedException {
        End end =
                run(
                        "run",
                        "--kernel",
                        micro("realmode.bin"),
                        "--address",
                        "0x7c00",
                        "--timeout",
                        "60");
        assertEquals(33, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("ok realmode"), end.out());
    }

    @Test
    void modulesAndCommandLineReachTheGuest() throws IOException, InterruptedException {
        Path modules = ProgramRun.root().resolve("guests/micro/modules");
        Path description = folder.resolve("modules.yaml");
        Files.writeString(
                description,
                """
                kernel: %s
                append: check beta=two
                memory: 32M
                modules:
                  - %s alpha=1
                  - %s
                """
                        .formatted(
                                micro("mbmodules.elf"),
                                modules.resolve("first.txt"),
                                modules.resolve("second.txt")));
        End end = run("run", description.toString(), "--timeout", "60");
        assertEquals(33, end.status(), end.out() + end.err());
    }

    /** MOV AL, 0FEh; OUT 64h, AL; HLT: the keyboard controller's reset line. */
    @Test
    void aResetUnderNoRebootIsStatus8() throws IOException, InterruptedException {
        Path image = folder.resolve("reset.bin");
        Files.write(image, new byte[] {(byte) 0xb0, (byte) 0xfe, (byte) 0xe6, 0x64, (byte) 0xf4});
        String[] line = {
            "run", "--kernel", image.toString(), "--address", "0x7c00", "--timeout", "60"
        };
        String[] noReboot = Arrays.copyOf(line, line.length + 1);
        noReboot[line.length] = "--no-reboot";
        End end = run(noReboot);
        assertEquals(8, end.status(), end.err());
        assertEquals(1, end.err().lines().count(), end.err());
    }

    @Test
    void theConsoleGoesToAFileOrNowhere() throws IOException, InterruptedException {
        Path file = folder.resolve("console");
        End toFile = run("run", "--kernel", micro("hello.elf"), "--console", "file:" + file);
        assertEquals(33, toFile.status(), toFile.err());
        assertEquals("", toFile.out());
        assertTrue(Files.readString(file).contains("ok hello"), Files.readString(file));
        End none = run("run", "--kernel", micro("hello.elf"), "--console", "none");
        assertEquals(33, none.status(), none.err());
        assertEquals("", none.out());
    }

    @Test
    void aRunUnderTheClockOfInstructionsIsIdenticalTwice()
            throws IOException, InterruptedException {
        List<Object> seen = new ArrayList<>();
        for (String name : List.of("first.json", "second.json")) {
            Path file = folder.resolve(name);
            End end =
                    run(
                            "run",
                            "--kernel",
                            micro("timer.elf"),
                            "--clock",
                            "instructions",
                            "--seed",
                            "7",
                            "--stats",
                            file.toString());
            assertEquals(33, end.status(), end.out() + end.err());
            Map<String, Object> tree = json(file);
            seen.add(
                    List.of(
                            end.out(),
                            tree.get("instructions"),
                            tree.get("exits"),
                            tree.get("hooks")));
        }
        assertEquals(seen.get(0), seen.get(1));
    }

    @Test
    void bothPagingModesRunTheSameGuest() throws IOException, InterruptedException {
        for (String mode : List.of("nested", "direct")) {
            End end = run("run", "--kernel", micro("paging64.elf"), "--paging", mode);
            assertEquals(33, end.status(), mode + end.out() + end.err());
        }
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
        Map<String, Object> tree = json(file);
        assertEquals(33, tree.get("status"));
        assertTrue(((Number) tree.get("instructions")).longValue() > 100, tree::toString);
        assertTrue(((Map<?, ?>) tree.get("exits")).get("access") instanceof Number);
        assertTrue(((Map<?, ?>) tree.get("seconds")).get("run") instanceof Number);
        Map<?, ?> memory = (Map<?, ?>) tree.get("process-memory");
        for (String part : List.of("heap", "metaspace", "code-cache")) {
            Map<?, ?> bytes = (Map<?, ?>) memory.get(part);
            long used = ((Number) bytes.get("used")).longValue();
            assertTrue(used > 100_000, tree::toString);
            assertTrue(((Number) bytes.get("peak")).longValue() >= used, tree::toString);
            assertTrue(((Number) bytes.get("committed")).longValue() >= used, tree::toString);
        }
        Map<?, ?> code = (Map<?, ?>) memory.get("code-cache");
        assertTrue(((Number) code.get("non-nmethods")).longValue() > 100_000, code::toString);
        Map<?, ?> classes = (Map<?, ?>) memory.get("classes");
        assertTrue(((Number) classes.get("loaded")).longValue() > 1000, classes::toString);
    }

    /** Reads a file of JSON, which is YAML too. */
    static Map<String, Object> json(Path file) throws IOException {
        return new Yaml().load(Files.readString(file));
    }

    @Test
    void doctorFindsTheBundlesInOrder() throws IOException, InterruptedException {
        End end = run("doctor");
        assertTrue(end.out().contains("ok       bundles"), end.out());
    }
}

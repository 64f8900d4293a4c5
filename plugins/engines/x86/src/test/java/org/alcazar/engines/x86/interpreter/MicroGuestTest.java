package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The micro guests that need no PC, with all their checks, on an engine and a bus alone. */
class MicroGuestTest {
    private static final long LIMIT = 200_000_000;
    private static final int MULTIBOOT_MAGIC = 0x2bad_b002;
    private static final long INFORMATION = 0x9000, COMMAND_LINE = 0x9100;

    @TempDir private static Path directory;
    private static Path built = Path.of("");
    private static String missing = "";

    /** Builds all guests once for each class that extends this one: each has its directory. */
    private static Path guests() throws IOException, InterruptedException {
        if (!built.equals(directory)) {
            missing = build();
            built = directory;
        }
        Assumptions.assumeTrue(missing.isEmpty(), () -> "micro guests: " + missing);
        return directory;
    }

    private static String build() throws IOException, InterruptedException {
        Path sources = Path.of("").toAbsolutePath();
        while (sources != null && !Files.exists(sources.resolve("guests/micro/Makefile"))) {
            sources = sources.getParent();
        }
        if (sources == null) {
            return "no sources";
        }
        try {
            int status =
                    new ProcessBuilder(
                                    "make",
                                    "-s",
                                    "-C",
                                    sources.resolve("guests/micro") + "",
                                    "BUILD=" + directory)
                            .redirectErrorStream(true)
                            .redirectOutput(directory.resolve("make.log").toFile())
                            .start()
                            .waitFor();
            return status == 0
                    ? ""
                    : "make failed: " + Files.readString(directory.resolve("make.log"));
        } catch (IOException e) {
            return "there is no make";
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "hello",
                "longmode",
                "paging",
                "paging57",
                "paging64",
                "exceptions",
                "smc",
                "segments",
                "gates",
                "gates64",
                "tasks",
                "vm86",
                "priority",
                "implicit",
                "syscall",
                "syscall32",
                "canonical",
                "tlb",
                "selfmod",
                "debugregs",
                "msrs",
                "xstate"
            })
    @DisplayName("micro guest passes")
    void passes(String name) throws Exception {
        passes(name, new BareMachine());
    }

    /** Those that ask CPUID what to expect. */
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"vm86", "canonical", "tlb", "paging57", "msrs", "priority"})
    @DisplayName("micro guest passes on the smallest processor model")
    void passesOnTheSmallestModel(String name) throws Exception {
        passes(name, new BareMachine("x86-64-v1"));
    }

    private static void passes(String name, BareMachine bare) throws Exception {
        Path guests = guests();
        try (BareMachine machine = bare) {
            multiboot(machine, Files.readAllBytes(guests.resolve(name + ".elf")));
            machine.run(LIMIT);
            assertTrue(machine.text().contains("ok " + name), machine.text());
            assertEquals(0x10, machine.exitValue());
        }
    }

    @Test
    @DisplayName("the boot sector of real mode passes")
    void realMode() throws Exception {
        Path guests = guests();
        try (BareMachine machine = new BareMachine()) {
            machine.load(0x7c00, Files.readAllBytes(guests.resolve("realmode.bin")));
            long[] segments = machine.group(X86.SEGMENTS);
            segments[4 * X86.CS + X86.SELECTOR] = 0;
            segments[4 * X86.CS + X86.BASE] = 0;
            long[] general = machine.group(X86.GENERAL);
            general[X86.RIP] = 0x7c00;
            machine.run(LIMIT);
            assertEquals(0x10, machine.exitValue(), machine::text);
        }
    }

    @Test
    @DisplayName("a triple fault shuts the core down")
    void tripleFault() throws Exception {
        Path guests = guests();
        try (BareMachine machine = new BareMachine()) {
            multiboot(machine, Files.readAllBytes(guests.resolve("triple.elf")));
            assertEquals(Exit.SHUTDOWN, machine.run(LIMIT));
        }
    }

    /** The state of multiboot 1 with the word {@code strict} on the command line. */
    private static void multiboot(BareMachine machine, byte[] elf) {
        machine.protectedMode(machine.loadElf(elf));
        byte[] information = new byte[128];
        information[0] = 4; // a command line
        information[16] = (byte) COMMAND_LINE;
        information[17] = (byte) (COMMAND_LINE >> 8);
        machine.load(INFORMATION, information);
        byte[] words = "guest strict".getBytes(StandardCharsets.US_ASCII);
        machine.load(COMMAND_LINE, Arrays.copyOf(words, words.length + 1));
        long[] general = machine.group(X86.GENERAL);
        general[X86.RAX] = MULTIBOOT_MAGIC;
        general[X86.RBX] = INFORMATION;
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.GuestException;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.guest.Progress;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Debian's kernels, byte for byte, in the assembled program. Skipped with a message where the
 * machine cannot make the guest (no package manager, no network).
 */
@Tag("machine")
class LinuxIT {
    private static final String SECONDS = "200";
    private static final long LIMIT_SECONDS = 240;

    @TempDir private Path folder;

    static Path guest(String name) throws IOException, InterruptedException {
        Path guests = ProgramRun.root().resolve("guests");
        try {
            new GuestCatalog(guests, new MachineCommands(System.getenv()))
                    .build(name, Progress.SILENT);
        } catch (GuestException e) {
            Assumptions.abort("guest " + name + " cannot be made here: " + e.getMessage());
        }
        return guests.resolve("linux/build").resolve(name);
    }

    @Test
    void theShellAnswersAndPowersOff() throws IOException, InterruptedException {
        guest("linux");
        Path stats = folder.resolve("stats.json");
        try (ProgramRun program =
                ProgramRun.start(
                        "run", "linux", "--timeout", SECONDS, "--stats", stats.toString())) {
            End end =
                    program.until("alcazar: init reached")
                            .until(" # ")
                            .type("uname -a; echo first $((6 * 7))\n")
                            .until("first 42")
                            .type("cat /proc/cpuinfo; echo second $((6 * 8))\n")
                            .until("second 48")
                            .type("dmesg | tail -n 3; echo third $((6 * 9))\n")
                            .until("third 54")
                            .type("poweroff\n")
                            .end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals("", end.err());
            assertTrue(end.out().contains("Linux alcazar "), end.out());
            assertTrue(end.out().contains("AuthenticAMD"), end.out());
            assertTrue(end.out().contains("Linux version"), end.out());
            assertTrue(end.out().contains("reboot: Power down"), end.out());
            KernelLog.assertClean(end.out());
        }
        Map<String, Object> tree = BootIT.json(stats);
        assertEquals(0, tree.get("status"));
        assertTrue(((Number) tree.get("instructions")).longValue() > 100_000_000, tree::toString);
        Map<?, ?> exits = (Map<?, ?>) tree.get("exits");
        assertTrue(((Number) exits.get("access")).longValue() > 1000, tree::toString);
        assertEquals(0, exits.get("shutdown"));
    }

    @Test
    void aKernelGivenByHandRebootsAndNoRebootEndsIt() throws IOException, InterruptedException {
        Path built = guest("linux");
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "--kernel",
                        built.resolve("vmlinuz").toString(),
                        "--initrd",
                        built.resolve("initrd.gz").toString(),
                        "--append",
                        "console=ttyS0 quiet",
                        "--memory",
                        "256M",
                        "--paging",
                        "direct",
                        "--cpu-model",
                        "x86-64-v2",
                        "--no-reboot",
                        "--timeout",
                        SECONDS)) {
            End end = program.until("alcazar: init reached").until(" # ").type("reboot\n").end();
            assertEquals(8, end.status(), end.err() + end.out());
            assertEquals(1, end.err().lines().count(), end.err());
        }
    }

    @Test
    void debiansOrdinaryKernelBootsToAnAnswerOnTwoProcessors()
            throws IOException, InterruptedException {
        guest("linux-generic");
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "linux-generic",
                        "--cpus",
                        "2",
                        "--append",
                        "console=ttyS0 alcazar.run=hello",
                        "--timeout",
                        SECONDS)) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals("", end.err());
            assertTrue(end.out().contains("Linux alcazar "), end.out());
            assertTrue(end.out().contains("alcazar: hello ended with status 0"), end.out());
            assertTrue(end.out().contains("smp: Brought up 1 node, 2 CPUs"), end.out());
            KernelLog.assertClean(end.out());
        }
    }

    private static void comeUp(int processors, long limit)
            throws IOException, InterruptedException {
        guest("linux");
        String number = Integer.toString(processors);
        try (ProgramRun program =
                ProgramRun.start(
                        limit, "run", "linux", "--cpus", number, "--append", "console=ttyS0")) {
            End end =
                    program.until("alcazar: init reached")
                            .until(" # ")
                            .type("echo there $(grep -c ^processor /proc/cpuinfo)\n")
                            .type("echo online $(cat /sys/devices/system/cpu/online)\n")
                            .type("poweroff\n")
                            .end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals("", end.err());
            String all = "smp: Brought up 1 node, " + number + " CPUs";
            for (String line :
                    List.of(all, "there " + number, "online 0-" + (processors - 1), "Power down")) {
                assertTrue(end.out().contains(line), line + " in " + end.out());
            }
            KernelLog.assertClean(end.out());
        }
    }

    @Test
    void fourProcessorsComeUp() throws IOException, InterruptedException {
        comeUp(4, LIMIT_SECONDS);
    }

    @Tag("slow")
    @Test
    void sixtyFourProcessorsComeUp() throws IOException, InterruptedException {
        comeUp(64, 3 * LIMIT_SECONDS);
    }

    /** Ten minutes of stress-ng, or {@code -Dalcazar.stress.seconds=N}, on four processors. */
    @Tag("slow")
    @Test
    void stressNgFindsNothing() throws IOException, InterruptedException {
        guest("linux-stress");
        long seconds = Long.getLong("alcazar.stress.seconds", 600);
        try (ProgramRun program =
                ProgramRun.start(
                        2 * seconds + LIMIT_SECONDS,
                        "run",
                        "linux-stress",
                        "--append",
                        "console=ttyS0 alcazar.run=stress stress.seconds=" + seconds)) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals("", end.err());
            assertTrue(end.out().contains("alcazar: stress ended with status 0"), end.out());
            KernelLog.assertClean(end.out());
        }
    }

    /** Every run of translated code compared with the interpreter's. */
    @Tag("slow")
    @Test
    void bothEnginesInLockstepBootToAnAnswer() throws IOException, InterruptedException {
        guest("linux");
        Path stats = folder.resolve("lockstep.json");
        try (ProgramRun program =
                ProgramRun.start(
                        10 * LIMIT_SECONDS,
                        "run",
                        "linux",
                        "--engine",
                        "lockstep",
                        "--clock",
                        "instructions",
                        "--append",
                        "console=ttyS0 alcazar.run=hello",
                        "--stats",
                        stats.toString())) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals("", end.err());
            assertTrue(end.out().contains("alcazar: hello ended with status 0"), end.out());
            KernelLog.assertClean(end.out());
        }
        Map<?, ?> counters = (Map<?, ?>) BootIT.json(stats).get("engine-counters");
        assertTrue(((Number) counters.get("lockstep-verified")).longValue() > 1_000_000);
        assertEquals(0, ((Number) counters.get("lockstep-skipped")).longValue());
    }

    private ProgramRun byInstructions(int seed, String engine, Path stats) throws IOException {
        return ProgramRun.start(
                "run",
                "linux",
                "--engine",
                engine,
                "--append",
                "console=ttyS0 alcazar.run=hello",
                "--clock",
                "instructions",
                "--seed",
                Integer.toString(seed),
                "--timeout",
                SECONDS,
                "--stats",
                stats.toString());
    }

    /** On whichever engine. */
    @Test
    void equalSeedsGiveIdenticalRunsOnABusyMachineAndAnotherSeedAnotherOne()
            throws IOException, InterruptedException {
        guest("linux");
        Path one = folder.resolve("one.json");
        Path two = folder.resolve("two.json");
        Path other = folder.resolve("other.json");
        // All at once: each is the others' disturbance.
        try (ProgramRun first = byInstructions(1, "translator", one);
                ProgramRun second = byInstructions(1, "interpreter", two);
                ProgramRun third = byInstructions(2, "translator", other)) {
            End end = first.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertEquals(end.out(), second.end().out());
            assertEquals(0, third.end().status());
        }
        for (String key : List.of("instructions", "exits", "exit-traces", "ram-crc32c")) {
            assertEquals(BootIT.json(one).get(key), BootIT.json(two).get(key), key);
        }
        for (String key : List.of("exit-traces", "ram-crc32c")) {
            assertNotEquals(BootIT.json(one).get(key), BootIT.json(other).get(key), key);
        }
    }
}

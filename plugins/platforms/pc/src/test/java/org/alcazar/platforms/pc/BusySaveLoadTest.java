package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * A guest whose cores are busy with each other goes to a file and comes back at random moments, and
 * finds in the end that no interrupt, timer or store of any core was lost: guests/micro/smpbusy.c.
 */
@AlcazarTest
class BusySaveLoadTest {
    private static final int PASS = 16;
    private static final int CORES = 4;

    /** All RAM of a test's VM. */
    private static final int MEMORY = 16 << 20;

    /** Steps of each core for every round, more than it takes. */
    private static final int STEPS = 15;

    /** The longest stretch between two rounds. */
    private static final int LONGEST_NANOS = 12_000_000;

    @TempDir private Path folder;

    private final Random random = new Random(4);

    private static Path guest() throws IOException, InterruptedException {
        Path micro = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(micro.resolve("guests/micro"))) {
            micro = micro.resolve("..").normalize();
        }
        micro = micro.resolve("guests/micro");
        try {
            Process make =
                    new ProcessBuilder("make", "-s", "build/smpbusy.elf")
                            .directory(micro.toFile())
                            .redirectErrorStream(true)
                            .start();
            String said = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, make.waitFor(), said);
        } catch (IOException e) {
            Assumptions.abort("make is missing: " + e.getMessage());
        }
        return micro.resolve("build/smpbusy.elf");
    }

    /** A VM whose cores are at work. */
    private TestVm start(
            TestFramework framework, String name, String clock, String paging, int steps)
            throws Exception {
        return framework
                .vm(name)
                .platform("pc")
                .device("micro-console", Map.of())
                .set("kernel", guest().toString())
                .set("append", "cpus=" + CORES + " steps=" + steps)
                .set("cpus", (long) CORES)
                .set("clock", clock)
                .set("paging", paging)
                .set("console", "file:" + folder.resolve(name))
                .start()
                .awaitConsole("busy");
    }

    /** Save, destroy, load, go on. */
    private TestVm round(TestFramework framework, TestVm vm) throws Exception {
        String file = folder.resolve("saved").toString();
        vm.control().save(vm.id(), file);
        vm.destroy();
        return framework.vm("busy").adopt(framework.control().load(file, Map.of())).resume();
    }

    /** Pauses at a random moment. @return false if the guest has ended before that */
    private boolean pausedAnywhere(HostClock clock, TestVm vm) {
        CompletableFuture<Void> now = new CompletableFuture<>();
        try (HostTimer timer = clock.timer("moment", () -> now.complete(null))) {
            timer.arm(clock.nanoTime() + random.nextInt(LONGEST_NANOS));
            now.join();
        }
        try {
            vm.pause();
            return true;
        } catch (HostRefusal e) {
            vm.end(); // or else the refusal has no reason
            return false;
        }
    }

    /** So many rounds, with as many guests one after the other as that takes. */
    private void rounds(TestFramework framework, int rounds, String clock, String paging)
            throws Exception {
        int done = 0;
        while (done < rounds) {
            TestVm vm = start(framework, "busy", clock, paging, Math.min(rounds, 100) * STEPS);
            try {
                while (done < rounds && pausedAnywhere(framework.host().clock(), vm)) {
                    vm = round(framework, vm);
                    done++;
                }
                vm.assertExit(PASS);
            } catch (AssertionError e) {
                String said = Files.readString(folder.resolve("busy"));
                throw new AssertionError("after " + done + " rounds: " + said, e);
            } finally {
                vm.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"host, nested", "host, direct", "instructions, nested", "instructions, direct"})
    void aBusyGuestOfFourCoresLosesNothing(String clock, String paging, TestFramework framework)
            throws Exception {
        rounds(framework, 13, clock, paging);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"host, nested", "host, direct", "instructions, nested", "instructions, direct"})
    void norDoesItInAThousandRounds(String clock, String paging, TestFramework framework)
            throws Exception {
        rounds(framework, 1000 / 4, clock, paging);
    }

    /** Under the clock of instructions not even the turns of the cores change. */
    @Test
    void aLoadedBusyGuestIsTheRunWithoutTheBreak(TestFramework framework) throws Exception {
        TestVm whole = start(framework, "whole", "instructions", "nested", 10 * STEPS);
        TestVm vm = start(framework, "broken", "instructions", "nested", 10 * STEPS);
        try {
            whole.assertExit(PASS);
            for (int i = 0; i < 5 && pausedAnywhere(framework.host().clock(), vm); i++) {
                vm = round(framework, vm);
            }
            vm.assertExit(PASS);
            assertEquals(whole.statistic("instructions"), vm.statistic("instructions"));
            assertArrayEquals(whole.memory(0, MEMORY), vm.memory(0, MEMORY));
        } finally {
            whole.close();
            vm.close();
        }
    }
}

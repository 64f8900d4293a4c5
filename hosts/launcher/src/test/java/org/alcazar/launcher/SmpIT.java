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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.List;

/** Guests with several cores on the assembled program. */
@Tag("machine")
class SmpIT {
    @BeforeAll
    static void theGuestsAreBuilt() throws GuestException, InterruptedException {
        MachineCommands programs = new MachineCommands(System.getenv());
        for (String program : List.of("make", "gcc", "objcopy")) {
            assumeTrue(programs.has(program), () -> "guests with several cores need " + program);
        }
        GuestCatalog catalog = new GuestCatalog(ProgramRun.root().resolve("guests"), programs);
        for (String folder : GuestCatalog.MADE) {
            catalog.build(folder, Progress.SILENT);
        }
    }

    private static End run(String kernel, int cpus, String words)
            throws IOException, InterruptedException {
        return run(kernel, cpus, words, 100);
    }

    private static End run(String kernel, int cpus, String words, int seconds)
            throws IOException, InterruptedException {
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "--kernel",
                        kernel,
                        "--memory",
                        "64M",
                        "--cpus",
                        Integer.toString(cpus),
                        "--append",
                        "cpus=" + cpus + " " + words,
                        "--timeout",
                        Integer.toString(seconds))) {
            return program.end();
        }
    }

    @ParameterizedTest
    @CsvSource({"smpstart, 1, ''", "smpstart, 2, ''", "smpstart, 4, ''", "smpcode, 2, rounds=200"})
    void coresOfATinyGuestWorkTogether(String name, int cpus, String words)
            throws IOException, InterruptedException {
        End end = run(BootIT.micro(name + ".elf"), cpus, words);
        assertEquals(33, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("ok " + name), end.out());
        assertEquals("", end.err());
    }

    @ParameterizedTest
    @CsvSource({"1, strict", "4, strict", "3, strict x2apic"})
    void localApicsDoAsTheManualSays(int cpus, String words)
            throws IOException, InterruptedException {
        End end = run(BootIT.micro("smpapic.elf"), cpus, words);
        assertEquals(33, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("ok smpapic"), end.out());
        assertFalse(end.out().contains("skip"), end.out());
    }

    @Test
    void aCoreThatStartsNowhereMeetsItsOwnHandler() throws IOException, InterruptedException {
        End end = run(BootIT.micro("smphostile.elf"), 2, "nowhere");
        assertEquals(33, end.status(), end.out() + end.err());
    }

    @Test
    void aCoreThatShutsDownEndsTheVmWithADumpOfAll() throws IOException, InterruptedException {
        End end = run(BootIT.micro("smphostile.elf"), 2, "shutdown");
        assertEquals(4, end.status(), end.out() + end.err());
        assertTrue(end.err().contains("vcore 1 shut down"), end.err());
        assertTrue(end.err().contains("vcore 0: rip 0008:"), end.err());
        assertTrue(end.err().contains("vcore 1: rip 0700:"), end.err());
    }

    /** However busy the cores are with each other, the VM can be stopped. */
    @ParameterizedTest
    @ValueSource(strings = {"lock", "flood"})
    void aGuestThatIsStuckCanBeStopped(String word) throws IOException, InterruptedException {
        End end = run(BootIT.micro("smphostile.elf"), 4, word, 8);
        assertEquals(124, end.status(), end.out() + end.err());
        assertTrue(end.out().contains("at it"), end.out());
    }

    /**
     * A sample; guests/litmus/README.md has the long run. With fewer processors than cores nothing
     * has to be observed of those tests whose threads do not run at once.
     */
    @ParameterizedTest
    @CsvSource({"2, rounds=1024", "4, rounds=512 threads=3 atomics"})
    void theMemoryOrderIsThatOfTheManual(int cpus, String words)
            throws IOException, InterruptedException {
        int processors = Math.min(cpus, Runtime.getRuntime().availableProcessors());
        if (processors < 2) {
            LoggerFactory.getLogger(SmpIT.class)
                    .warn("one processor: that stores wait in buffers can't be observed");
        }
        String kernel = ProgramRun.root().resolve("guests/litmus/build/litmus.elf").toString();
        End end = run(kernel, cpus, words + " processors=" + processors);
        assertEquals(33, end.status(), end.out() + end.err());
        assertFalse(end.out().contains("FAIL"), end.out());
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jdk.jfr.consumer.RecordingFile;

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
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Guests with several cores on the assembled program. */
@Tag("machine")
class SmpIT {
    private static final long LIMIT_SECONDS = 240;

    @TempDir Path folder;

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
        return run(List.of(), 100, kernel, cpus, words);
    }

    private static End run(
            List<String> jvm, int seconds, String kernel, int cpus, String words, String... more)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("run", "--kernel", kernel, "--memory", "64M"));
        arguments.addAll(List.of("--cpus", Integer.toString(cpus)));
        arguments.addAll(List.of("--append", "cpus=" + cpus + " " + words));
        arguments.addAll(List.of("--timeout", Integer.toString(seconds)));
        arguments.addAll(List.of(more));
        try (ProgramRun program =
                ProgramRun.start(LIMIT_SECONDS, jvm, arguments.toArray(String[]::new))) {
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
        End end = run(List.of(), 8, BootIT.micro("smphostile.elf"), 4, word);
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
        End end = run(litmus(), cpus, words + " processors=" + processors);
        assertEquals(33, end.status(), end.out() + end.err());
        assertFalse(end.out().contains("FAIL"), end.out());
    }

    private static String litmus() {
        return ProgramRun.root().resolve("guests/litmus/build/litmus.elf").toString();
    }

    /**
     * With 1 a core translates what it runs itself, else a thread does meanwhile. What has to be
     * observed is the other test's.
     */
    @ParameterizedTest
    @CsvSource({"1, 4, rounds=512 threads=3 atomics", "20, 2, rounds=256"})
    void theMemoryOrderOfTranslatedCodeIsThatOfTheManual(int after, int cpus, String words)
            throws IOException, InterruptedException {
        int processors = Math.min(cpus, Runtime.getRuntime().availableProcessors());
        End end = translated(after, List.of(), litmus(), cpus, words + " processors=" + processors);
        assertTrue(Set.of(33, 35).contains(end.status()), end.out() + end.err());
        assertFalse(end.out().contains("forbidden"), end.out());
        assertFalse(end.out().contains("FAIL atomics"), end.out());
    }

    @ParameterizedTest
    @CsvSource({"1, 2, 200", "20, 4, 100"})
    void translatedCodeMayBeRewrittenByOtherCores(int after, int cpus, int rounds)
            throws IOException, InterruptedException {
        Path recording = folder.resolve("regions.jfr");
        List<String> jvm = List.of("-XX:StartFlightRecording=filename=" + recording);
        End end = translated(after, jvm, BootIT.micro("smpcode.elf"), cpus, "rounds=" + rounds);
        assertEquals(33, end.status(), end.out() + end.err());
        Set<String> reasons =
                RecordingFile.readAllEvents(recording).stream()
                        .filter(e -> e.getEventType().getName().equals("alcazar.RegionDropped"))
                        .map(e -> e.getString("reason"))
                        .collect(Collectors.toSet());
        assertTrue(reasons.contains("written"), reasons::toString);
    }

    /** Runs a guest that is translated soon, and makes sure that it was. */
    private End translated(int after, List<String> jvm, String kernel, int cpus, String words)
            throws IOException, InterruptedException {
        Path stats = folder.resolve("stats.json");
        String engine = "translator,translate-after=" + after;
        String[] more = {"--engine", engine, "--stats", stats.toString()};
        End end = run(jvm, 100, kernel, cpus, words, more);
        Map<?, ?> counters = (Map<?, ?>) BootIT.json(stats).get("engine-counters");
        assertTrue((int) counters.get("region-percent") > 30, counters::toString);
        return end;
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.launcher.ProgramRun.End;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Debian's kernel on every host of the distribution. */
@Tag("machine")
@Tag("slow")
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // for the reference, which is made once
class LinuxOnHostsIT {
    private static final int LIMIT_SECONDS = 900;

    /** What a run on the clock of instructions leaves behind; the same on every host. */
    private static final List<String> RESULTS =
            List.of("instructions", "exits", "exit-traces", "ram-crc32c");

    @TempDir private static Path folder;

    private Optional<Map<String, Object>> onJvm = Optional.empty();

    @BeforeAll
    static void theGuestIsBuilt() throws Exception {
        LinuxIT.guest("linux");
    }

    static List<String> hosts() throws Exception {
        return HostsIT.hosts();
    }

    @ParameterizedTest
    @MethodSource("hosts")
    void theShellAnswersOn(String host) throws Exception {
        try (ProgramRun program = ProgramRun.start(LIMIT_SECONDS, "run", "linux", "--host", host)) {
            End end =
                    program.until("alcazar: init reached")
                            .until(" # ")
                            .type("echo answer $((6 * 7))\n")
                            .until("answer 42")
                            .type("poweroff\n")
                            .end();
            assertEquals(0, end.status(), end.err() + end.out());
            KernelLog.assertClean(end.out());
        }
    }

    @ParameterizedTest
    @MethodSource("hosts")
    void aBootIsTheSameToTheLastByteOn(String host) throws Exception {
        Map<String, Object> expected = onJvm();
        Map<String, Object> found = byInstructions(host);
        for (String key : RESULTS) {
            assertEquals(expected.get(key), found.get(key), key);
        }
    }

    private Map<String, Object> onJvm() throws Exception {
        Map<String, Object> known = onJvm.isPresent() ? onJvm.get() : byInstructions("jvm");
        onJvm = Optional.of(known);
        return known;
    }

    private static Map<String, Object> byInstructions(String host) throws Exception {
        Path stats = folder.resolve(host + ".json");
        try (ProgramRun program =
                ProgramRun.start(
                        LIMIT_SECONDS,
                        "run",
                        "linux",
                        "--host",
                        host,
                        "--append",
                        "console=ttyS0 alcazar.run=hello",
                        "--clock",
                        "instructions",
                        "--seed",
                        "1",
                        "--stats",
                        stats.toString())) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            KernelLog.assertClean(end.out());
        }
        return BootIT.json(stats);
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Debian's kernel under each paging mode, and while one takes over from the other. */
@Tag("machine")
class PagingIT {
    private static final int LIMIT_SECONDS = 1800;
    private static final List<String> MODES =
            List.of(
                    "nested",
                    "direct",
                    "shadow,strategy=vtlb",
                    "shadow,strategy=cache",
                    "shadow,strategy=sync");

    private static final Pattern BALLOON = Pattern.compile("balloon: [a-z]+ [a-z]+ (\\d+) KiB");

    static List<String> modes() {
        return MODES;
    }

    /** {@code LinuxIT} has the first. */
    static List<String> butTheFirst() {
        return MODES.subList(1, MODES.size());
    }

    /** What {@code linux-memory} found under the first mode. */
    private static Optional<List<String>> expected = Optional.empty();

    @ParameterizedTest
    @MethodSource("butTheFirst")
    void linuxBootsUnder(String mode) throws Exception {
        LinuxIT.guest("linux");
        try (ProgramRun program =
                ProgramRun.start(
                        "run",
                        "linux",
                        "--paging",
                        mode,
                        "--append",
                        "console=ttyS0 alcazar.run=hello")) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertTrue(end.out().contains("alcazar: hello ended with status 0"), end.out());
            KernelLog.assertClean(end.out());
        }
    }

    @Tag("slow")
    @ParameterizedTest
    @MethodSource("modes")
    void theMemoryLoadHasTheSameResultsUnder(String mode) throws Exception {
        try (ProgramRun program = linuxMemory("memory", "--paging", mode)) {
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            List<String> found = results(end.out());
            assertTrue(found.contains("memory: kernel log clean"), end.out());
            assertEquals(expected.orElse(found), found);
            expected = Optional.of(found);
        }
    }

    /** Ten times a second for a minute, and the load finds nothing wrong. */
    @Tag("slow")
    @Test
    void modesTakeTurnsUnderTheMemoryLoad() throws Exception {
        try (ProgramRun program = linuxMemory("memory memory.seconds=90")) {
            program.until("memory: fork");
            int switches = 600;
            List<String> lines = new ArrayList<>();
            for (int i = 0; i < switches; i++) {
                lines.add(
                        "vm:paging linux-memory " + MODES.get(i % MODES.size()).replace(',', ' '));
                lines.add("sleep 100");
            }
            commands(program, lines);
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            assertTrue(results(end.out()).contains("memory: kernel log clean"), end.out());
        }
    }

    @Test
    void aBalloonTakesMemoryAndGivesItBack() throws Exception {
        takeAndGiveBack("nested");
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(
            strings = {"shadow,strategy=vtlb", "shadow,strategy=cache", "shadow,strategy=sync"})
    void aBalloonTakesMemoryAndGivesItBackUnder(String mode) throws Exception {
        takeAndGiveBack(mode);
    }

    /** Debian's own driver gives 64 MiB and takes them back; a file that was there stays. */
    private static void takeAndGiveBack(String mode) throws Exception {
        try (ProgramRun program =
                linuxMemory("balloon", "--paging", mode, "--device", "virtio-balloon")) {
            program.until("balloon: ready");
            ask(program, "64M");
            program.until("balloon: down to");
            End shown = ask(program, "");
            assertTrue(shown.out().contains("has given up 64M"), shown.out());
            assertTrue(shown.out().contains("  free "), "no statistics: " + shown.out());
            ask(program, "0");
            End end = program.end();
            assertEquals(0, end.status(), end.err() + end.out());
            List<Long> told = new ArrayList<>();
            BALLOON.matcher(end.out())
                    .results()
                    .forEach(line -> told.add(Long.parseLong(line.group(1))));
            assertEquals(List.of(told.get(0), told.get(0) - (64 << 10), told.get(0)), told);
            assertTrue(end.out().contains("balloon: kernel log clean"), end.out());
        }
    }

    /** Runs the guest with more options than these. */
    private static ProgramRun linuxMemory(String what, String... options) throws Exception {
        LinuxIT.guest("linux-memory");
        List<String> words = new ArrayList<>(List.of("run", "linux-memory"));
        words.addAll(List.of(options));
        words.addAll(List.of("--append", "console=ttyS0 alcazar.run=" + what));
        return ProgramRun.start(LIMIT_SECONDS, words.toArray(String[]::new));
    }

    private static End ask(ProgramRun program, String size) throws Exception {
        return commands(program, List.of("vm:balloon linux-memory " + size));
    }

    /** Has the program's shell do something. */
    private static End commands(ProgramRun program, List<String> lines) throws Exception {
        Path script = Files.createTempFile("alcazar", ".gogo");
        try {
            Files.write(script, lines);
            String pid = String.valueOf(program.pid());
            try (ProgramRun attached =
                    ProgramRun.start(LIMIT_SECONDS, "attach", pid, "--script", script.toString())) {
                End end = attached.end();
                assertEquals(0, end.status(), end.err() + end.out());
                return end;
            }
        } finally {
            Files.delete(script);
        }
    }

    private static List<String> results(String out) {
        return out.lines().map(String::strip).filter(line -> line.startsWith("memory:")).toList();
    }
}

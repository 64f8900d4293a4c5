package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The guests of {@code guests/micro} that go through modes, paging and what depends on it, under
 * each paging mode. They check themselves against the manual and end with status 33.
 */
@AlcazarTest
class PagingMatrixTest {
    private static final int RIGHT = 33;

    private static final List<String> GUESTS =
            List.of(
                    "canonical",
                    "exceptions",
                    "gates",
                    "gates64",
                    "implicit",
                    "longmode",
                    "paging",
                    "paging57",
                    "paging64",
                    "selfmod",
                    "smc",
                    "tasks",
                    "tlb",
                    "vm86");

    /** Those that shadow tables have most to do with. */
    private static final List<String> INTERPRETED =
            List.of("implicit", "paging", "paging57", "paging64", "tasks", "tlb");

    private static final List<String> ON_CORES = List.of("smpcode", "smphostile", "smpstart");

    private static final Path BUILT = Path.of("../../../guests/micro/build");

    @BeforeAll
    static void theGuestsAreBuilt() throws IOException, InterruptedException {
        Process make =
                new ProcessBuilder("make", "-s", "-C", "../../../guests/micro").inheritIO().start();
        assumeTrue(make.waitFor() == 0, "guests/micro cannot be built here");
    }

    private static List<Map<String, Object>> modes() {
        return List.of(
                Map.of("type", "direct"),
                Map.of("type", "shadow", "strategy", "vtlb"),
                Map.of("type", "shadow", "strategy", "cache"),
                Map.of("type", "shadow", "strategy", "sync"));
    }

    static Stream<Arguments> all() {
        return modes().stream()
                .flatMap(mode -> GUESTS.stream().map(guest -> Arguments.of(guest, mode)));
    }

    static Stream<Arguments> interpreted() {
        return modes().stream()
                .filter(mode -> mode.containsValue("shadow"))
                .flatMap(mode -> INTERPRETED.stream().map(guest -> Arguments.of(guest, mode)));
    }

    static Stream<Arguments> onCores() {
        return modes().stream()
                .flatMap(mode -> ON_CORES.stream().map(guest -> Arguments.of(guest, mode)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void aGuestFindsTheMachineRight(String guest, Map<String, Object> mode, TestVm vm)
            throws Exception {
        machine(vm, guest, mode).run();
        assertEquals(RIGHT, vm.end().status(), vm::report);
    }

    @ParameterizedTest
    @MethodSource("interpreted")
    void theInterpretersGuestFindsItRight(String guest, Map<String, Object> mode, TestVm vm)
            throws Exception {
        machine(vm, guest, mode).set("engine", "interpreter").run();
        assertEquals(RIGHT, vm.end().status(), vm::report);
    }

    @ParameterizedTest
    @MethodSource("onCores")
    void aGuestOfSeveralCoresFindsTheMachineRight(String guest, Map<String, Object> mode, TestVm vm)
            throws Exception {
        machine(vm, guest, mode).set("cpus", 4).run();
        assertEquals(RIGHT, vm.end().status(), vm::report);
    }

    private static TestVm machine(TestVm vm, String guest, Map<String, Object> mode) {
        return vm.platform("pc")
                .set("paging", mode)
                .set("memory", "64M")
                .set("append", "strict")
                .file(BUILT.resolve(guest + ".elf"));
    }
}

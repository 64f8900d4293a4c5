package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Under the clock of instructions a run can be had again. */
@AlcazarTest
class RepeatedRunTest {
    private static final List<String> FIGURES =
            List.of("instructions", "exits", "hooks", "events", "devices", "engine-counters");

    @TempDir private Path folder;

    private static Object figures(TestVm vm) throws Exception {
        Map<String, Object> all = vm.control().statistics(vm.id());
        return FIGURES.stream().map(all::get).toList();
    }

    @Test
    void aRunUnderTheClockOfInstructionsIsIdenticalTwice(TestVm one, TestVm two) throws Exception {
        Ticker.on(one, 10, folder.resolve("one")).run().assertExit(16);
        Ticker.on(two, 10, folder.resolve("two")).run().assertExit(16);
        assertEquals("bcdefghijk", Files.readString(folder.resolve("one")));
        assertEquals(
                Files.readString(folder.resolve("one")), Files.readString(folder.resolve("two")));
        assertEquals(figures(one), figures(two));
        two.assertRegister("rbx", one.register("rbx"));
        assertArrayEquals(one.memory(0, 0xa0000), two.memory(0, 0xa0000));
    }

    @Test
    void aPauseInBetweenChangesNothing(TestVm one, TestVm two) throws Exception {
        Ticker.on(one, 10, folder.resolve("one")).run().assertExit(16);
        Ticker.on(two, 10, folder.resolve("two")).start();
        for (String tick : List.of("b", "d", "e")) {
            two.awaitConsole(tick).pause().resume();
        }
        two.assertExit(16).assertRegister("rbx", one.register("rbx"));
        assertEquals(one.statistic("instructions"), two.statistic("instructions"));
        assertNotEquals(one.statistic("pauses", "count"), two.statistic("pauses", "count"));
    }

    @Test
    void twoCoresUnderTheClockOfInstructionsAreIdenticalTwice(TestVm one, TestVm two)
            throws Exception {
        Ticker.on(one, 5, folder.resolve("one")).set("cpus", 2L).run().assertExit(16);
        Ticker.on(two, 5, folder.resolve("two")).set("cpus", 2L).run().assertExit(16);
        assertEquals(figures(one), figures(two));
        two.assertRegister("rbx", one.register("rbx"));
    }

    @Test
    void bothPagingModesGiveTheSameRun(TestVm nested, TestVm direct) throws Exception {
        Ticker.on(nested, 5, folder.resolve("nested")).set("paging", "nested").run().assertExit(16);
        Ticker.on(direct, 5, folder.resolve("direct")).set("paging", "direct").run().assertExit(16);
        direct.assertRegister("rbx", nested.register("rbx"));
        assertEquals(nested.statistic("instructions"), direct.statistic("instructions"));
        assertEquals(
                Files.readString(folder.resolve("nested")),
                Files.readString(folder.resolve("direct")));
        assertNotEquals(0, nested.statistic("exits", "translation"), "filled on demand");
    }
}

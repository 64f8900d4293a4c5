package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.VmState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A paused VM goes to a file, and another one goes on from there. */
@AlcazarTest
class SaveLoadTest {
    private static final int TICKS = 20;

    /** The low memory that the guest uses. */
    private static final int USED = 0x22000;

    @TempDir private Path folder;

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    private List<String> files() throws Exception {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    /**
     * The same result, instruction for instruction, as without the break: timers, controllers and
     * cores went on exactly where they stood.
     */
    @Test
    void aLoadedVmGoesOnAsIfNothingHadHappened(TestVm whole, TestVm first, TestVm second)
            throws Exception {
        Ticker.on(whole, TICKS, folder.resolve("whole")).run().assertExit(16);
        Ticker.on(first, TICKS, folder.resolve("first")).start().awaitConsole("d").pause();
        long ticks = first.memory(Ticker.TICKS, 1)[0];
        assertTrue(ticks >= 3 && ticks < TICKS, "paused after " + ticks + " ticks");
        first.control().save(first.id(), file("saved"));
        byte[] memory = first.memory(0, USED);
        long retired = first.statistic("instructions");
        first.destroy();

        second.adopt(
                second.control()
                        .load(
                                file("saved"),
                                Map.of("console", "file:" + file("second"), "name", "loaded")));
        assertEquals(VmState.PAUSED, second.machine().state());
        assertArrayEquals(memory, second.memory(0, USED));
        assertEquals(retired, second.statistic("instructions"));
        second.resume().assertExit(16);

        assertEquals(
                Files.readString(folder.resolve("whole")),
                Files.readString(folder.resolve("first"))
                        + Files.readString(folder.resolve("second")));
        assertEquals(whole.statistic("instructions"), second.statistic("instructions"));
        second.assertRegister("rbx", whole.register("rbx"));
        assertArrayEquals(whole.memory(0, USED), second.memory(0, USED));
        assertEquals(whole.console(), second.console(), "a device's own state");
    }

    @Test
    void oneFileServesManyTimesAndTheSavedVmGoesOnToo(TestVm first, TestVm second, TestVm third)
            throws Exception {
        Ticker.on(first, TICKS, folder.resolve("first")).start().awaitConsole("d").pause();
        first.control().save(first.id(), file("saved"));
        first.resume().assertExit(16);
        for (TestVm vm : List.of(second, third)) {
            vm.adopt(
                            vm.control()
                                    .load(
                                            file("saved"),
                                            Map.of("console", "none", "name", "l" + vm.hashCode())))
                    .resume()
                    .assertExit(16)
                    .assertRegister("rbx", first.register("rbx"));
        }
    }

    @Test
    void aFileThatWasCutOrChangedIsRefusedAndNothingIsLeft(TestFramework framework, TestVm vm)
            throws Exception {
        Ticker.on(vm, TICKS, folder.resolve("out")).start().awaitConsole("b").pause();
        vm.control().save(vm.id(), file("saved"));
        vm.destroy();
        long before = framework.host().memory().bytesInUse("");
        byte[] whole = Files.readAllBytes(folder.resolve("saved"));
        byte[] changed = whole.clone();
        changed[whole.length / 2] ^= 0x10;
        byte[] cut = Arrays.copyOf(whole, whole.length * 2 / 3);
        for (byte[] bad :
                List.of(
                        changed,
                        cut,
                        new byte[0],
                        "no such thing".getBytes(StandardCharsets.UTF_8))) {
            Path file = Files.write(folder.resolve("bad"), bad);
            String message =
                    String.valueOf(
                            assertThrows(
                                            HostRefusal.class,
                                            () -> vm.control().load(file.toString(), Map.of()))
                                    .getMessage());
            assertEquals(1, message.lines().count(), message);
            assertTrue(message.contains(file.toString()), message);
        }
        assertEquals(before, framework.host().memory().bytesInUse(""));
        assertEquals(List.of(), framework.machines().all());
    }

    @Test
    void aFileThatCannotBeWrittenLeavesThePausedVmAsItWas(TestVm vm) throws Exception {
        Ticker.on(vm, 5, folder.resolve("out")).start().awaitConsole("b").pause();
        String target = file("no/such/folder/saved");
        String message =
                String.valueOf(
                        assertThrows(HostRefusal.class, () -> vm.control().save(vm.id(), target))
                                .getMessage());
        assertTrue(message.contains(target), message);
        assertEquals(List.of("out"), files());
        vm.resume().assertExit(16);
    }
}

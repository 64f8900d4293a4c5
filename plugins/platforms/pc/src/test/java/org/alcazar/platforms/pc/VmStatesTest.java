package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VmState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** The states of a VM and the ways between them. */
@AlcazarTest
class VmStatesTest {
    private static final String FOREVER = "putc 'r'\n1: inc %rbx\n jmp 1b";
    private static final String SHORT = "exit 5\n1: hlt\n jmp 1b";

    @TempDir private Path folder;

    private static String refused(Executable what) {
        String message = String.valueOf(assertThrows(HostRefusal.class, what).getMessage());
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    @Test
    void aCreatedVmRunsNotAndTakesNothingButStart(TestVm vm) throws Exception {
        vm.assembly(FOREVER).create();
        VmmControl control = vm.control();
        assertEquals(VmState.CREATED, vm.machine().state());
        assertEquals(0, vm.statistic("instructions"));
        for (String message :
                List.of(
                        refused(() -> control.pause(vm.id())),
                        refused(() -> control.resume(vm.id())),
                        refused(() -> control.save(vm.id(), folder.resolve("x").toString())))) {
            assertTrue(message.contains(vm.machine().name() + " is created"), message);
        }
        assertFalse(Files.exists(folder.resolve("x")));
    }

    @Test
    void aRunningVmPausesResumesAndStops(TestFramework framework, TestVm vm) throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        vm.assembly(FOREVER).create();
        Hook listening =
                framework
                        .machines()
                        .listen((who, from, to) -> {
                            if (who.id() == vm.id()) {
                                seen.add(from + "-" + to);
                            }
                        });
        try {
            vm.start().awaitConsole("r");
            assertTrue(refused(() -> vm.start()).contains("is running"));
            assertTrue(refused(() -> vm.resume()).contains("is running"));
            vm.pause();
            long stood = vm.statistic("instructions");
            assertEquals(VmState.PAUSED, vm.machine().state());
            assertTrue(refused(() -> vm.pause()).contains("is paused"));
            assertTrue(refused(() -> vm.start()).contains("is paused"));
            assertEquals(stood, vm.statistic("instructions"));
            vm.resume();
            vm.control().stop(vm.id());
            assertTrue(vm.statistic("instructions") >= stood);
        } finally {
            listening.close();
        }
        assertEquals(
                List.of("CREATED-RUNNING", "RUNNING-PAUSED", "PAUSED-RUNNING", "RUNNING-STOPPED"),
                seen);
    }

    @Test
    void aPausedVmCanBeStopped(TestVm vm) throws Exception {
        vm.assembly(FOREVER).start().awaitConsole("r").pause();
        vm.control().stop(vm.id());
        vm.assertStatus(0);
        assertEquals(VmState.STOPPED, vm.machine().state());
    }

    @Test
    void aVmThatHasEndedStaysEnded(TestVm vm) throws Exception {
        vm.assembly(SHORT).run().assertExit(5);
        assertEquals(VmState.STOPPED, vm.machine().state());
        assertTrue(refused(() -> vm.start()).contains("is stopped"));
        assertTrue(refused(() -> vm.pause()).contains("is stopped"));
        assertTrue(refused(() -> vm.resume()).contains("is stopped"));
        vm.control().stop(vm.id());
        vm.assertExit(5);
        CompletableFuture<Integer> late = new CompletableFuture<>();
        vm.control().onEnd(vm.id(), end -> late.complete(end.status()));
        assertEquals(11, late.getNow(-1));
    }

    /** Counts its starts in memory that a reset leaves alone; the third one ends the VM. */
    private static final String RESETS =
            """
            incl    0x30000
            putc    'b'
            cmpl    $3, 0x30000
            je      8f
            mov     $0xfe, %al              # the keyboard controller's reset line
            out     %al, $0x64
            7:      hlt
            jmp     7b
            8:      exit 9
            jmp     7b
            """;

    @Test
    void aResetStartsTheGuestAgain(TestVm vm) throws Exception {
        vm.platform("pc").assembly(RESETS).run().assertExit(9);
        assertEquals(3, vm.memory(0x30000, 1)[0]);
        assertEquals(2, vm.statistic("time", "resets"));
    }

    @Test
    void aResetUnderNoRebootEndsTheVm(TestVm vm) throws Exception {
        vm.platform("pc").set("no-reboot", true).assembly(RESETS).run().assertStatus(8);
        assertEquals(1, vm.memory(0x30000, 1)[0]);
    }

    @Test
    void aDestroyedVmIsUnknown(TestVm vm) throws Exception {
        vm.assembly(FOREVER).start().awaitConsole("r");
        vm.destroy();
        assertTrue(refused(() -> vm.control().start(vm.id())).contains("no VM " + vm.id()));
        assertTrue(refused(() -> vm.control().statistics(vm.id())).contains("no VM"));
        assertTrue(refused(() -> vm.control().destroy(vm.id())).contains("no VM"));
    }

    @Test
    void twoVmsOfOneNameAreRefused(TestVm vm, TestVm other) throws Exception {
        vm.assembly(SHORT).set("name", "twin").create();
        other.assembly(SHORT).set("name", "twin");
        assertTrue(refused(other::create).contains("twin"));
        vm.destroy();
        other.run().assertExit(5);
    }

    @Test
    void aWrongConfigurationIsRefusedInOneLine(TestVm vm) throws Exception {
        VmmControl control = vm.control();
        Map<String, Object> right = vm.assembly(SHORT).configuration();
        Map<String, Object> wrong =
                Map.ofEntries(
                        Map.entry("memory", "0"),
                        Map.entry("cpus", 0L),
                        Map.entry("engine", "steam"),
                        Map.entry("paging", "sideways"),
                        Map.entry("platform", "toaster"),
                        Map.entry("kernel", "/nowhere/kernel"),
                        Map.entry("loader", "crane"),
                        Map.entry("clock", "sundial"),
                        Map.entry("memroy", "16M"),
                        Map.entry("console", "telex"),
                        Map.entry("devices", List.of(Map.of("type", "uart1655O"))));
        wrong.forEach((key, value) -> {
            Map<String, Object> tree = new LinkedHashMap<>(right);
            tree.put(key, value);
            String message = refused(() -> control.create(tree));
            String text = value instanceof List ? "uart1655O" : value.toString();
            assertTrue(message.contains(text) || message.contains(key), key + " gave: " + message);
        });
        for (String memory : List.of("1", "4097", "-4096", "999999G", "many", "16Q")) {
            Map<String, Object> tree = new LinkedHashMap<>(right);
            tree.put("memory", memory);
            assertTrue(refused(() -> control.create(tree)).contains("memory"), memory);
        }
    }
}

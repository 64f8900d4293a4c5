package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A device with a bug takes its own VM down, says who it is, and nobody else notices. */
@AlcazarTest
class FaultyDeviceTest {
    private static final String USES_IT =
            "putc 'a'\n in $0x90, %al\n putc 'b'\n exit 3\n1: hlt\n jmp 1b";
    private static final String FOREVER = "putc 'r'\n1: inc %rbx\n jmp 1b";

    @TempDir private Path folder;

    private final TestFramework framework;
    private Hook offered = () -> {};

    FaultyDeviceTest(TestFramework framework) {
        this.framework = framework;
    }

    /** Throws where its setting says. */
    private static final class Faulty implements DeviceType {
        @Override
        public String name() {
            return "faulty";
        }

        @Override
        public String description() {
            return "throws";
        }

        @Override
        public Schema configuration() {
            return Schema.of(Key.string("at", "", "where it throws"));
        }

        @Override
        public Device create(DeviceContext context, Settings settings)
                throws ConfigurationException {
            String at = settings.string("at");
            context.hookPorts(0x90, 1, new Port(at));
            fail(at, "create");
            return new Part(at);
        }

        static void fail(String at, String here) {
            if (at.equals(here)) {
                throw new IllegalStateException("broken in " + here);
            }
        }
    }

    private record Port(String at) implements BusDevice {
        @Override
        public long read(long offset, Width width) {
            Faulty.fail(at, "read");
            return 0;
        }

        @Override
        public void write(long offset, Width width, long value) {
            Faulty.fail(at, "write");
        }
    }

    private record Part(String at) implements Device {
        @Override
        public void reset() {
            Faulty.fail(at, "reset");
        }

        @Override
        public SavedState save() {
            Faulty.fail(at, "save");
            return new SavedState("faulty", 1);
        }

        @Override
        public void restore(SavedState state) {
            Faulty.fail(at, "restore");
        }

        @Override
        public void close() {
            Faulty.fail(at, "close");
        }
    }

    @BeforeEach
    void offerIt() {
        offered = framework.offer(DeviceType.class, new Faulty());
    }

    @AfterEach
    void takeItBack() {
        offered.close();
    }

    private static TestVm faulty(TestVm vm, String at) {
        return vm.device("faulty", Map.of("name", "gadget", "at", at));
    }

    private static String oneLine(HostRefusal refusal) {
        String message = String.valueOf(refusal.getMessage());
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.contains("gadget"), message);
        return message;
    }

    @Test
    void oneThatCannotBeMadeRefusesTheVmAndLeavesNothing(TestVm vm) throws Exception {
        long before = framework.host().memory().bytesInUse("");
        for (String at : List.of("create", "reset")) {
            faulty(vm, at).assembly(USES_IT);
            String message = oneLine(assertThrows(HostRefusal.class, vm::create));
            assertTrue(message.contains("broken in " + at), message);
            assertEquals(before, framework.host().memory().bytesInUse(""));
            assertEquals(List.of(), framework.machines().all());
        }
    }

    @Test
    void oneThatThrowsAtAnAccessFailsItsVmAlone(TestVm bad, TestVm good) throws Exception {
        good.assembly(FOREVER).start().awaitConsole("r");
        VmEnd end = faulty(bad, "read").assembly(USES_IT).run().assertStatus(6).end();
        assertEquals(VmState.FAILED, bad.machine().state());
        assertEquals(1, end.reason().lines().count(), end.reason());
        for (String part : List.of("gadget", "port 0x90", "broken in read")) {
            assertTrue(end.reason().contains(part), end.reason());
        }
        assertTrue(end.dump().contains("Faulty.fail"), end.dump());
        assertTrue(end.dump().contains("rip"), end.dump());
        bad.assertConsole("a");
        assertEquals(VmState.RUNNING, good.machine().state());
        good.pause().resume();
        bad.destroy();
        good.control().stop(good.id());
        good.assertStatus(0);
    }

    @Test
    void oneThatCannotBeSavedRefusesTheSaveAndNoFileAppears(TestVm vm) throws Exception {
        faulty(vm, "save").assembly(FOREVER).start().awaitConsole("r").pause();
        Path file = folder.resolve("saved");
        String message =
                oneLine(
                        assertThrows(
                                HostRefusal.class,
                                () -> vm.control().save(vm.id(), file.toString())));
        assertTrue(message.contains("broken in save"), message);
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
        vm.resume();
        assertEquals(VmState.RUNNING, vm.machine().state());
    }

    @Test
    void oneThatCannotBeRestoredRefusesTheLoadAndLeavesNothing(TestVm vm) throws Exception {
        faulty(vm, "restore").assembly(FOREVER).start().awaitConsole("r").pause();
        Path file = folder.resolve("saved");
        vm.control().save(vm.id(), file.toString());
        vm.destroy();
        long before = framework.host().memory().bytesInUse("");
        oneLine(
                assertThrows(
                        HostRefusal.class, () -> vm.control().load(file.toString(), Map.of())));
        assertEquals(before, framework.host().memory().bytesInUse(""));
    }

    @Test
    void oneThatThrowsAtItsEndDoesNotHoldTheMemory(TestVm vm) throws Exception {
        long before = framework.host().memory().bytesInUse("");
        faulty(vm, "close").assembly(USES_IT).run().assertExit(3);
        vm.destroy();
        assertEquals(before, framework.host().memory().bytesInUse(""));
    }
}

package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.MemoryReport;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

/** A copy of a VM in the midst of timers and interrupts, which shares memory with it. */
@AlcazarTest
class ForkTest {
    private static final int TICKS = 20;

    /** The low memory that the guest uses. */
    private static final int USED = 0x22000;

    @TempDir private Path folder;

    @Test
    void theCopyGoesOnExactlyAsTheOriginal(TestFramework framework, TestVm vm, TestVm copy)
            throws Exception {
        VmManagement management = framework.service(VmManagement.class);
        Ticker.on(vm, TICKS, folder.resolve("first")).start().awaitConsole("d").pause();
        ForkReport made = management.fork(vm.id(), "copy");
        copy.adopt(made.vm());
        assertEquals(VmState.PAUSED, copy.machine().state());
        assertArrayEquals(vm.memory(0, USED), copy.memory(0, USED));
        vm.resume().assertExit(16);
        assertTrue(vm.memory(Ticker.TICKS, 1)[0] > copy.memory(Ticker.TICKS, 1)[0]);
        copy.resume().assertExit(16).assertRegister("rbx", vm.register("rbx"));
        assertEquals(vm.statistic("instructions"), copy.statistic("instructions"));
        assertArrayEquals(vm.memory(0, USED), copy.memory(0, USED));
        MemoryReport report = management.memory().report(copy.id());
        assertTrue(report.copied() > 0 && report.copied() < USED, report::toString);
        assertTrue(report.shared() > report.ram() / 2, report::toString);
    }
}

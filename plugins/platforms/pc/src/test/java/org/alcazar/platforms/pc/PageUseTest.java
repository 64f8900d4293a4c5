package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.AccessReport.Area;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.BitSet;

/** Which pages a running guest reads and writes. */
@AlcazarTest
class PageUseTest {
    /** Reads page 0x20 and writes page 0x30 for ever, from a page of its own. */
    private static final String GUEST =
            """
            1:  mov 0x20000, %eax
                add $1, %eax
                mov %eax, 0x30000
                jmp 1b
            """;

    private static Area low(AccessReport report) {
        return report.areas().getFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"nested", "direct"})
    void whatTheGuestReadsAndWritesIsCountedPageByPage(String mode, TestFramework framework)
            throws Exception {
        MemoryManagement memory = framework.service(VmManagement.class).memory();
        try (TestVm vm = framework.vm(mode)) {
            vm.hostClock().set("paging", mode).assembly(GUEST).start();
            memory.startAccess(vm.id(), 1_000_000, true);
            assertThrows(HostRefusal.class, () -> memory.startAccess(vm.id(), 1, true));
            while (low(memory.access(vm.id())).written()[0x30] < 3) {
                Thread.onSpinWait();
            }
            memory.stopAccess(vm.id());
            AccessReport report = memory.access(vm.id());
            Area low = low(report);
            assertTrue(low.used()[0x20] > 0, "read");
            assertEquals(0, low.written()[0x20], "but not written");
            assertTrue(low.written()[0x30] > 0);
            assertTrue(low.used()[(int) (TestVm.ENTRY >> 12)] > 0, "its code");
            assertEquals(0, low.used()[0x40]);
            assertEquals(0, low.used()[0x31]);
        }
    }

    @Test
    void aLargePageIsUsedAsAWhole(TestFramework framework, TestVm vm) throws Exception {
        MemoryManagement memory = framework.service(VmManagement.class).memory();
        vm.hostClock().assembly("1: mov 0x400000, %eax\n mov %eax, 0x400ff8\n jmp 1b\n").start();
        memory.startAccess(vm.id(), 1_000_000, false);
        Area last = memory.access(vm.id()).areas().getLast();
        int page = (int) (0x400000 - last.start() >> 12);
        while (last.written()[page] == 0) {
            Thread.onSpinWait();
            last = memory.access(vm.id()).areas().getLast();
        }
        assertEquals(last.written()[page], last.written()[page + 511], "of the same large page");
        vm.destroy();
    }

    @Test
    void writesAreLoggedAndTheLogBeginsAnew(TestFramework framework, TestVm vm) throws Exception {
        MemoryManagement memory = framework.service(VmManagement.class).memory();
        vm.hostClock().assembly(GUEST).start();
        assertThrows(HostRefusal.class, () -> memory.dirtyPages(vm.id(), false));
        memory.startDirtyLog(vm.id());
        for (int round = 0; round < 3; round++) {
            while (!memory.dirtyPages(vm.id(), false).get(0x30)) {
                Thread.onSpinWait();
            }
            BitSet written = memory.dirtyPages(vm.id(), true);
            assertTrue(written.get(0x30));
            assertFalse(written.get(0x20));
        }
        memory.stopDirtyLog(vm.id());
    }
}

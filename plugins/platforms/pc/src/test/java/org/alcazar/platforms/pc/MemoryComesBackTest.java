package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.RamPages;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;

/** What a VM took comes back, round after round. */
@AlcazarTest
class MemoryComesBackTest {
    private static final int ROUNDS = 50;

    /** Noise of the JVM itself: code, profiles, caches of reflection. */
    private static final long HEAP_NOISE = 512 << 10;

    /** Uses memory, interrupts and a string instruction, then ends. */
    private static final String WORKS =
            """
            mov     $0x100000, %edi
            mov     $0x10000, %ecx
            rep stosq
            movb    $0xc3, 0x90000          # code that is written and run
            mov     $0x90000, %eax
            call    *%rax
            exit    4
            1:      hlt
            jmp     1b
            """;

    private final TestFramework framework;

    MemoryComesBackTest(TestFramework framework) {
        this.framework = framework;
    }

    /** What must not grow. */
    private record Figures(
            long hostBytes, List<String> threads, int listeners, int vms, long heap) {}

    private Figures figures() {
        // A collection is asked for; two make sure that what the first one has freed is gone.
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return new Figures(
                framework.host().memory().bytesInUse(""),
                threads(),
                RamPages.listeners(),
                framework.machines().all().size(),
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }

    /** Names of all threads but those that the JDK keeps for a while after a child process. */
    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> !name.startsWith("process reaper"))
                .sorted()
                .toList();
    }

    private void round(int number, String paging, Map<String, Object> configuration)
            throws Exception {
        TestVm vm = framework.vm("round-" + number);
        try {
            configuration.forEach(vm::set);
            vm.platform("pc").set("paging", paging).assembly(WORKS).run().assertExit(4);
            assertTrue(framework.host().memory().bytesInUse("vm:" + vm.machine().name()) > 0);
        } finally {
            vm.close();
        }
    }

    @Test
    void aVmOf512MiBGivesAllItsMemoryBack() throws Exception {
        HostMemory memory = framework.host().memory();
        long before = memory.bytesInUse("");
        for (String paging : List.of("nested", "direct")) {
            TestVm vm = framework.vm("large-" + paging);
            try {
                vm.platform("pc").set("memory", "512M").set("paging", paging);
                vm.assembly(WORKS).run().assertExit(4);
                // All but the display window is RAM.
                assertTrue(memory.bytesInUse("") - before > 511L << 20);
            } finally {
                vm.close();
            }
            assertEquals(before, memory.bytesInUse(""), paging);
        }
    }

    @Test
    void fiftyRoundsOfCreateRunAndDestroyLeaveNoGrowth() throws Exception {
        for (int i = 0; i < ROUNDS / 2; i++) {
            round(i, i % 2 == 0 ? "nested" : "direct", Map.of());
        }
        Figures before = figures();
        int classes = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
        for (int i = 0; i < ROUNDS; i++) {
            round(i, i % 2 == 0 ? "nested" : "direct", Map.of());
        }
        Figures after = figures();
        int moreClasses = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount() - classes;
        assertEquals(before.hostBytes, after.hostBytes, "host memory");
        assertEquals(before.threads, after.threads, "threads");
        assertEquals(before.listeners, after.listeners, "listeners for writes to RAM");
        assertEquals(before.vms, after.vms, "VMs");
        assertTrue(
                after.heap - before.heap < HEAP_NOISE,
                "the heap grew by " + (after.heap - before.heap) + " bytes");
        assertTrue(moreClasses < ROUNDS, "classes: " + moreClasses + " more");
    }

    @Test
    void vmsThatAreRefusedHalfwayLeaveNothing() throws Exception {
        Figures before = figures();
        for (int i = 0; i < ROUNDS; i++) {
            TestVm vm = framework.vm("refused-" + i);
            vm.platform("pc").set("kernel", "/nowhere").set("loader", "micro");
            assertThrows(HostRefusal.class, vm::create);
        }
        Figures after = figures();
        assertEquals(before.hostBytes, after.hostBytes);
        assertEquals(before.threads, after.threads);
        assertEquals(before.listeners, after.listeners);
    }
}

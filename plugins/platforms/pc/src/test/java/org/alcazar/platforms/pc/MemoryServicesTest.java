package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.core.PluginTypes;
import org.alcazar.vmm.core.Vmm;
import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * All services for RAM at once on each host of the test class path, under a guest whose two cores
 * are busy with each other and find in the end that nothing was lost: guests/micro/smpbusy.c.
 */
@Timeout(100)
class MemoryServicesTest {
    private static final int PASS = 33;

    /** Many more than a fork takes. */
    private static final int STEPS = 500;

    /** RAM that the guest does not use. */
    private static final long FREE = 8 << 20;

    private static final int FREE_PAGES = 768;
    private static final int PAGE = (int) HostMemory.PAGE_SIZE;
    private static final Path MICRO = Path.of("../../../guests/micro");

    @TempDir private Path folder;

    @BeforeAll
    static void theGuestIsBuilt() throws IOException, InterruptedException {
        Process make =
                new ProcessBuilder("make", "-s", "-C", MICRO.toString(), "build/smpbusy.elf")
                        .inheritIO()
                        .start();
        assumeTrue(make.waitFor() == 0, "guests/micro cannot be built here");
    }

    static List<FlatHost> hosts() throws IOException {
        return FlatHost.all();
    }

    private Map<String, Object> configuration() {
        return Map.of(
                "name", "busy",
                "platform", "pc",
                "memory", "16M",
                "cpus", 2L,
                "clock", "host",
                "console", "none",
                "kernel", MICRO.resolve("build/smpbusy.elf").toString(),
                "append", "cpus=2 steps=" + STEPS,
                "swap", Map.of("type", "random", "file", swapFile().toString(), "limit", "2M"));
    }

    private Path swapFile() {
        return folder.resolve("swap");
    }

    private static CompletableFuture<Integer> end(Vmm vmm, int vm) throws HostRefusal {
        CompletableFuture<Integer> out = new CompletableFuture<>();
        vmm.onEnd(vm, end -> out.complete(end.status()));
        return out;
    }

    /** Writes more than the limit, as a device would: pages of the guest's go meanwhile. */
    private static void fill(GuestMemory memory, int salt) {
        for (int i = 0; i < FREE_PAGES; i++) {
            memory.writeLong(FREE + (long) i * PAGE, salt + i);
        }
    }

    private static void check(GuestMemory memory, int salt) {
        for (int i = 0; i < FREE_PAGES; i++) {
            assertEquals(salt + i, memory.readLong(FREE + (long) i * PAGE));
        }
    }

    @ParameterizedTest
    @MethodSource("hosts")
    void allServicesLeaveABusyGuestOfTwoCoresRight(FlatHost host) throws Exception {
        PluginTypes types = FlatTypes.all();
        try (FlatHost.Open open = host.open(64 << 20)) {
            try (Vmm vmm = new Vmm(open.kernel(), types)) {
                services(vmm);
            }
            assertEquals(0, open.kernel().memory().bytesInUse(""));
            assertFalse(Files.exists(swapFile()));
        }
    }

    private void services(Vmm vmm) throws Exception {
        VmManagement management = vmm.management();
        MemoryManagement memory = management.memory();
        int parent = vmm.create(configuration());
        CompletableFuture<Integer> parentEnd = end(vmm, parent);
        GuestMemory ram = vmm.find(parent).orElseThrow().memory();
        memory.startDirtyLog(parent);
        memory.startAccess(parent, 2_000_000, true);
        fill(ram, 0);
        vmm.start(parent);
        fill(ram, 1);
        int copy = management.fork(parent, "copy").vm();
        CompletableFuture<Integer> copyEnd = end(vmm, copy);
        GuestMemory other = vmm.find(copy).orElseThrow().memory();
        vmm.resume(copy);
        CompletableFuture<Object> oneEnd = CompletableFuture.anyOf(parentEnd, copyEnd);
        int salt = 1;
        do {
            check(other, salt);
            check(ram, salt);
            unlessEnded(oneEnd, () -> memory.share(List.of(parent, copy)));
            fill(other, salt + 1000);
            check(ram, salt);
            fill(ram, salt + 1000);
            unlessEnded(oneEnd, () -> memory.move(parent, FREE, (long) FREE_PAGES * PAGE, 0));
            salt += 1000;
        } while (!oneEnd.isDone());
        assertTrue(memory.report(parent).swapped() > 0);
        assertTrue(memory.dirtyPages(parent, false).get((int) (FREE / PAGE)));
        assertTrue(used(memory.access(parent)), "by the guest");
        assertEquals(PASS, parentEnd.get());
        assertEquals(PASS, copyEnd.get());
        check(ram, salt);
        vmm.destroy(parent);
        check(other, salt);
        vmm.destroy(copy);
    }

    private interface Service {
        void ask() throws HostRefusal;
    }

    /** Asks for something that a VM which has ended is refused. */
    private static void unlessEnded(CompletableFuture<Object> end, Service service)
            throws HostRefusal {
        try {
            service.ask();
        } catch (HostRefusal e) {
            assertTrue(String.valueOf(e.getMessage()).contains(" end"), e::toString);
            end.join(); // whose listeners are told a little later
        }
    }

    private static boolean used(AccessReport report) {
        return report.areas().stream().anyMatch(area -> Arrays.stream(area.used()).sum() > 0);
    }
}

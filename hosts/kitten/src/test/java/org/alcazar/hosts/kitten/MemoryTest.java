package org.alcazar.hosts.kitten;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTopology;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The static map, and what is handed out of it. */
class MemoryTest {
    private static final long MIB = 1L << 20;

    /** A workload of a guest's kind: a large extent, small ones that come and go. */
    private static List<Long> addresses(String options) throws HostRefusal {
        List<Long> addresses = new ArrayList<>();
        try (KittenHost host = KittenHostTest.open(options)) {
            Random random = new Random(7);
            List<PageExtent> held = new ArrayList<>();
            held.add(host.memory().allocate(PageRequest.of("ram", 5000)));
            for (int i = 0; i < 200; i++) {
                PageExtent extent =
                        host.memory().allocate(PageRequest.of("t", 1 + random.nextInt(60)));
                addresses.add(extent.address());
                held.add(extent);
                if (i % 3 == 0) {
                    host.memory().free(held.remove(random.nextInt(held.size())));
                }
            }
            held.forEach(host.memory()::free);
        }
        return addresses;
    }

    @Test
    void theSameRequestsGetTheSameAddressesFromAFreshHost() throws Exception {
        String options = "memory=64M,kernel=1M";
        assertEquals(addresses(options), addresses(options));
    }

    @Test
    void memoryThatIsNoPowerOfTwoIsSeveralRegions() throws Exception {
        try (KittenHost host = KittenHostTest.open("memory=100M,kernel=1M")) {
            assertEquals(100 * MIB, host.memory().totalBytes());
            PageExtent large = host.memory().allocate(PageRequest.of("a", 64 * MIB >> 12));
            PageExtent middle = host.memory().allocate(PageRequest.of("a", 32 * MIB >> 12));
            String why =
                    assertThrows(
                                    HostRefusal.class,
                                    () -> host.memory().allocate(PageRequest.of("a", 1025)))
                            .getMessage();
            assertEquals(
                    "host kitten: a wants 4100 KiB of memory, 4096 KiB of 102400 are free", why);
            host.memory().free(large);
            String tooLarge =
                    assertThrows(
                                    HostRefusal.class,
                                    () ->
                                            host.memory()
                                                    .allocate(PageRequest.of("a", 65 * MIB >> 12)))
                            .getMessage();
            assertEquals(
                    "host kitten: a wants 66560 KiB in one block; the largest free one has 65536 KiB",
                    tooLarge);
            host.memory().free(middle);
            assertEquals(0, host.memory().bytesInUse(""));
        }
    }

    @Test
    void aClosedHostLeavesNoneOfTheRangeBehind() throws Exception {
        long before = HostRange.carve(MIB, MIB);
        HostRange.release(before);
        KittenHost host = KittenHostTest.open("memory=64M,kernel=16M");
        PageExtent late = host.memory().allocate(PageRequest.of("late", 1));
        host.close();
        assertThrows(HostRefusal.class, () -> host.memory().allocate(PageRequest.of("late", 1)));
        host.memory().free(late);
        KittenHostTest.open("memory=64M,kernel=16M").close();
        long after = HostRange.carve(MIB, MIB);
        HostRange.release(after);
        assertEquals(before, after);
    }

    @Test
    void splitsAndMergesAreCountedAndBalance() throws Exception {
        try (KittenHost host = KittenHostTest.open("memory=64M,kernel=1M")) {
            HostPrimitives primitives = host.find(HostPrimitives.class).orElseThrow();
            PageExtent extent = host.memory().allocate(PageRequest.of("a", 1));
            assertEquals(14, primitives.counts().get("block-split")); // 64 MiB to 4 KiB
            host.memory().free(extent);
            assertEquals(14, primitives.counts().get("block-merge"));
            assertEquals(1, primitives.counts().get("page-allocation"));
            assertEquals(1, primitives.counts().get("page-free"));
            String notes = String.join("\n", host.find(HostNotes.class).orElseThrow().notes());
            assertTrue(notes.contains("65536 KiB free in 1 blocks"), notes);
            assertTrue(notes.contains("the largest extent so far has 4 KiB"), notes);
        }
    }

    @Test
    void allMemoryIsAtOneNode() throws Exception {
        try (KittenHost host = KittenHostTest.open("memory=64M,kernel=1M")) {
            List<HostTopology.Node> nodes = host.find(HostTopology.class).orElseThrow().nodes();
            assertEquals(1, nodes.size());
            assertEquals(64 * MIB, nodes.getFirst().bytes());
            assertEquals(host.processors().count(), nodes.getFirst().cpus().size());
        }
    }
}

package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;

class MemoryReturnTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    private static void nothingIsLeft(Bench bench) {
        assertEquals(0, bench.host.memory.bytesInUse(""));
        assertEquals(0, bench.host.consoles.open);
        assertEquals(0, bench.host.clock.timersOpen());
        assertEquals(0, bench.host.processors.threadsAlive());
    }

    @Test
    void aDestroyedVmGivesAllItsMemoryBack() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 2)) {
            for (int round = 0; round < 50; round++) {
                Vm vm = bench.start();
                assertEquals(Bench.RAM + 4096, bench.host.memory.bytesInUse("vm:" + vm.name()));
                bench.vmm.destroy(vm.id());
                nothingIsLeft(bench);
            }
        }
    }

    @Test
    void afterARefusalAtAnyAllocationNothingIsLeft() throws Exception {
        for (int allowed = 0; ; allowed++) {
            Bench bench = new Bench(FOREVER);
            bench.host.memory.refuseAfter(allowed);
            try {
                bench.create();
                bench.vmm.close();
                nothingIsLeft(bench);
                assertTrue(allowed >= 2, "RAM and a table");
                return;
            } catch (HostRefusal e) {
                nothingIsLeft(bench);
            }
        }
    }

    @Test
    void afterARefusalOfAnyThreadNothingIsLeft() throws Exception {
        for (int allowed = 0; allowed < 3; allowed++) {
            Bench bench = new Bench(FOREVER).with("cpus", 2);
            bench.host.processors.refuseAfter(allowed);
            assertThrows(HostRefusal.class, bench::create);
            nothingIsLeft(bench);
        }
    }

    @Test
    void aDeviceThatCannotBeMadeTakesTheVmWithIt() throws Exception {
        Bench bench =
                new Bench(FOREVER)
                        .device("good", c -> c.clock().timer("t", () -> {}).arm(5))
                        .device(
                                "bad",
                                c -> {
                                    c.hookPorts(1, 1, LifeCycleTest.onWrite(v -> {}));
                                    throw new IllegalStateException("no");
                                });
        String message =
                String.valueOf(assertThrows(HostRefusal.class, bench::create).getMessage());
        assertTrue(message.contains("making device bad"), message);
        nothingIsLeft(bench);
    }

    @Test
    void memoryIsTakenInPiecesWhereTheHostHasNoWholeOne() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            // Leaves gaps of 3 MiB, 2 MiB apart.
            java.util.List<org.alcazar.host.PageExtent> held = new java.util.ArrayList<>();
            for (long i = 0; i < FakeHost.ARENA >> 22; i++) {
                held.add(
                        bench.host.memory.allocate(
                                new org.alcazar.host.PageRequest(
                                        "x", 256, 4L << 20, -1, Long.MAX_VALUE)));
            }
            Vm vm = bench.create();
            assertTrue(vm.physicalMap().ranges().size() >= 4);
            assertEquals(Bench.RAM + 4096, bench.host.memory.bytesInUse("vm:" + vm.name()));
            bench.vmm.destroy(vm.id());
            held.forEach(bench.host.memory::free);
            nothingIsLeft(bench);
        }
    }
}

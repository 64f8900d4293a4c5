package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Space;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.MemoryReport;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.Test;

class ForkTest {
    private static final long COUNTER = 0x5008;

    /** Counts in memory for ever. */
    private static final Toy.Op[] COUNTING = {
        new Toy.Read(Space.MEMORY, COUNTER, 8),
        new Toy.Add(1),
        new Toy.Write(Space.MEMORY, COUNTER, 8),
        new Toy.Jump(0)
    };

    private final Bench bench = new Bench(COUNTING);
    private final VmManagement management = new Management(bench.vmm, bench.types);

    private Vm running() throws Exception {
        Vm vm = bench.start();
        Bench.until(() -> vm.memory().readLong(COUNTER) > 100);
        return vm;
    }

    private static String checksum(Vm vm) {
        return RamSections.checksum(vm.machine().pages(), vm.physicalMap());
    }

    private MemoryReport report(Vm vm) throws HostRefusal {
        return management.memory().report(vm.id());
    }

    @Test
    void bothCountOnAndNeitherSeesTheOther() throws Exception {
        try (bench) {
            Vm parent = running();
            parent.memory().writeLong(0x9000, 77);
            ForkReport report = management.fork(parent.id(), "copy");
            Vm copy = bench.vmm.get(report.vm());
            assertEquals(VmState.PAUSED, copy.state());
            assertEquals(VmState.RUNNING, parent.state());
            assertEquals(0, report.pauseNanos(), "the clock of this host stands");
            assertEquals(Bench.RAM, report.sharedBytes());
            long from = copy.memory().readLong(COUNTER);
            Bench.until(() -> parent.memory().readLong(COUNTER) > from + 100);
            assertEquals(from, copy.memory().readLong(COUNTER), "it stands");
            parent.pause();
            long stopped = parent.memory().readLong(COUNTER);
            copy.resume();
            Bench.until(() -> copy.memory().readLong(COUNTER) > stopped);
            assertEquals(stopped, parent.memory().readLong(COUNTER));
            assertEquals(77, copy.memory().readLong(0x9000));
            copy.memory().writeLong(0x9000, 78);
            assertEquals(77, parent.memory().readLong(0x9000));
        }
    }

    @Test
    void memoryIsSharedUntilItIsWritten() throws Exception {
        try (bench) {
            Vm parent = bench.create();
            Vm copy = bench.vmm.get(management.fork(parent.id(), "copy").vm());
            assertEquals(Bench.RAM, report(copy).shared());
            assertEquals(0, report(copy).alone());
            copy.memory().readLong(0x7000);
            assertEquals(0, report(copy).copied(), "reading copies nothing");
            copy.memory().writeLong(0x7ffc, 5);
            assertEquals(2 * Pages.PAGE, report(copy).copied(), "a write across two pages");
            assertEquals(Bench.RAM - 2 * Pages.PAGE, report(copy).shared());
            assertEquals(5, copy.memory().readLong(0x7ffc));
            assertEquals(0, parent.memory().readLong(0x7ffc));
            assertTrue(report(copy).charged() < Bench.RAM / 4, "no RAM of its own but copies");
            assertTrue(report(copy).paged());
        }
    }

    @Test
    void allMemoryComesBackInWhateverOrderTheyGo() throws Exception {
        for (boolean parentFirst : new boolean[] {true, false}) {
            try (Bench own = new Bench(COUNTING)) {
                Vm parent = own.start();
                VmManagement of = new Management(own.vmm, own.types);
                Vm copy = own.vmm.get(of.fork(parent.id(), "copy").vm());
                Vm second = own.vmm.get(of.fork(copy.id(), "second").vm());
                second.resume();
                copy.memory().fill(0, 1 << 20, 3);
                String owner = parent.machine().owner();
                own.vmm.destroy((parentFirst ? parent : second).id());
                if (parentFirst) {
                    assertTrue(own.host.memory.bytesInUse(owner) > 0, "its copies use it");
                }
                assertEquals(3, copy.memory().readByte(0));
                own.vmm.destroy(copy.id());
                own.vmm.destroy((parentFirst ? second : parent).id());
                assertEquals(0, own.host.memory.bytesInUse(""));
            }
        }
    }

    @Test
    void whoIsLeftAloneWritesWithoutACopy() throws Exception {
        try (bench) {
            Vm parent = bench.create();
            Vm copy = bench.vmm.get(management.fork(parent.id(), "copy").vm());
            copy.memory().writeLong(0, 1);
            bench.vmm.destroy(parent.id());
            copy.memory().writeLong(0x3000, 4);
            assertEquals(Pages.PAGE, report(copy).copied());
            assertEquals(Bench.RAM, report(copy).alone());
            assertEquals(4, copy.memory().readLong(0x3000));
        }
    }

    @Test
    void aPageThatWasCopiedIsGivenBackInTheNextBarrierOnly() throws Exception {
        try (bench) {
            Vm parent = bench.start();
            parent.pause();
            Vm copy = bench.vmm.get(management.fork(parent.id(), "copy").vm());
            long old = copy.physicalMap().toHost(0x9000, 8);
            copy.resume();
            copy.memory().writeLong(0x9000, 1);
            Frames frames = bench.vmm.frames();
            assertEquals(2, frames.users(old), "somebody may still read there");
            copy.pause();
            assertEquals(1, frames.users(old));
        }
    }

    @Test
    void aForkOfAForkedVmSharesWhatIsStillShared() throws Exception {
        try (bench) {
            Vm parent = bench.create();
            parent.memory().writeLong(0x2000, 1);
            Vm one = bench.vmm.get(management.fork(parent.id(), "one").vm());
            one.memory().writeLong(0x2000, 2);
            Vm two = bench.vmm.get(management.fork(one.id(), "two").vm());
            two.memory().writeLong(0x3000, 3);
            assertEquals(1, parent.memory().readLong(0x2000));
            assertEquals(2, two.memory().readLong(0x2000));
            assertNotEquals(3, one.memory().readLong(0x3000));
            one.memory().writeLong(0x2000, 4);
            assertEquals(2, two.memory().readLong(0x2000));
        }
    }

    @Test
    void aHostWithoutMemoryFailsTheWriterAlone() throws Exception {
        try (bench) {
            Vm parent = running();
            parent.pause();
            Vm copy = bench.vmm.get(management.fork(parent.id(), "copy").vm());
            bench.host.memory.refuseAfter(0);
            copy.resume();
            Bench.until(() -> copy.state() == VmState.FAILED);
            assertTrue(copy.end().orElseThrow().reason().contains("the guest's memory needs"));
            assertEquals(VmState.PAUSED, parent.state());
            bench.host.memory.refuseAfter(Integer.MAX_VALUE);
        }
    }

    @Test
    void aForkThatCannotBeMadeLeavesNothing() throws Exception {
        try (bench) {
            Vm parent = running();
            long before = bench.host.memory.bytesInUse("");
            String taken =
                    assertThrows(
                                    HostRefusal.class,
                                    () -> management.fork(parent.id(), parent.name()))
                            .getMessage();
            assertTrue(String.valueOf(taken).contains("already"), taken);
            bench.host.processors.refuseAfter(0);
            assertThrows(HostRefusal.class, () -> management.fork(parent.id(), "copy"));
            bench.host.processors.refuseAfter(Integer.MAX_VALUE);
            assertEquals(before, bench.host.memory.bytesInUse(""));
            assertEquals(VmState.RUNNING, parent.state());
            assertEquals(1, bench.vmm.all().size());
        }
    }

    @Test
    void pagesThatAreDiscardedReadAsZeroAndComeAgain() throws Exception {
        try (bench) {
            Vm vm = running();
            vm.memory().fill(0x20_0000, 3 * Pages.PAGE, 9);
            assertEquals(2 * Pages.PAGE, vm.memory().discard(0x20_1000, 2 * Pages.PAGE));
            assertEquals(2 * Pages.PAGE, report(vm).ballooned());
            assertEquals(Bench.RAM - 2 * Pages.PAGE, report(vm).present());
            assertEquals(9, vm.memory().readByte(0x20_0fff));
            assertEquals(0, vm.memory().readByte(0x20_1000));
            vm.memory().writeLong(0x20_2000, 5);
            assertEquals(5, vm.memory().readLong(0x20_2000));
            assertEquals(0, report(vm).ballooned());
            for (long[] none :
                    new long[][] {
                        {1, 4096},
                        {0, 5},
                        {-4096, 4096},
                        {4096, -4096},
                        {1L << 40, 1 << 20},
                        {Long.MAX_VALUE - 4096, 8192}
                    }) {
                assertEquals(0, vm.memory().discard(none[0], none[1]));
            }
            assertEquals(Pages.PAGE, vm.memory().discard(0x20_0001, 2 * Pages.PAGE));
            assertEquals(9, vm.memory().readByte(0x20_0fff));
        }
    }

    @Test
    void whatOneVmDiscardsTheOtherKeepsAndAllComesBackInTheEnd() throws Exception {
        try (bench) {
            Vm vm = running();
            vm.memory().fill(0x10_0000, 1 << 20, 7);
            management.fork(vm.id(), "copy");
            Vm copy = bench.vmm.get(2);
            assertEquals(1 << 20, vm.memory().discard(0x10_0000, 1 << 20)); // more than at once
            assertEquals(0, vm.memory().readByte(0x10_0000));
            assertEquals(7, copy.memory().readByte(0x10_0000));
            assertEquals(7, copy.memory().readByte(0x1f_ffff));
            assertEquals(1 << 19, copy.memory().discard(0x10_0000, 1 << 19));
            bench.vmm.destroy(vm.id());
            assertEquals(7, copy.memory().readByte(0x18_0000));
        }
        assertEquals(0, bench.host.memory.bytesInUse(""));
    }

    @Test
    void aPageThatComesBackLiesWhereItLay() throws Exception {
        try (bench) {
            Vm vm = running();
            long bytes = 32 * Pages.PAGE; // so few go in the pause
            vm.memory().fill(0x10_0000, bytes, 7);
            long before = vm.physicalMap().toHost(0x10_0000);
            vm.memory().discard(0x10_0000, bytes);
            management.standing(vm.id(), () -> 0);
            for (long at = bytes - Pages.PAGE; at >= 0; at -= Pages.PAGE) {
                vm.memory().writeByte(0x10_0000 + at, 1);
                assertEquals(before + at, vm.physicalMap().toHost(0x10_0000 + at));
            }
        }
    }

    @Test
    void addressesBeyondAllRamEndEachAccess() throws Exception {
        try (bench) {
            Vm vm = running();
            for (long at : new long[] {Long.MIN_VALUE, Long.MAX_VALUE - 8, -8, -1, 1L << 62}) {
                byte[] bytes = new byte[64];
                vm.memory().read(at, bytes, 0, 16);
                assertEquals(-1, bytes[0]);
                assertEquals(0, bytes[16]);
                vm.memory().write(at, bytes, 0, 4);
                vm.memory().fill(at, 16, 1);
                assertEquals(0, vm.memory().discard(at, 1 << 20));
            }
        }
    }

    @Test
    void aRegionThatMovesKeepsItsContentsUnderTheRunningGuest() throws Exception {
        try (bench) {
            Vm vm = running();
            vm.memory().fill(0x20_0000, 3 * Pages.PAGE, 9);
            long before = vm.physicalMap().toHost(0x20_0000);
            assertEquals(1 << 20, management.memory().move(vm.id(), 0x20_0000, 1 << 20, 0));
            assertNotEquals(before, vm.physicalMap().toHost(0x20_0000));
            assertEquals(9, vm.memory().readByte(0x20_2fff));
            assertEquals(0, vm.memory().readByte(0x20_3000));
            management.memory().move(vm.id(), 0x5000, Pages.PAGE, 0);
            long count = vm.memory().readLong(COUNTER);
            Bench.until(() -> vm.memory().readLong(COUNTER) > count + 100);
            bench.vmm.destroy(vm.id());
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    @Test
    void aSavedForkIsWhatItWas() throws Exception {
        try (bench) {
            Vm parent = bench.create();
            parent.memory().writeLong(0x2000, 1);
            Vm copy = bench.vmm.get(management.fork(parent.id(), "copy").vm());
            copy.memory().writeLong(0x3000, 3);
            String before = checksum(copy);
            bench.vmm.save(copy.id(), "/saved");
            int loaded = bench.vmm.load("/saved", java.util.Map.of("name", "again"));
            Vm again = bench.vmm.get(loaded);
            assertEquals(1, again.memory().readLong(0x2000));
            assertEquals(3, again.memory().readLong(0x3000));
            assertEquals(before, checksum(again));
            assertFalse(report(again).paged());
            assertNotEquals(copy.id(), again.id());
        }
    }
}

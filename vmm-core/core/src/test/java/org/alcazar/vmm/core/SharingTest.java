package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Space;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.ShareReport;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

class SharingTest {
    private static final long PAGE = Pages.PAGE;
    private static final long COUNTER = 0x5008;
    private static final long PAGES = Bench.RAM / PAGE;

    private static final Toy.Op[] COUNTING = {
        new Toy.Read(Space.MEMORY, COUNTER, 8),
        new Toy.Add(1),
        new Toy.Write(Space.MEMORY, COUNTER, 8),
        new Toy.Jump(0)
    };

    private final Bench bench = new Bench(COUNTING);
    private final MemoryManagement memory = new Management(bench.vmm, bench.types).memory();

    private Vm make(String name, boolean start) throws HostRefusal {
        Vm vm = bench.with("name", name).create();
        for (int i = 0; i < 4; i++) {
            vm.memory().fill(0x10_0000 + i * PAGE, PAGE, 1 + i);
        }
        if (start) {
            vm.start();
        }
        return vm;
    }

    @Test
    void equalPagesOfRunningVmsBecomeOneUntilEitherWrites() throws Exception {
        try (bench) {
            Vm one = make("one", true);
            Vm two = make("two", true);
            ShareReport report = memory.share(List.of(two.id(), one.id(), two.id()));
            assertEquals(2 * PAGES, report.pages());
            assertTrue(report.merged() >= 2 * PAGES - 16, report::toString);
            assertEquals(report.merged() * PAGE, report.savedBytes());
            assertEquals(2, report.pauseNanos().size());
            long frame = one.physicalMap().toHost(0x10_1000);
            assertEquals(frame, two.physicalMap().toHost(0x10_1000));
            assertEquals(
                    one.physicalMap().toHost(0x20_0000),
                    one.physicalMap().toHost(0x20_1000),
                    "zeros of one VM");
            one.memory().writeLong(0x10_1000, 77);
            assertEquals(0x0202_0202_0202_0202L, two.memory().readLong(0x10_1000));
            two.memory().writeLong(0x10_2000, 78);
            assertEquals(0x0303_0303_0303_0303L, one.memory().readLong(0x10_2000));
            assertEquals(77, one.memory().readLong(0x10_1000));
            one.memory().writeLong(0x20_0000, 5);
            assertEquals(0, one.memory().readLong(0x20_1000));
            for (Vm vm : List.of(one, two)) {
                long from = vm.memory().readLong(COUNTER);
                Bench.until(() -> vm.memory().readLong(COUNTER) > from + 100);
            }
        }
    }

    /** It comes when all stand, with the hashes equal and the comparison about to begin. */
    @Test
    void whatADebuggerWritesInThePauseIsNotLost() throws Exception {
        try (bench) {
            Vm one = make("one", false);
            long[] zeros =
                    LongStream.range(0, PAGES)
                            .map(page -> page * PAGE)
                            .filter(page -> one.memory().isRam(page, PAGE) && isZero(one, page))
                            .limit(2)
                            .toArray();
            Thread sharing = Thread.currentThread();
            CountDownLatch locked = new CountDownLatch(1);
            Thread debugger =
                    new Thread(() -> {
                        synchronized (one.machine().pages()) {
                            locked.countDown();
                            while (sharing.getState() != Thread.State.BLOCKED) {
                                Thread.onSpinWait();
                            }
                            one.memory().writeLong(zeros[1], 77);
                        }
                    });
            HostClock clock =
                    new FakeHost.Clock() {
                        @Override
                        public synchronized long nanoTime() {
                            if (locked.getCount() > 0) {
                                debugger.start();
                                await(locked);
                            }
                            return super.nanoTime();
                        }
                    };
            ShareReport report = new Sharing(bench.vmm.frames(), clock).share(List.of(one));
            debugger.join();
            assertTrue(report.merged() > 0);
            assertEquals(77, one.memory().readLong(zeros[1]));
            assertEquals(0, one.memory().readLong(zeros[0]));
        }
    }

    private static boolean isZero(Vm vm, long page) {
        byte[] bytes = new byte[(int) PAGE];
        vm.memory().read(page, bytes, 0, bytes.length);
        return Arrays.equals(bytes, new byte[bytes.length]);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void eachPauseIsForSoManyPagesAtMost() throws Exception {
        try (bench) {
            Vm one = make("one", true);
            Vm two = make("two", true);
            AtomicInteger pauses = new AtomicInteger();
            HostClock clock =
                    new FakeHost.Clock() {
                        @Override
                        public synchronized long nanoTime() {
                            pauses.incrementAndGet();
                            return super.nanoTime();
                        }
                    };
            ShareReport report = new Sharing(bench.vmm.frames(), clock).share(List.of(one, two));
            int readings = 4; // at begin and end, for each VM
            assertTrue(report.merged() > 3 * Sharing.STEP, report::toString);
            assertTrue(report.merged() <= (long) pauses.get() / readings * Sharing.STEP);
        }
    }

    @Test
    void whatIsSharedAlreadySavesNothingMore() throws Exception {
        try (bench) {
            Vm one = make("one", false);
            Vm two = make("two", false);
            memory.share(List.of(one.id(), two.id()));
            ShareReport again = memory.share(List.of(one.id(), two.id()));
            assertEquals(0, again.merged());
            assertEquals(0, again.savedBytes());
        }
    }

    @Test
    void allMemoryComesBackInWhateverOrderTheyGo() throws Exception {
        try (bench) {
            for (int first = 0; first < 2; first++) {
                List<Vm> vms = List.of(make("one", true), make("two", true));
                memory.share(List.of(vms.get(0).id(), vms.get(1).id()));
                Vm left = vms.get(1 - first);
                bench.vmm.destroy(vms.get(first).id());
                assertEquals(4, left.memory().readByte(0x10_3000));
                left.memory().fill(0x10_0000, 16 * PAGE, 9);
                assertEquals(9, left.memory().readByte(0x10_ffff));
                bench.vmm.destroy(left.id());
                assertEquals(0, bench.host.memory.bytesInUse(""));
            }
        }
    }

    @Test
    void aVmThatIsNotThereIsRefused() throws Exception {
        try (bench) {
            Vm one = make("one", false);
            assertThrows(HostRefusal.class, () -> memory.share(List.of(one.id(), 99)));
        }
    }
}

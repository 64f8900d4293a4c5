package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Parts that do not return are given up, alone or with their VM; everything else goes on. */
class StuckTest {
    private static final int PORT = 0x90;

    private final CountDownLatch free = new CountDownLatch(1);
    private volatile boolean deaf;
    private volatile boolean entered;

    @AfterEach
    void letGo() {
        free.countDown();
    }

    /** Stays until the test lets go, or until it is interrupted and not deaf. */
    private void stay() {
        entered = true;
        while (true) {
            try {
                free.await();
                return;
            } catch (InterruptedException e) {
                if (!deaf) {
                    throw new IllegalStateException("interrupted", e);
                }
            }
        }
    }

    private final class Sleeper implements Device, BusDevice {
        private final String at;

        Sleeper(DeviceContext context, String at) throws ConfigurationException {
            this.at = at;
            context.hookPorts(PORT, 1, this);
            if (at.equals("create")) {
                stay();
            }
            if (at.equals("timer")) {
                context.clock().timer("alarm", StuckTest.this::stay).arm(1);
            }
        }

        private void in(String here) {
            if (here.equals(at)) {
                stay();
            }
        }

        @Override
        public long read(long offset, Width width) {
            in("read");
            return 0;
        }

        @Override
        public void write(long offset, Width width, long value) {}

        @Override
        public void reset() {
            in("reset");
        }

        @Override
        public SavedState save() {
            in("save");
            return new SavedState("sleeper", 1);
        }

        @Override
        public void restore(SavedState state) {}

        @Override
        public void close() {
            in("close");
        }
    }

    /** A guest that uses the device, or none. */
    private Bench bench(String at, boolean uses) {
        return new Bench(uses ? Toy.in(PORT, 1) : new Toy.Add(1), new Toy.Jump(0))
                .with("call-limit", 1)
                .device("sleeper", (context, settings) -> new Sleeper(context, at));
    }

    /**
     * Lets the host's time go on until something has happened, and other VMs with it. Time goes as
     * fast as the wall's: what must happen within a limit gets the processor time that it would
     * have.
     */
    private static <T> T meanwhile(Bench bench, CompletableFuture<T> event, Vm... others) {
        return meanwhile(bench, event, 1, others);
    }

    private static <T> T meanwhile(
            Bench bench, CompletableFuture<T> event, int speed, Vm... others) {
        long last = System.nanoTime();
        while (!event.isDone()) {
            for (Vm other : others) {
                long before = other.vcores().getFirst().retired();
                Bench.until(() -> other.vcores().getFirst().retired() > before);
            }
            LockSupport.parkNanos(1_000_000);
            long now = System.nanoTime();
            bench.host.clock.advance(speed * (now - last));
            last = now;
            if (Thread.currentThread().isInterrupted()) {
                throw new AssertionError("this never comes");
            }
        }
        return event.join();
    }

    private static CompletableFuture<VmEnd> end(Bench bench, Vm vm) {
        CompletableFuture<VmEnd> out = new CompletableFuture<>();
        vm.onEnd(out::complete);
        return out;
    }

    @Test
    void anAccessOrTimerThatDoesNotReturnFailsItsVmAlone() throws Exception {
        for (String at : List.of("read", "timer")) {
            try (Bench bench = bench(at, true)) {
                Vm vm = bench.start();
                Vm other = other(bench);
                VmEnd end = meanwhile(bench, end(bench, vm), other);
                assertEquals(6, end.status());
                assertTrue(
                        end.reason().contains(at.equals("read") ? "port 0x90" : "sleeper.alarm"),
                        end.reason());
                assertTrue(end.reason().contains("did not return within 1 s"), end.reason());
                assertTrue(end.reason().contains(Sleeper.class.getName()), end.reason());
                assertEquals(VmState.RUNNING, other.state());
                Bench.until(() -> bench.vmm.stuck().list().isEmpty());
                bench.vmm.destroy(vm.id());
            }
        }
    }

    /** A VM on the same VMM that touches nothing. */
    private static Vm other(Bench bench) throws HostRefusal {
        bench.board.devices.clear();
        bench.with("name", "other");
        return bench.start();
    }

    @Test
    void aDeafOneIsListedUntilItReturns() throws Exception {
        deaf = true;
        try (Bench bench = bench("read", true)) {
            Vm vm = bench.start();
            VmEnd end = meanwhile(bench, end(bench, vm));
            assertEquals(6, end.status());
            assertEquals(vm.name(), bench.vmm.stuck().list().getFirst().vmName());
            CompletableFuture<HostRefusal> refused =
                    CompletableFuture.supplyAsync(() ->
                            assertThrows(HostRefusal.class, () -> bench.vmm.destroy(vm.id())));
            assertTrue(
                    String.valueOf(meanwhile(bench, refused, 20).getMessage())
                            .contains("memory stays in use"));
            free.countDown();
            Bench.until(() -> bench.vmm.stuck().list().isEmpty());
            bench.vmm.destroy(vm.id());
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    @Test
    void aDeviceThatIsNotMadeInTimeIsRefusedAndTheVmGoesOn() throws Exception {
        for (boolean hears : List.of(true, false)) {
            deaf = !hears;
            entered = false;
            try (Bench bench = bench("create", false)) {
                bench.board.devices.clear();
                Vm vm = bench.start();
                Management management = new Management(bench.vmm, bench.types);
                CompletableFuture<HostRefusal> refused =
                        CompletableFuture.supplyAsync(() ->
                                assertThrows(
                                        HostRefusal.class,
                                        () -> management.attach(vm.id(), "sleeper", Map.of())));
                String message = String.valueOf(meanwhile(bench, refused).getMessage());
                assertTrue(message.contains("making device sleeper"), message);
                assertTrue(message.contains("did not return within 1000 ms"), message);
                assertEquals(hears ? 0 : 1, bench.vmm.stuck().list().size());
                assertEquals(VmState.RUNNING, vm.state());
                assertEquals(List.of(), vm.machine().devices().names());
            }
        }
    }

    @Test
    void aSaveOrResetThatDoesNotReturnFailsTheVm() throws Exception {
        for (String at : List.of("save", "reset")) {
            try (Bench bench = bench("none", false)) {
                bench.board.devices.clear();
                Vm vm = bench.start();
                bench.types.add(
                        org.alcazar.vmm.plugin.DeviceType.class,
                        new Bench.FakeDeviceType(
                                "late", (context, settings) -> new Sleeper(context, at)),
                        1);
                CompletableFuture<VmEnd> ended = end(bench, vm);
                CompletableFuture<Object> done =
                        CompletableFuture.supplyAsync(() -> {
                            Management management = new Management(bench.vmm, bench.types);
                            return assertThrows(
                                    HostRefusal.class,
                                    () -> {
                                        management.attach(vm.id(), "late", Map.of());
                                        management.state(vm.id(), "late");
                                    });
                        });
                VmEnd end = meanwhile(bench, ended);
                assertTrue(end.reason().contains(at + " of device late"), end.reason());
                meanwhile(bench, done);
            }
        }
    }

    @Test
    void memoryStaysUntilADeafCallHasComeBack() throws Exception {
        deaf = true;
        try (Bench bench = bench("close", false)) {
            Vm vm = bench.start();
            long used = bench.host.memory.bytesInUse("");
            CompletableFuture<HostRefusal> refused =
                    CompletableFuture.supplyAsync(() ->
                            assertThrows(HostRefusal.class, () -> bench.vmm.destroy(vm.id())));
            assertTrue(
                    String.valueOf(meanwhile(bench, refused, 20).getMessage())
                            .contains("memory stays in use"));
            assertEquals(used, bench.host.memory.bytesInUse(""));
            assertThrows(HostRefusal.class, () -> bench.vmm.destroy(vm.id()));
            free.countDown();
            Bench.until(() -> bench.vmm.stuck().list().isEmpty());
            bench.vmm.destroy(vm.id());
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }
}

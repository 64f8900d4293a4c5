package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.machine.Width;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.device.Handover;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Parts that do not return are given up, alone or with their VM; everything else goes on. */
class StuckTest {
    private static final int PORT = 0x90;

    private volatile CountDownLatch free = new CountDownLatch(1);
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

    /** An engine of toys that stays in one of its calls, the first so many times excepted. */
    private final class StuckEngine implements EngineType {
        private final Toy.ToyEngineType inner;
        private final String at;
        private int free;

        StuckEngine(String at, int free, Toy.Op... program) {
            this.inner = new Toy.ToyEngineType(program);
            this.at = at;
            this.free = free;
        }

        private void in(String here) {
            if (here.equals(at) && free-- <= 0) {
                stay();
            }
        }

        @Override
        public String name() {
            return "toy";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Schema configuration() {
            return inner.configuration();
        }

        @Override
        public Architecture architecture() {
            return Toy.ARCHITECTURE;
        }

        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            in("create");
            Engine made = inner.create(bus, options);
            return new Engine() {
                @Override
                public Architecture architecture() {
                    return made.architecture();
                }

                @Override
                public boolean takes(Translation translation) {
                    return made.takes(translation);
                }

                @Override
                public VirtualCore newCore(int index, ControlBlock block) {
                    in("newCore");
                    VirtualCore core = made.newCore(index, block);
                    return at.equals("run") ? new DeafCore(core) : core;
                }

                @Override
                public void invalidate(Scope scope, long start, long bytes) {
                    in("invalidate");
                    made.invalidate(scope, start, bytes);
                }

                @Override
                public void close() {
                    made.close();
                }
            };
        }
    }

    /** Does not hear of kicks. */
    private final class DeafCore implements VirtualCore {
        private final VirtualCore inner;

        DeafCore(VirtualCore inner) {
            this.inner = inner;
        }

        @Override
        public int run(ControlBlock block) {
            stay();
            return inner.run(block);
        }

        @Override
        public void fetch(ControlBlock block, long mask) {
            inner.fetch(block, mask);
        }

        @Override
        public void reset(ControlBlock block) {
            inner.reset(block);
        }

        @Override
        public long translate(ControlBlock block, long address, int rights) {
            return inner.translate(block, address, rights);
        }

        @Override
        public String describe(ControlBlock block, long address) {
            return inner.describe(block, address);
        }

        @Override
        public String summary(ControlBlock block) {
            return inner.summary(block);
        }

        @Override
        public Map<String, Long> counters() {
            return inner.counters();
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    private static CompletableFuture<HostRefusal> refusal(Executable what) {
        return CompletableFuture.supplyAsync(() -> assertThrows(HostRefusal.class, what));
    }

    @Test
    void anEngineThatDoesNotHearOfAKickFailsItsVm() throws Exception {
        try (Bench bench = bench("none", false)) {
            bench.types.add(EngineType.class, new StuckEngine("run", 0), 2);
            Vm vm = bench.start();
            CompletableFuture<VmEnd> ended = end(bench, vm);
            Bench.until(() -> entered);
            bench.host.clock.advance(5_000_000_000L); // nobody wants anything of it
            assertEquals(VmState.RUNNING, vm.state());
            CompletableFuture<HostRefusal> paused = refusal(() -> bench.vmm.pause(vm.id()));
            VmEnd end = meanwhile(bench, ended);
            assertTrue(end.reason().contains("engine toy at instruction 0"), end.reason());
            assertTrue(end.reason().contains("did not return within 1 s"), end.reason());
            meanwhile(bench, paused);
        }
    }

    @Test
    void anEngineThatIsNotMadeInTimeIsRefusedAndLeavesNothingWhenItIsBack() throws Exception {
        for (String at : List.of("create", "newCore")) {
            for (boolean hears : List.of(true, false)) {
                deaf = !hears;
                free = new CountDownLatch(1);
                try (Bench bench = bench("none", false)) {
                    bench.types.add(EngineType.class, new StuckEngine(at, 0), 2);
                    HostRefusal refused = meanwhile(bench, refusal(() -> bench.create()), 20);
                    String message = String.valueOf(refused.getMessage());
                    assertTrue(message.contains("engine toy"), message);
                    assertTrue(message.contains(StuckEngine.class.getName()), message);
                    assertTrue(message.contains("did not return within 1000 ms"), message);
                    if (deaf) {
                        assertTrue(bench.host.memory.bytesInUse("") > 0, "it may touch that");
                        free.countDown();
                    }
                    Bench.until(() -> bench.host.memory.bytesInUse("") == 0);
                }
            }
        }
    }

    @Test
    void anEngineThatStopsInAnExchangeIsDroppedOrFailsTheVm() throws Exception {
        for (String at : List.of("newCore", "invalidate")) {
            try (Bench bench = bench("none", false)) {
                Vm vm = bench.start();
                CompletableFuture<VmEnd> ended = end(bench, vm);
                // The trial makes a core, and is not at work.
                bench.types.add(EngineType.class, new StuckEngine(at, 1 - at.length() / 10), 2);
                PluginType old = vm.machine().engines().engineType();
                HostRefusal refused =
                        meanwhile(
                                bench,
                                refusal(() ->
                                        bench.vmm.exchange(
                                                Exchanges.of(bench.types, Set.of(old), 2))));
                String message = String.valueOf(refused.getMessage());
                assertTrue(message.contains("did not return within 1000 ms"), message);
                if (at.equals("newCore")) {
                    assertSame(old, vm.machine().engines().engineType());
                    long retired = vm.vcores().getFirst().retired();
                    Bench.until(() -> vm.vcores().getFirst().retired() > retired);
                } else {
                    VmEnd end = meanwhile(bench, ended);
                    assertTrue(end.reason().contains("invalidation by engine toy"), end.reason());
                }
            }
        }
    }

    /** A store on the heap that stays in one of its calls, or takes its time. */
    private final class SlowStore implements CheckpointStore {
        private final Bench bench;
        private final String at;
        private byte[] kept = {};

        SlowStore(Bench bench, String at) {
            this.bench = bench;
            this.at = at;
        }

        @Override
        public String name() {
            return "slow";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public InputStream read(HostKernel host, String name) {
            if (at.equals("read")) {
                stay();
            }
            return new ByteArrayInputStream(kept);
        }

        @Override
        public void write(HostKernel host, String name, HostFiles.Writer writer)
                throws IOException {
            if (at.equals("write")) {
                stay();
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            writer.writeTo(
                    new FilterOutputStream(out) {
                        @Override
                        public void write(byte[] from, int offset, int bytes) throws IOException {
                            if (at.equals("late")) {
                                takeTime();
                            }
                            out.write(from, offset, bytes);
                        }
                    });
            kept = out.toByteArray();
        }

        /** Less than the limit, and whoever looks after it looks at the clock in between. */
        private void takeTime() {
            bench.host.clock.advance(700_000_000);
            long before = bench.host.clock.readings();
            Bench.until(() -> bench.host.clock.readings() > before + 1);
        }
    }

    @Test
    void aStoreThatDoesNotReturnIsGivenUpAndTheVmIsAsItWas() throws Exception {
        for (boolean hears : List.of(true, false)) {
            deaf = !hears;
            free = new CountDownLatch(1);
            try (Bench bench = bench("none", false)) {
                bench.types.add(CheckpointStore.class, new SlowStore(bench, "write"), 1);
                Vm vm = bench.start();
                bench.vmm.pause(vm.id());
                HostRefusal refused =
                        meanwhile(bench, refusal(() -> bench.vmm.save(vm.id(), "slow:a")));
                String message = String.valueOf(refused.getMessage());
                assertTrue(message.contains("store slow"), message);
                assertTrue(message.contains("did not return within 1000 ms"), message);
                bench.vmm.resume(vm.id());
                long retired = vm.vcores().getFirst().retired();
                Bench.until(() -> vm.vcores().getFirst().retired() > retired);
                free.countDown();
                Bench.until(() -> bench.vmm.stuck().list().isEmpty());
            }
        }
    }

    @Test
    void aStoreThatGetsOnMayTakeItsTime() throws Exception {
        try (Bench bench = bench("none", false)) {
            SlowStore store = new SlowStore(bench, "late");
            bench.types.add(CheckpointStore.class, store, 1);
            Vm vm = bench.start();
            bench.vmm.pause(vm.id());
            byte[] noise = new byte[256 << 10]; // several buffers
            new Random(1).nextBytes(noise);
            vm.memory().write(0x10_0000, noise, 0, noise.length);
            long before = bench.host.clock.nanoTime();
            bench.vmm.save(vm.id(), "slow:a"); // no time goes by but what the store takes
            assertTrue(bench.host.clock.nanoTime() - before > 1_000_000_000, "over the limit");
            assertTrue(store.kept.length > 0);
        }
    }

    @Test
    void aStoreThatIsNotReadInTimeIsRefused() throws Exception {
        try (Bench bench = bench("none", false)) {
            bench.types.add(CheckpointStore.class, new SlowStore(bench, "read"), 1);
            HostRefusal refused =
                    meanwhile(bench, refusal(() -> bench.vmm.load("slow:a", Map.of())), 20);
            assertTrue(String.valueOf(refused.getMessage()).contains("store slow"));
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    /** A platform that stays in one of its methods. */
    private final class StuckPlatform implements PlatformType {
        private final PlatformType inner;
        private final String at;

        StuckPlatform(PlatformType inner, String at) {
            this.inner = inner;
            this.at = at;
        }

        private <T> T in(String here, T value) {
            if (here.equals(at)) {
                stay();
            }
            return value;
        }

        @Override
        public String name() {
            return inner.name();
        }

        @Override
        public String description() {
            return inner.description();
        }

        @Override
        public String architecture() {
            return inner.architecture();
        }

        @Override
        public Schema configuration() {
            return in("configuration", Schema.EMPTY);
        }

        @Override
        public Platform create(long memory, int cpus, Settings settings)
                throws ConfigurationException {
            Platform made = in("create", inner.create(memory, cpus, settings));
            return new Platform() {
                @Override
                public List<MemoryRange> ram() {
                    return in("ram", made.ram());
                }

                @Override
                public List<MemoryRange> memoryMap() {
                    return in("memoryMap", made.memoryMap());
                }

                @Override
                public List<DeviceSpec> devices() {
                    return in("devices", made.devices());
                }
            };
        }
    }

    @Test
    void aPlatformThatDoesNotReturnIsRefused() throws Exception {
        for (String at : List.of("configuration", "create", "ram", "memoryMap", "devices")) {
            try (Bench bench = bench("none", false)) {
                bench.types.add(PlatformType.class, new StuckPlatform(bench.board, at), 2);
                HostRefusal refused = meanwhile(bench, refusal(() -> bench.create()), 20);
                String message = String.valueOf(refused.getMessage());
                assertTrue(message.contains("platform board"), message);
                assertTrue(message.contains(StuckPlatform.class.getName()), message);
                Bench.until(() -> bench.host.memory.bytesInUse("") == 0);
            }
        }
    }

    /** A backend that stays when it takes over, is closed, or is opened. */
    private final class StuckBackend implements BackendType {
        private final String at;

        StuckBackend(String at) {
            this.at = at;
        }

        @Override
        public String name() {
            return "wire";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Backend open(HostKernel host, Settings settings) {
            if (at.equals("open")) {
                stay();
            }
            return new BlockBackend() {
                @Override
                public long sectors() {
                    return 0;
                }

                @Override
                public boolean readOnly() {
                    return true;
                }

                @Override
                public void read(long position, byte[] into, int offset, int bytes) {}

                @Override
                public void write(long position, byte[] from, int offset, int bytes) {}

                @Override
                public void flush() {}

                @Override
                public void close() {
                    if (at.equals("close")) {
                        stay();
                    }
                }
            };
        }

        @Override
        public Backend takeOver(HostKernel host, Settings settings, Handover from) {
            if (at.equals("takeOver")) {
                stay();
            }
            return open(host, settings);
        }
    }

    @Test
    void aBackendThatDoesNotReturnIsRefusedOrGivenUpOrFailsItsVm() throws Exception {
        for (String at : List.of("open", "takeOver", "close")) {
            try (Bench bench = new Bench(new Toy.Add(1), new Toy.Jump(0)).with("call-limit", 1)) {
                StuckBackend old = new StuckBackend(at);
                bench.types.add(BackendType.class, old, 1);
                bench.device("disk", context -> context.blockBackend("wire"));
                if (at.equals("open")) {
                    HostRefusal refused = meanwhile(bench, refusal(() -> bench.create()), 20);
                    assertTrue(
                            refused.toString().contains("making device disk"), refused::toString);
                    continue;
                }
                Vm vm = bench.start();
                CompletableFuture<VmEnd> ended = end(bench, vm);
                bench.types.add(BackendType.class, new StuckBackend(at), 2);
                Callable<?> swap =
                        () -> bench.vmm.exchange(Exchanges.of(bench.types, Set.of(old), 2));
                if (at.equals("takeOver")) {
                    HostRefusal refused = meanwhile(bench, refusal(swap::call));
                    assertTrue(refused.toString().contains("takeover by backend wire"));
                    VmEnd end = meanwhile(bench, ended);
                    assertTrue(end.reason().contains("takeover by backend wire"), end.reason());
                } else {
                    // The new one is at work.
                    meanwhile(
                            bench,
                            CompletableFuture.supplyAsync(
                                    () -> assertDoesNotThrow(() -> (Object) swap.call())));
                    assertEquals(VmState.RUNNING, vm.state());
                    free.countDown();
                }
            }
        }
    }
}

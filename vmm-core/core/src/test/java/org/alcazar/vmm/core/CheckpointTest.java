package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.Requests;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

class CheckpointTest {
    private static final long COUNTER = 0x5008;

    /** Counts in memory and asks a counting device; interrupts come from a timer. */
    private static final Toy.Op[] PROGRAM = {
        new Toy.Read(Space.MEMORY, COUNTER, 8),
        new Toy.Add(1),
        new Toy.Write(Space.MEMORY, COUNTER, 8),
        new Toy.Write(Space.MEMORY, Bench.Board.HIGH + 0x2000, 8),
        Toy.in(0x10, 2),
        Toy.out(0x10, 2),
        new Toy.Jump(0)
    };

    /** A device with a count, a timer and a line. */
    private static final class Counting implements Device, BusDevice {
        private static final long PERIOD = 1000;
        private final DeviceContext context;
        private final GuestTimer timer;
        private final InterruptLine line;
        private long count;
        private long deadline;
        private boolean level;

        Counting(DeviceContext context) throws ConfigurationException {
            this.context = context;
            context.hookPorts(0x10, 4, this);
            line = context.interruptLine(5);
            timer = context.clock().timer("tick", this::tick);
            context.vcores().forEach(vcore -> context.interruptSource(vcore, () -> 40));
            reset();
        }

        private void tick() {
            level = !level;
            line.set(level);
            context.vcores().getFirst().post(Requests.INTERRUPT);
            deadline += PERIOD;
            timer.arm(deadline);
        }

        @Override
        public long read(long offset, Width width) {
            count += 1 + (context.entropy() & 1);
            return count;
        }

        @Override
        public void write(long offset, Width width, long value) {
            count += value;
        }

        @Override
        public void reset() {
            count = 0;
            deadline = context.clock().nanos() + PERIOD;
            timer.arm(deadline);
        }

        @Override
        public SavedState save() {
            return new SavedState("counting", 1)
                    .put("count", count)
                    .put("deadline", deadline)
                    .put("level", level);
        }

        @Override
        public void restore(SavedState state) {
            state.require("counting", 1);
            count = state.getLong("count");
            deadline = state.getLong("deadline");
            level = state.getBoolean("level");
            line.set(level);
            timer.arm(deadline);
        }
    }

    private static Bench bench() {
        return new Bench(PROGRAM)
                .with("clock", "instructions")
                .with("cpus", 2)
                .device("counting", (context, settings) -> new Counting(context));
    }

    /** A VM that has run for a while and is paused. */
    private static Vm ran(Bench bench, long nanos) throws Exception {
        Vm vm = bench.create();
        vm.simulate(nanos);
        Bench.until(() -> vm.state() == VmState.PAUSED);
        return vm;
    }

    private static byte[] saved(Bench bench, Vm vm, String path) throws Exception {
        bench.vmm.save(vm.id(), path);
        return java.util.Objects.requireNonNull(bench.host.files.contents.get(path));
    }

    @Test
    void savedLoadedAndSavedAgainIsEqual() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 54_321);
            byte[] first = saved(bench, vm, "one");
            bench.vmm.destroy(vm.id());
            int id = bench.vmm.load("one", Map.of());
            assertEquals(VmState.PAUSED, bench.vmm.get(id).state());
            assertArrayEquals(first, saved(bench, bench.vmm.get(id), "two"));
            assertEquals(1, bench.loader.loads, "a load does not boot");
        }
    }

    @Test
    void aLoadedVmGoesOnAsTheOneThatWasSaved() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 10_001);
            saved(bench, vm, "middle");
            vm.simulate(20_000);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            byte[] straight = saved(bench, vm, "straight");
            bench.vmm.destroy(vm.id());
            Vm loaded = bench.vmm.get(bench.vmm.load("middle", Map.of()));
            loaded.simulate(20_000);
            Bench.until(() -> loaded.state() == VmState.PAUSED);
            assertTrue(loaded.memory().readLong(COUNTER) > 1000);
            assertTrue(Bench.register(loaded, 0, Toy.INTERRUPTS) > 20);
            assertArrayEquals(straight, saved(bench, loaded, "detour"));
        }
    }

    @Test
    void everyTruncationAndEveryChangedByteIsRefusedAndLeavesNothing() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 5000);
            byte[] whole = saved(bench, vm, "whole");
            bench.vmm.destroy(vm.id());
            Random random = new Random(3);
            List<Integer> places = new ArrayList<>();
            for (int at = 0; at < whole.length; at++) {
                if (at < 200 || at > whole.length - 40 || random.nextInt(40) == 0) {
                    places.add(at);
                }
            }
            for (int at : places) {
                refused(bench, Arrays.copyOf(whole, at));
                byte[] changed = whole.clone();
                changed[at] ^= (byte) (1 << random.nextInt(8));
                refused(bench, changed);
            }
            refused(bench, Arrays.copyOf(whole, whole.length + 1));
            assertEquals(0, bench.host.memory.bytesInUse(""));
            bench.vmm.load("whole", Map.of());
        }
    }

    private static void refused(Bench bench, byte[] contents) {
        bench.host.files.contents.put("bad", contents);
        String message =
                String.valueOf(
                        assertThrows(HostRefusal.class, () -> bench.vmm.load("bad", Map.of()))
                                .getMessage());
        assertTrue(message.startsWith("saved VM bad"), message);
        assertFalse(message.contains("\n"), message);
        assertTrue(bench.vmm.all().isEmpty());
    }

    private static String loadFails(Bench bench, String path, Map<String, Object> overrides) {
        long before = bench.host.memory.bytesInUse("");
        String message =
                String.valueOf(
                        assertThrows(HostRefusal.class, () -> bench.vmm.load(path, overrides))
                                .getMessage());
        assertFalse(message.contains("\n"), message);
        assertEquals(before, bench.host.memory.bytesInUse(""));
        return message;
    }

    @Test
    void devicesThatWereAttachedAndDetachedLaterAreAsTheyWere() throws Exception {
        try (Bench bench = bench().with("devices", List.of("plain"))) {
            bench.types.add(
                    DeviceType.class,
                    new Bench.FakeDeviceType("plain", (context, settings) -> new Bench.Plain()),
                    1);
            Management management = new Management(bench.vmm, bench.types);
            Vm vm = ran(bench, 3000);
            management.attach(vm.id(), "plain", Map.of("name", "later"));
            management.detach(vm.id(), "plain");
            byte[] first = saved(bench, vm, "file");
            bench.vmm.destroy(vm.id());
            int id = bench.vmm.load("file", Map.of());
            assertEquals(
                    List.of("counting", "later"),
                    bench.vmm.get(id).machine().parts().stream()
                            .filter(part -> part.kind().equals("device"))
                            .map(PartInfo::name)
                            .toList());
            assertArrayEquals(first, saved(bench, bench.vmm.get(id), "again"));
        }
    }

    @Test
    void filesThatDoNotFitAreRefusedInOneLine() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 3000);
            saved(bench, vm, "file");
            bench.vmm.destroy(vm.id());
            bench.host.files.contents.put(
                    "foreign", "#!/bin/sh\necho\n".getBytes(StandardCharsets.UTF_8));
            bench.host.files.contents.put("empty", new byte[0]);
            assertTrue(loadFails(bench, "foreign", Map.of()).contains("is no saved VM"));
            assertTrue(loadFails(bench, "empty", Map.of()).contains("is empty"));
            assertTrue(loadFails(bench, "gone", Map.of()).contains("there is no such file"));
            assertTrue(loadFails(bench, "file", Map.of("memory", "4M")).contains("memory is laid"));
            assertTrue(loadFails(bench, "file", Map.of("cpus", 1)).contains("it has 2 vcores"));
            assertTrue(
                    loadFails(bench, "file", Map.of("devices", List.of("counting2")))
                            .contains("unknown device 'counting2'"));
            assertTrue(
                    loadFails(bench, "file", Map.of("consol", "none"))
                            .contains("did you mean 'console'"));
            Device old = new Bench.Plain();
            DeviceType other = new Bench.FakeDeviceType("counting", (c, s) -> old);
            bench.types.add(DeviceType.class, other, 2);
            String message = loadFails(bench, "file", Map.of());
            assertTrue(
                    message.contains("device counting (" + Bench.Plain.class.getName()), message);
            assertTrue(message.contains("can't be restored: saved state is counting"), message);
            bench.types.remove(other);
            bench.vmm.load("file", Map.of("console", "none"));
        }
    }

    @Test
    void aFailedSaveLeavesTheOldFileAndThePausedVm() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 3000);
            byte[] old = saved(bench, vm, "file");
            vm.simulate(1000);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            bench.host.files.full = true;
            String message =
                    String.valueOf(
                            assertThrows(HostRefusal.class, () -> bench.vmm.save(vm.id(), "file"))
                                    .getMessage());
            assertTrue(message.contains("no space left"), message);
            assertArrayEquals(old, bench.host.files.contents.get("file"));
            assertEquals(VmState.PAUSED, vm.state());
        }
    }

    @Test
    void pagesOfZeroTakeNoRoomInTheFile() throws Exception {
        try (Bench bench = bench()) {
            Vm vm = ran(bench, 3000);
            assertTrue(saved(bench, vm, "file").length < 8192);
            byte[] noise = new byte[1 << 20];
            new Random(1).nextBytes(noise);
            vm.memory().write(1 << 20, noise, 0, noise.length);
            assertTrue(saved(bench, vm, "file").length > noise.length);
            bench.vmm.destroy(vm.id());
            Vm loaded = bench.vmm.get(bench.vmm.load("file", Map.of()));
            byte[] back = new byte[noise.length];
            loaded.memory().read(1 << 20, back, 0, back.length);
            assertArrayEquals(noise, back);
        }
    }

    /** Keeps what it is given in memory, complemented, in what all versions share. */
    private record Attic(String version, Map<String, byte[]> kept, List<String> log)
            implements CheckpointStore {
        @Override
        public String name() {
            return "attic";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public InputStream read(HostKernel host, String name) throws IOException {
            log.add(version + " reads");
            byte[] bytes = kept.get(name);
            if (bytes == null) {
                throw new IOException("nothing of that name is kept");
            }
            return new ByteArrayInputStream(complement(bytes));
        }

        @Override
        public void write(HostKernel host, String name, HostFiles.Writer writer)
                throws IOException {
            log.add(version + " writes");
            if (version.equals("bad")) {
                throw new IllegalStateException("no room");
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            writer.writeTo(out);
            kept.put(name, complement(out.toByteArray()));
        }

        private static byte[] complement(byte[] bytes) {
            byte[] out = bytes.clone();
            for (int i = 0; i < out.length; i++) {
                out[i] ^= (byte) 0xff;
            }
            return out;
        }
    }

    @Test
    void aStoreKeepsWhatAFileWouldAndANewVersionGoesOnWithIt() throws Exception {
        Map<String, byte[]> kept = new HashMap<>();
        List<String> log = new ArrayList<>();
        Attic old = new Attic("old", kept, log);
        try (Bench bench = bench()) {
            bench.types.add(CheckpointStore.class, old, 10, "attic 1");
            Vm vm = ran(bench, 5000);
            byte[] file = saved(bench, vm, "file");
            bench.vmm.save(vm.id(), "attic:vm");
            assertArrayEquals(file, Attic.complement(kept.get("vm")));
            bench.types.add(CheckpointStore.class, new Attic("new", kept, log), 20, "attic 2");
            bench.types.remove(old);
            bench.vmm.destroy(vm.id());
            int loaded = bench.vmm.load("attic:vm", Map.of());
            assertEquals(List.of("old writes", "new reads", "new reads"), log);
            assertTrue(loadFails(bench, "attic:other", Map.of()).contains("nothing of that name"));
            bench.types.add(CheckpointStore.class, new Attic("bad", kept, log), 30, "attic 3");
            String message =
                    String.valueOf(
                            assertThrows(
                                            HostRefusal.class,
                                            () -> bench.vmm.save(loaded, "attic:vm"))
                                    .getMessage());
            assertTrue(message.contains("store attic (" + Attic.class.getName()), message);
            assertTrue(message.contains("no room"), message);
            assertEquals(VmState.PAUSED, bench.vmm.get(loaded).state());
            assertTrue(loadFails(bench, "cellar:vm", Map.of()).contains("cellar:vm"));
        }
    }
}

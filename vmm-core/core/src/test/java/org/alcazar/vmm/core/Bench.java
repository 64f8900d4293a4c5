package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A VMM on a fake host with the toy processor and a bare board; tests add devices. */
final class Bench implements AutoCloseable {
    static final long RAM = 8L << 20;

    final FakeHost host = new FakeHost();
    final PluginTypes types = new PluginTypes();
    final Vmm vmm = new Vmm(host, types);
    final Board board = new Board();
    final Loader loader = new Loader();
    final BlockingQueue<VmEnd> ends = new LinkedBlockingQueue<>();
    private final Map<String, Object> configuration =
            new LinkedHashMap<>(Map.of("kernel", "kernel", "memory", "8M"));

    Bench(Toy.Op... program) {
        types.add(EngineType.class, new Toy.ToyEngineType(program), 1);
        types.add(PagingModeType.class, new Toy.ToyPagingType(), 1);
        types.add(PlatformType.class, board, 1);
        types.add(GuestLoader.class, loader, 1);
    }

    /** Sets a key of the configuration. */
    Bench with(String key, Object value) {
        configuration.put(key, value);
        return this;
    }

    /** Makes a device of what hooks itself into its context, and puts it on the board. */
    Bench device(String name, Fitting fitting) {
        return device(
                name,
                (context, settings) -> {
                    fitting.fit(context);
                    return new Plain();
                });
    }

    /** Puts a device on the board. */
    Bench device(String name, Maker maker) {
        types.add(DeviceType.class, new FakeDeviceType(name, maker), 1);
        board.devices.add(new PlatformType.DeviceSpec(name, name, Map.of()));
        return this;
    }

    Map<String, Object> configuration() {
        return configuration;
    }

    Vm create() throws HostRefusal {
        int id = vmm.create(configuration);
        vmm.onEnd(id, ends::add);
        return vmm.get(id);
    }

    Vm start() throws HostRefusal {
        Vm vm = create();
        vmm.start(vm.id());
        return vm;
    }

    /** Runs a VM to its end. */
    VmEnd run() throws Exception {
        start();
        return end();
    }

    VmEnd end() throws InterruptedException {
        VmEnd end = ends.poll(30, TimeUnit.SECONDS);
        if (end == null) {
            throw new AssertionError("the VM does not end");
        }
        return end;
    }

    /** Waits for something that another thread does. */
    static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
            java.lang.invoke.VarHandle.fullFence();
            if (Thread.currentThread().isInterrupted()) {
                throw new AssertionError("this never comes");
            }
        }
    }

    /** A register of a core that stands. */
    static long register(Vm vm, int core, int index) {
        VcoreImpl vcore = vm.machine().vcores().get(core);
        vcore.fetch(1);
        return vcore.block().group(Toy.REGISTERS)[index];
    }

    @Override
    public void close() {
        vmm.close();
    }

    /** Hooks a device into its context. */
    interface Fitting {
        void fit(DeviceContext context) throws ConfigurationException;
    }

    /** Makes a device. */
    interface Maker {
        Device make(DeviceContext context, Settings settings) throws ConfigurationException;
    }

    /** A device without state. */
    static class Plain implements Device {
        @Override
        public void reset() {}

        @Override
        public SavedState save() {
            return new SavedState("plain", 1);
        }

        @Override
        public void restore(SavedState state) {
            state.require("plain", 1);
        }
    }

    record FakeDeviceType(String name, Maker maker) implements DeviceType {
        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Device create(DeviceContext context, Settings settings)
                throws ConfigurationException {
            return maker.make(context, settings);
        }
    }

    /** RAM in two pieces with a hole between, and whatever devices a test adds. */
    static final class Board implements PlatformType {
        final List<DeviceSpec> devices = new ArrayList<>();
        static final long HOLE = 4L << 20;
        static final long HIGH = 1L << 32;
        long frequency;

        @Override
        public String name() {
            return "board";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public String architecture() {
            return "toy";
        }

        @Override
        public Schema configuration() {
            return Schema.EMPTY;
        }

        @Override
        public Platform create(long memory, int cpus, Settings settings) {
            long low = Math.min(memory, HOLE);
            List<MemoryRange> ram = new ArrayList<>();
            ram.add(new MemoryRange(0, low, RangeKind.RAM));
            if (memory > low) {
                ram.add(new MemoryRange(HIGH, memory - low, RangeKind.RAM));
            }
            return new Platform() {
                @Override
                public List<MemoryRange> ram() {
                    return ram;
                }

                @Override
                public List<MemoryRange> memoryMap() {
                    return ram;
                }

                @Override
                public List<DeviceSpec> devices() {
                    return devices;
                }

                @Override
                public long counterFrequency() {
                    return frequency;
                }
            };
        }
    }

    /** Counts its calls and leaves a mark in memory. */
    static final class Loader implements GuestLoader {
        static final long MARK = 0x3000;
        volatile int loads;

        @Override
        public String name() {
            return "toy-loader";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public int recognises(Image image) {
            byte[] first = new byte[1];
            image.read(0, first, 0, 1);
            return first[0] == 'T' ? 1 : 0;
        }

        @Override
        public void load(Boot boot) throws ConfigurationException {
            loads++;
            boot.memory().writeInt(MARK, loads);
            if (boot.commandLine().equals("bad")) {
                throw new ConfigurationException("the command line is bad");
            }
        }
    }
}

package org.alcazar.bench;

import org.alcazar.devices.apic.ApicComponent;
import org.alcazar.devices.uart16550.Uart16550Component;
import org.alcazar.engines.x86.interpreter.X86Component;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.jvm.JvmHost;
import org.alcazar.loaders.RawLoader;
import org.alcazar.paging.nested.NestedPagingComponent;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.core.PluginTypes;
import org.alcazar.vmm.core.Vmm;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Settings;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest that does nothing but device accesses: one port read and write at a UART, one
 * memory-mapped read and write at a local APIC in each turn. One operation is one exit, from the
 * guest's instruction through engine, dispatch and device model and back.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ExitPath {
    private static final int TURNS = 250_000;

    /** Per turn; four of them exit. */
    private static final int INSTRUCTIONS_PER_TURN = 7;

    private static final int EXITS_PER_TURN = 4;

    private static final byte[] GUEST = {
        0x66,
        (byte) 0xba,
        (byte) 0xfd,
        0x03, // mov $0x3fd, %dx   (LSR)
        (byte) 0xec, // in %dx, %al
        0x66,
        (byte) 0xba,
        (byte) 0xff,
        0x03, // mov $0x3ff, %dx   (SCR)
        (byte) 0xee, // out %al, %dx
        (byte) 0xa1,
        (byte) 0x80,
        0x00,
        (byte) 0xe0,
        (byte) 0xfe, // mov 0xfee00080, %eax   (TPR)
        (byte) 0xa3,
        (byte) 0x80,
        0x00,
        (byte) 0xe0,
        (byte) 0xfe, // mov %eax, 0xfee00080
        (byte) 0xeb,
        (byte) 0xea // jmp to the start
    };

    private final JvmHost host;
    private final Vmm vmm;
    private final Path image;
    private int id;

    public ExitPath() {
        try {
            host = new JvmHost(0);
            image = Files.createTempFile("alcazar-bench", ".bin");
        } catch (HostRefusal | IOException e) {
            throw new IllegalStateException(e);
        }
        PluginTypes types = new PluginTypes();
        types.add(EngineType.class, new X86Component(), 1);
        types.add(PagingModeType.class, new NestedPagingComponent(), 1);
        types.add(GuestLoader.class, new RawLoader(), 1);
        types.add(DeviceType.class, new Uart16550Component(), 1);
        types.add(DeviceType.class, new ApicComponent(), 1);
        types.add(PlatformType.class, new TwoDevices(), 1);
        vmm = new Vmm(host, types);
    }

    @Setup
    public void start() throws HostRefusal, IOException {
        Files.write(image, GUEST);
        id =
                vmm.create(
                        Map.of(
                                "name", "exits",
                                "platform", "two-devices",
                                "memory", "16M",
                                "console", "none",
                                "kernel", image.toString(),
                                "loader", "raw",
                                "address", "0x100000"));
        vmm.start(id);
    }

    @TearDown
    public void stop() throws HostRefusal, IOException {
        vmm.stop(id);
        vmm.destroy(id);
        Files.delete(image);
    }

    @Benchmark
    @OperationsPerInvocation(TURNS * EXITS_PER_TURN)
    public long exits() {
        VirtualMachine vm = vmm.find(id).orElseThrow();
        long end = vm.vcores().getFirst().retired() + (long) TURNS * INSTRUCTIONS_PER_TURN;
        while (vm.vcores().getFirst().retired() < end) {
            LockSupport.parkNanos(100_000);
        }
        return end;
    }

    /** A platform of RAM, one UART and a local APIC. */
    private static final class TwoDevices implements PlatformType {
        @Override
        public String name() {
            return "two-devices";
        }

        @Override
        public String description() {
            return "RAM, UART, local APIC";
        }

        @Override
        public String architecture() {
            return "x86";
        }

        @Override
        public Platform create(long memory, int cpus, Settings settings) {
            List<MemoryRange> ram = List.of(new MemoryRange(0, memory, RangeKind.RAM));
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
                    return List.of(
                            new DeviceSpec("apic", "apic", Map.of()),
                            new DeviceSpec("uart16550", "com1", Map.of()));
                }
            };
        }
    }
}

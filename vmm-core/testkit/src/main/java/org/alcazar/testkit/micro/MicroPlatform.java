package org.alcazar.testkit.micro;

import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.Settings;

import java.util.List;
import java.util.Map;

/** Platform {@code micro}: RAM from 0, a console port, a debug-exit port. */
public final class MicroPlatform implements PlatformType {
    @Override
    public String name() {
        return "micro";
    }

    @Override
    public String description() {
        return "the testkit's machine: RAM, console port, debug exit";
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
                        new DeviceSpec("micro-console", "micro-console", Map.of()),
                        new DeviceSpec("micro-exit", "micro-exit", Map.of()));
            }
        };
    }

    /** The device types that this platform brings with it. */
    public static List<DeviceType> deviceTypes() {
        return List.of(new MicroConsole.Type(), new MicroExit());
    }

    public static GuestLoader loader() {
        return new MicroLoader();
    }
}

package ${package};

import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.Platform;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.util.List;
import java.util.Map;

/** One range of RAM whose end is reserved, a UART and a debug-exit device. */
record ${className}(long memory, long reserved) implements Platform {
    @Override
    public List<MemoryRange> ram() {
        return List.of(new MemoryRange(0, memory, RangeKind.RAM));
    }

    @Override
    public List<MemoryRange> memoryMap() {
        long free = memory - reserved;
        MemoryRange ram = new MemoryRange(0, free, RangeKind.RAM);
        return reserved == 0
                ? List.of(ram)
                : List.of(ram, new MemoryRange(free, reserved, RangeKind.RESERVED));
    }

    @Override
    public List<DeviceSpec> devices() {
        return List.of(
                new DeviceSpec("uart16550", "com1", Map.of()),
                new DeviceSpec("debug-exit", "debug-exit", Map.of()));
    }
}

package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.junit.jupiter.api.Test;

import java.util.List;

/** The machine's plan. */
class ${className}Test {
    @Test
    void theGuestIsToldWhatIsReserved() {
        assertEquals(
                List.of(
                        new MemoryRange(0, 0xf0000, RangeKind.RAM),
                        new MemoryRange(0xf0000, 0x10000, RangeKind.RESERVED)),
                new ${className}(0x100000, 0x10000).memoryMap());
        assertEquals(
                List.of(new MemoryRange(0, 0x100000, RangeKind.RAM)),
                new ${className}(0x100000, 0).memoryMap());
    }
}

package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

class PcPlatformTest {
    private static final long DISPLAY_WINDOW = 128 << 10;

    @ParameterizedTest
    @ValueSource(longs = {4L << 20, 512L << 20, 3L << 30, 8L << 30})
    void allMemoryButTheDisplayWindowIsThere(long memory) {
        List<MemoryRange> ram = new PcPlatform(memory).ram();
        assertEquals(memory - DISPLAY_WINDOW, ram.stream().mapToLong(MemoryRange::bytes).sum());
        assertAscending(ram);
    }

    @ParameterizedTest
    @ValueSource(longs = {4L << 20, 512L << 20, 8L << 30})
    void theMapTellsOfNothingThatIsNoRam(long memory) {
        PcPlatform platform = new PcPlatform(memory);
        assertAscending(platform.memoryMap());
        for (MemoryRange told : platform.memoryMap()) {
            assertTrue(
                    isCovered(told.start(), told.start() + told.bytes(), platform.ram()),
                    told::toString);
        }
        assertTrue(platform.memoryMap().stream().anyMatch(r -> r.kind() == RangeKind.ACPI));
    }

    @Test
    void theHoleBelow4GibStaysFree() {
        for (MemoryRange range : new PcPlatform(8L << 30).ram()) {
            assertTrue(range.start() >= 4L << 30 || range.start() + range.bytes() <= 3L << 30);
        }
    }

    @Test
    void impossibleSizesAreRefused() throws ConfigurationException {
        Settings none = Settings.check("platform pc", Schema.EMPTY, Map.of());
        PcPlatformComponent type = new PcPlatformComponent();
        assertThrows(ConfigurationException.class, () -> type.create(1 << 20, 1, none));
        assertThrows(ConfigurationException.class, () -> type.create(64 << 20, 65, none));
        assertThrows(ConfigurationException.class, () -> type.create(64 << 20, 0, none));
    }

    private static void assertAscending(List<MemoryRange> ranges) {
        for (int i = 1; i < ranges.size(); i++) {
            MemoryRange before = ranges.get(i - 1);
            assertTrue(before.start() + before.bytes() <= ranges.get(i).start(), ranges::toString);
        }
    }

    private static boolean isCovered(long start, long end, List<MemoryRange> by) {
        long at = start;
        for (MemoryRange range : by) {
            if (range.start() <= at && at < range.start() + range.bytes()) {
                at = range.start() + range.bytes();
            }
        }
        return at >= end;
    }
}

package org.alcazar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

class HostRangeTest {
    private static final long PAGE = HostMemory.PAGE_SIZE;
    private static final long MIB = 1L << 20;

    private final List<Long> carved = new ArrayList<>();

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, PAGE));
    }

    @AfterEach
    void releaseAll() {
        carved.forEach(HostRange::release);
    }

    private long carve(long bytes, long alignment) throws HostRefusal {
        long at = HostRange.carve(bytes, alignment);
        carved.add(at);
        return at;
    }

    private void release(long at) {
        carved.remove(at);
        HostRange.release(at);
    }

    @Test
    void onlyTheFirstReservationOfAProcessCounts() {
        long size = HostRam.SIZE;
        assertFalse(
                HostRange.reserve(() -> {
                    throw new AssertionError("nobody asks for a second range");
                }));
        assertEquals(size, HostRam.SIZE);
    }

    @Test
    void theFirstPageIsNeverHandedOut() throws HostRefusal {
        assertTrue(carve(PAGE, PAGE) >= PAGE);
    }

    @Test
    void arenasAreHandedOutFirstFit() throws HostRefusal {
        long a = carve(4 * PAGE, PAGE);
        long b = carve(PAGE, PAGE);
        long c = carve(PAGE, PAGE);
        assertEquals(a + 4 * PAGE, b);
        assertEquals(b + PAGE, c);
        release(a);
        assertEquals(c + PAGE, carve(5 * PAGE, PAGE), "the gap is too small");
        assertEquals(a, carve(3 * PAGE, PAGE));
        assertEquals(a + 3 * PAGE, carve(PAGE, PAGE), "what is left of the gap");
    }

    @ParameterizedTest
    @CsvSource({"4096", "8192", "65536", "2097152"})
    void arenasAreAligned(long alignment) throws HostRefusal {
        carve(PAGE, PAGE);
        assertEquals(0, carve(PAGE, alignment) % alignment);
        assertEquals(0, carve(3 * PAGE, alignment) % alignment);
    }

    @Test
    void anExhaustedRangeRefusesInOneLineAndStaysAsItWas() throws HostRefusal {
        long all = HostRam.SIZE - PAGE;
        assertThrows(HostRefusal.class, () -> HostRange.carve(HostRam.SIZE, PAGE));
        long at = carve(all, PAGE);
        HostRefusal refusal = assertThrows(HostRefusal.class, () -> HostRange.carve(PAGE, PAGE));
        assertFalse(String.valueOf(refusal.getMessage()).contains("\n"));
        release(at);
        assertEquals(at, carve(all, PAGE));
    }

    @Test
    void alignmentThatLeavesNoRoomIsRefused() throws HostRefusal {
        long half = Long.highestOneBit(HostRam.SIZE - 1);
        carve(half, PAGE);
        assertThrows(HostRefusal.class, () -> HostRange.carve(HostRam.SIZE - half, half));
    }

    @ParameterizedTest
    @CsvSource({"0, 4096", "-4096, 4096", "100, 4096", "4096, 0", "4096, 2048", "4096, 12288"})
    void sizesAndAlignmentsAreChecked(long bytes, long alignment) {
        assertThrows(IllegalArgumentException.class, () -> HostRange.carve(bytes, alignment));
    }

    @Test
    void onlyTheStartOfAnArenaInUseCanBeReleased() throws HostRefusal {
        long at = carve(2 * PAGE, PAGE);
        assertThrows(IllegalArgumentException.class, () -> HostRange.release(at + PAGE));
        release(at);
        assertThrows(IllegalArgumentException.class, () -> HostRange.release(at));
    }

    @Test
    void arenasInUseNeverOverlapWhateverTheOrder() throws HostRefusal {
        Random random = new Random(11);
        TreeMap<Long, Long> used = new TreeMap<>();
        for (int i = 0; i < 2000; i++) {
            if (used.size() > 40 || !used.isEmpty() && random.nextInt(3) == 0) {
                long at = List.copyOf(used.keySet()).get(random.nextInt(used.size()));
                used.remove(at);
                release(at);
            } else {
                long bytes = (1 + random.nextInt(64)) * PAGE;
                long at = carve(bytes, PAGE << random.nextInt(5));
                var before = used.floorEntry(at);
                var behind = used.ceilingEntry(at);
                assertTrue(before == null || before.getKey() + before.getValue() <= at);
                assertTrue(behind == null || at + bytes <= behind.getKey());
                assertTrue(at + bytes <= HostRam.SIZE);
                used.put(at, bytes);
            }
        }
    }

    @Test
    void aHugeRequestIsRefusedAndNotWrapped() {
        assertThrows(HostRefusal.class, () -> HostRange.carve(Long.MAX_VALUE & -PAGE, PAGE));
        assertThrows(HostRefusal.class, () -> HostRange.carve(PAGE, 1L << 62));
        assertThrows(HostRefusal.class, () -> HostRange.carve(1L << 62, MIB));
    }
}

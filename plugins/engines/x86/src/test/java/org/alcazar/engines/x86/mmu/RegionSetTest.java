package org.alcazar.engines.x86.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;

class RegionSetTest {
    @Test
    void itIsExactUntilItIsFull() {
        Random random = new Random(7);
        RegionSet set = new RegionSet();
        Set<Long> model = new HashSet<>();
        for (int i = 0; i < 1500; i++) {
            // Some next to each other, some far apart, 0 and the last one among them.
            long region = random.nextInt(4) == 0 ? random.nextLong() >>> 21 : random.nextInt(4000);
            set.add(region);
            model.add(region);
        }
        for (long region = 0; region < 5000; region++) {
            assertEquals(model.contains(region), set.has(region), Long.toHexString(region));
        }
        model.forEach(region -> assertTrue(set.has(region)));
        set.clear();
        model.forEach(region -> assertFalse(set.has(region)));
    }

    @Test
    void whatIsFullHasAll() {
        RegionSet set = new RegionSet();
        for (long region = 0; region < 10_000; region++) {
            set.add(region);
        }
        assertTrue(set.has(9_999));
        assertTrue(set.has(77_777));
        set.clear();
        assertFalse(set.has(0));
    }
}

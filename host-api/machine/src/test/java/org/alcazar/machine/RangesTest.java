package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.BitSet;
import java.util.Random;

class RangesTest {
    @Test
    void nothingAndEverything() {
        for (long a : new long[] {0, 1, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
            assertFalse(Ranges.NONE.contains(a));
            assertTrue(Ranges.ALL.contains(a));
        }
    }

    @Test
    void aSetIsWhatASetOfNumbersIs() {
        Random random = new Random(5);
        for (int round = 0; round < 500; round++) {
            // Around zero of the signed numbers, where comparing wrongly shows.
            long base = round % 2 == 0 ? 0 : Long.MAX_VALUE - 100;
            Ranges ranges = Ranges.NONE;
            BitSet naive = new BitSet();
            for (int i = random.nextInt(12); i >= 0; i--) {
                int first = random.nextInt(200);
                int last = Math.min(199, first + random.nextInt(20));
                ranges = ranges.with(base + first, base + last);
                naive.set(first, last + 1);
            }
            for (int a = 0; a < 200; a++) {
                assertEquals(naive.get(a), ranges.contains(base + a), "round " + round);
            }
            assertFalse(ranges.contains(base + 200));
            assertFalse(ranges.contains(base - 1));
        }
    }

    @Test
    void addressesAreUnsigned() {
        Ranges top = Ranges.NONE.with(-16, -1);
        assertTrue(top.contains(-16));
        assertTrue(top.contains(-1));
        assertFalse(top.contains(0));
        assertFalse(top.contains(Long.MAX_VALUE));
        assertTrue(Ranges.NONE.with(0, -1).contains(1L << 63));
    }

    @Test
    void addingMakesANewSet() {
        Ranges a = Ranges.NONE.with(1, 2);
        Ranges b = a.with(2, 5);
        assertFalse(a.contains(5));
        assertTrue(b.contains(5));
        assertFalse(Ranges.NONE.contains(1));
    }

    @Test
    void aRangeThatEndsBeforeItStartsIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Ranges.NONE.with(2, 1));
        assertThrows(IllegalArgumentException.class, () -> Ranges.NONE.with(-1, 0));
    }
}

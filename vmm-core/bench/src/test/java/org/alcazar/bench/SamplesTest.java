package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.stream.IntStream;

class SamplesTest {
    @Test
    void medianSpreadAndMean() {
        assertEquals(2, new Samples(List.of(3.0, 1.0, 2.0)).median());
        Samples four = new Samples(List.of(8.0, 1.0, 4.0, 2.0));
        assertEquals(3, four.median());
        assertEquals(1, four.min());
        assertEquals(8, four.max());
        assertEquals(Math.pow(64, 0.25), four.geometricMean(), 1e-12);
    }

    @Test
    void ofNothingNothingFollows() {
        Samples none = new Samples(List.of());
        assertTrue(Double.isNaN(none.median()));
        assertTrue(Double.isNaN(none.min()));
        assertTrue(Double.isNaN(none.max()));
        assertTrue(Double.isNaN(none.geometricMean()));
    }

    /** Ranks from the tables of the sign test: 6th and 15th of 20, 2nd and 9th of 10. */
    @Test
    void theMediansIntervalIsThatOfTheSignTest() {
        assertInterval(20, 6, 15);
        assertInterval(10, 2, 9);
        assertInterval(6, 1, 6);
        assertInterval(3, 1, 3);
        assertTrue(Double.isNaN(new Samples(List.of()).low()));
    }

    private static void assertInterval(int count, int low, int high) {
        Samples samples =
                new Samples(IntStream.rangeClosed(1, count).mapToObj(i -> (double) i).toList());
        assertEquals(low, samples.low());
        assertEquals(high, samples.high());
    }
}

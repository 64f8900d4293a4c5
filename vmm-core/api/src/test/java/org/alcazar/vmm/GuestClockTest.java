package org.alcazar.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.math.BigInteger;
import java.util.Random;

class GuestClockTest {
    private static final BigInteger BILLION = BigInteger.valueOf(GuestClock.NANOS_PER_SECOND);
    private static final BigInteger MAX = BigInteger.valueOf(Long.MAX_VALUE);

    @ParameterizedTest
    @ValueSource(
            longs = {
                1,
                18,
                32_768,
                1_193_182,
                3_579_545,
                999_999_999,
                1_000_000_000,
                1_000_000_001,
                2_999_999_997L,
                9_000_000_000L
            })
    void ticksAreExactAndRoundedDown(long hertz) {
        Random random = new Random(hertz);
        // So that the result fits.
        long most = hertz <= GuestClock.NANOS_PER_SECOND ? Long.MAX_VALUE : Long.MAX_VALUE / 10;
        for (int i = 0; i < 10_000; i++) {
            long nanos =
                    i < 10 ? i : i < 20 ? most - i : (random.nextLong() >>> 1) % most >>> i % 60;
            BigInteger exact =
                    BigInteger.valueOf(nanos).multiply(BigInteger.valueOf(hertz)).divide(BILLION);
            assertEquals(exact, BigInteger.valueOf(GuestClock.ticks(nanos, hertz)), "" + nanos);
        }
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                1,
                18,
                32_768,
                1_193_182,
                3_579_545,
                1_000_000_000,
                2_999_999_997L,
                9_000_000_000L
            })
    void nanosOfIsTheFirstNanosecondOfItsTick(long hertz) {
        Random random = new Random(hertz);
        for (int i = 0; i < 10_000; i++) {
            long ticks = i < 100 ? i : random.nextLong() >>> 1 + i % 62;
            BigInteger exact =
                    BigInteger.valueOf(ticks)
                            .multiply(BILLION)
                            .add(BigInteger.valueOf(hertz - 1))
                            .divide(BigInteger.valueOf(hertz));
            long nanos = GuestClock.nanosOf(ticks, hertz);
            assertEquals(exact.min(MAX), BigInteger.valueOf(nanos), "" + ticks);
            if (nanos != Long.MAX_VALUE && nanos < Long.MAX_VALUE / 10) {
                assertTrue(GuestClock.ticks(nanos, hertz) >= ticks, "" + ticks);
                assertTrue(nanos == 0 || GuestClock.ticks(nanos - 1, hertz) < ticks, "" + ticks);
            }
        }
    }

    @Test
    void aDeadlineBeyondTheRangeIsNever() {
        assertEquals(Long.MAX_VALUE, GuestClock.nanosOf(Long.MAX_VALUE, 1));
        assertEquals(Long.MAX_VALUE, GuestClock.nanosOf(Long.MAX_VALUE, 1_193_182));
        assertEquals(Long.MAX_VALUE, GuestClock.nanosOf(Long.MAX_VALUE, 1_000_000_000));
        assertEquals(9_223_372_036L, GuestClock.ticks(Long.MAX_VALUE, 1));
        assertEquals(0, GuestClock.nanosOf(0, 1));
    }

    @Test
    void countersCount() {
        Counter counter = new Counter();
        counter.increment();
        counter.add(41);
        assertEquals(42, counter.value());
    }
}

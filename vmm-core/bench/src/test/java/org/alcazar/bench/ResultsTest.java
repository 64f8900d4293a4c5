package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Optional;

class ResultsTest {
    private static final Program CRC = new Program("crc", BenchClass.INTEGER);
    private static final Program FFT = new Program("fft", BenchClass.FLOATING_POINT);
    private static final String RIGHT = "00000000000000aa";

    private final Results results = new Results(1, Map.of("crc", RIGHT));

    /** A run of one program whose repetitions take so long, with other clocks at these rates. */
    private static Markers round(String checksum, double guest, double cpu, double... seconds) {
        Markers markers = new Markers(seconds.length, (program, done) -> {});
        markers.line("bench crc begin 0.0", 0, 0);
        double now = 0;
        for (int i = 0; i < seconds.length; i++) {
            now += seconds[i];
            markers.line(
                    "bench crc %d %s %.9f".formatted(i + 1, checksum, now * guest), now, now * cpu);
        }
        return markers;
    }

    @BeforeEach
    void twoRounds() {
        results.add("alcazar", round(RIGHT, 1, 2, 10, 1, 2, 3));
        results.add("qemu-tcg", round(RIGHT, 1, 1, 5, 4, 4, 4));
        results.add("alcazar", round(RIGHT, 1, 2, 8, 4, 4, 4));
        results.add("qemu-tcg", round(RIGHT, 1, 1, 6, 12, 12, 12));
    }

    @Test
    void timesAreMediansWithoutTheWarmUp() {
        assertEquals(3.5, results.seconds("alcazar", CRC).median(), 1e-9);
    }

    @Test
    void ratiosAreThoseOfTheRounds() {
        Samples ratios = results.ratios("qemu-tcg", "alcazar", CRC);
        assertEquals(2, ratios.min(), 1e-9);
        assertEquals(3, ratios.max(), 1e-9);
        assertEquals(2.5, ratios.median(), 1e-9);
        assertTrue(results.ratios("qemu-tcg", "alcazar", FFT).isEmpty());
        assertEquals(List.of(1.0, 1.5), results.cpuRatios("qemu-tcg", "alcazar", CRC).values());
        assertEquals(List.of(0.5, 0.75), results.coldRatios("qemu-tcg", "alcazar", CRC).values());
    }

    @Test
    void aSingleRepetitionCountsThoughItIsTheFirst() {
        Results cold = new Results(3, Map.of());
        cold.add("alcazar", round(RIGHT, 1, 1, 7));
        assertEquals(List.of(7.0), cold.seconds("alcazar", CRC).values());
    }

    @Test
    void wrongAndMissingResultsAreNamed() {
        assertEquals(Optional.empty(), results.trouble("alcazar", CRC));
        assertEquals(
                Optional.of("alcazar: fft ended after 0 repetitions"),
                results.trouble("alcazar", FFT));
        results.add("alcazar", round("00000000000000ab", 1, 1, 1, 1, 1, 1));
        assertEquals(
                Optional.of("alcazar: crc has checksum 00000000000000ab instead of " + RIGHT),
                results.trouble("alcazar", CRC));
    }

    @Test
    void aClockThatGoesWrongIsNamed() {
        assertEquals(Optional.empty(), results.clock("alcazar", CRC));
        results.add("late", round(RIGHT, 0.5, 1, 2, 2));
        assertEquals(
                Optional.of("late: the guest's clock counted 2.00 s for 4.00 s of crc"),
                results.clock("late", CRC));
    }

    @Test
    void theTableHasTimesRatiosSpreadAndTheMeanOfTheClass() {
        String text = new Table(results, "alcazar", List.of(CRC, FFT)).text();
        assertTrue(
                text.contains("integer: geometric mean 2.50 (at least 1.2, aim 1.5: aim reached)"),
                text);
        assertTrue(
                text.lines()
                        .map(line -> line.strip().replaceAll(" +", " "))
                        .anyMatch("crc 3.500 8.000 2.50 2.00 to 3.00 1.25 0.63"::equals),
                text);
    }

    @Test
    void theTreeIsJson() {
        Table table = new Table(results, "alcazar", List.of(CRC, FFT));
        String json = Json.text(table.tree());
        assertTrue(json.contains("\"ratios-to-qemu-tcg\": [2.0, 3.0]"), json);
        assertTrue(json.contains("\"ratio-to-qemu-tcg\": null"), json);
    }
}

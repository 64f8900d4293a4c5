package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.bench.Markers.Repetition;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class MarkersTest {
    private static final Program CRC = new Program("crc", BenchClass.INTEGER);
    private static final Program FFT = new Program("fft", BenchClass.FLOATING_POINT);
    private static final String SUM = "00000000000000ff";

    private final List<String> finished = new ArrayList<>();
    private final Markers markers =
            new Markers(2, (program, done) -> finished.add(program + " " + done.size()));

    private void lines(String... lines) {
        for (int i = 0; i < lines.length; i++) {
            markers.line(lines[i], i * 10, 0);
        }
    }

    @Test
    void aRepetitionTakesTheTimeBetweenTheArrivalOfTwoLines() {
        markers.line("[    0.000000] Linux version 6.1", 0.5, 0);
        markers.line(
                "\u001bc\u001b[2Jalcazar: init reached after 3.20 s", 4.0, 3.0); // a BIOS before it
        markers.line("bench crc begin 3.500000000", 5.0, 6.0);
        markers.line("bench crc 1 " + SUM + " 4.000000000", 5.75, 7.5);
        markers.line("bench crc 2 0000000000000001 4.250000000", 6.0, 7.75);
        assertEquals(List.of("boot 1", "crc 2"), finished);
        assertEquals(
                List.of(
                        new Repetition(0.75, 1.5, 0.5, SUM),
                        new Repetition(0.25, 0.25, 0.25, "0000000000000001")),
                markers.of(CRC));
        assertEquals(List.of(new Repetition(4, 3, 4, "")), markers.of(Program.BOOT));
        assertEquals(List.of(), markers.of(FFT));
    }

    @Test
    void nothingIsMeasuredPastALineThatWasLost() {
        lines("bench crc begin 0.1", "bench crc 2 " + SUM + " 0.2", "bench crc 3 " + SUM + " 0.3");
        assertEquals(List.of(), markers.of(CRC));
        assertEquals(List.of(), finished);
    }

    @Test
    void aProgramThatHadEnoughIsFinishedWithWhatItDid() {
        lines("bench crc begin 0.1", "bench crc 1 " + SUM + " 0.2");
        assertFalse(markers.isFinished(CRC));
        lines("bench crc enough 0.2");
        assertTrue(markers.isFinished(CRC));
        assertEquals(List.of("crc 1"), finished);
    }

    @Test
    void linesOfAnotherProgramOrFormCountForNothing() {
        lines(
                "bench crc begin 0.1",
                "bench fft 1 " + SUM + " 0.2",
                "bench crc 1 ff 0.2",
                "bench crc failed",
                "alcazar: bench ended with status 1");
        assertEquals(List.of(), markers.of(CRC));
        assertEquals(List.of(), markers.of(FFT));
        assertEquals(List.of(), markers.of(Program.BOOT));
    }
}

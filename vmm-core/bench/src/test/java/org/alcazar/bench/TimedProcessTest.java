package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class TimedProcessTest {
    private final List<String> lines = new ArrayList<>();
    private final List<Double> times = new ArrayList<>();

    private TimedProcess.End run(long silence, String script) throws Exception {
        return new TimedProcess(silence)
                .run(
                        List.of("sh", "-c", script),
                        (line, seconds, cpu) -> {
                            lines.add(line);
                            times.add(seconds);
                        });
    }

    @Test
    void linesComeWithoutTheirEndsAndInOrderOfTime() throws Exception {
        TimedProcess.End end = run(60, "printf 'a\\r\\nb\\n'; echo why >&2; exit 3");
        assertEquals(List.of("a", "b"), lines);
        assertTrue(times.get(0) > 0 && times.get(1) >= times.get(0), times.toString());
        assertEquals(new TimedProcess.End(3, "a\nb\nwhy"), end);
    }

    @Test
    void aProcessThatIsSilentForTooLongIsEnded() throws Exception {
        assertEquals(137, run(1, "echo a; exec sleep 20").status());
        assertEquals(List.of("a"), lines);
    }
}

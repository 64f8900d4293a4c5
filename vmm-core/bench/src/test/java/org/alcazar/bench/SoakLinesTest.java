package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Optional;

class SoakLinesTest {
    /** What the program of guests/soak printed, with nothing received. */
    private static final String FIRST = "o 00000000 00000000 e220a8397b1dcdafe4d971771b652c20";

    private static final String SECOND = "o 00000001 00000000 910a2dec89025cc1f3203e9039f4a821";

    private final SoakLines lines = new SoakLines();

    @Test
    void linesOfTheGuestAreAsItsProgramMakesThem() {
        assertEquals(Optional.empty(), lines.take(FIRST));
        assertEquals(Optional.empty(), lines.take(SECOND));
        assertEquals(2, lines.received());
    }

    @Test
    void aLostDoubledOrChangedLineIsTold() {
        assertEquals(Optional.of("line 0 came out as '" + SECOND + "'"), lines.take(SECOND));
        assertEquals(Optional.empty(), lines.take(FIRST));
        assertEquals(Optional.of("line 1 came out as '" + FIRST + "'"), lines.take(FIRST));
        assertEquals(
                Optional.of("line 1 came out as '" + SECOND + "\r'"), lines.take(SECOND + "\r"));
        String changed = SECOND.replace("a821", "a831");
        assertEquals(Optional.of("line 1 came out as '" + changed + "'"), lines.take(changed));
        assertEquals(Optional.of("line 1 came out as ''"), lines.take(""));
    }

    @Test
    void aGuestThatConfirmsWhatWasNotSentIsWrong() {
        String line = "o 00000000 00000001 c42c5a1aa382013819ba2418afbbfae1";
        assertEquals(Optional.of("line 0 came out as '" + line + "'"), lines.take(line));
        assertEquals("i 00000000", lines.next(false).substring(0, 10));
        assertEquals(Optional.empty(), lines.take(line));
    }

    @Test
    void linesForTheGuestAreNumbered() {
        String first = lines.next(false);
        assertEquals("i 00000000 e220a8397b1dcdafe4d971771b652c20", first);
        assertEquals(SoakLines.IN, first.length() + 1);
        assertEquals("q 00000001", lines.next(true).substring(0, 10));
        assertEquals(2, lines.sent());
    }
}

package org.alcazar.vmm.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.List;

class SpellingTest {
    private static final List<String> NAMES =
            List.of("uart16550", "pic8259", "pit8254", "rtc", "debug-exit");

    @Test
    void aSlipIsRecognised() {
        assertEquals("; did you mean 'uart16550'?", Spelling.suggest("uart1650", NAMES));
        assertEquals("; did you mean 'debug-exit'?", Spelling.suggest("debugexit", NAMES));
        assertEquals("; did you mean 'pit8254'?", Spelling.suggest("pit8253", NAMES));
        assertEquals("; did you mean 'rtc'?", Spelling.suggest("rtcc", NAMES));
    }

    @Test
    void theNearestOfSeveralWins() {
        assertEquals("; did you mean 'pic8259'?", Spelling.suggest("pic8258", NAMES));
    }

    @Test
    void whatIsLikeNothingGetsTheList() {
        assertEquals(
                "; there are: uart16550, pic8259, pit8254, rtc, debug-exit",
                Spelling.suggest("graphics", NAMES));
        assertEquals("; it takes no keys", Spelling.suggest("x", List.of()));
    }
}

package org.alcazar.launcher.message;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

class MessagesTest {
    private static final String ERASE = "\r\033[K";

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private String printed() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aMessageTakesTheStatusLineAway() {
        Messages messages = new Messages(err, true, 80);
        messages.status("booting");
        messages.say("no");
        assertEquals(ERASE + "alcazar: booting" + ERASE + "alcazar: no\n", printed());
    }

    @Test
    void theGuestsFirstOutputEndsTheStatusLineForGood() {
        Messages messages = new Messages(err, true, 80);
        messages.status("booting");
        messages.guestPrints(true);
        messages.status("more");
        assertEquals(ERASE + "alcazar: booting" + ERASE, printed());
    }

    @Test
    void aMessageDoesNotStickToTheGuestsLine() {
        Messages messages = new Messages(err, true, 80);
        messages.guestPrints(false);
        messages.say("paused");
        assertEquals("\nalcazar: paused\n", printed());
    }

    @Test
    void elsewhereThanOnATerminalThereIsNoStatusLineButALineForEachStep() {
        Messages messages = new Messages(err, false, 80);
        messages.status("booting");
        messages.progress("fetching busybox");
        assertEquals("alcazar: fetching busybox\n", printed());
    }

    @Test
    void quietLeavesErrorsOnly() {
        Messages messages = new Messages(err, false, 80);
        messages.level(Messages.Level.QUIET);
        messages.progress("fetching busybox");
        messages.note("more");
        messages.say("an error");
        assertEquals("alcazar: an error\n", printed());
    }

    @Test
    void aStatusLineFitsTheTerminal() {
        Messages messages = new Messages(err, true, 30);
        messages.status("x".repeat(100));
        assertEquals(29, printed().length() - ERASE.length());
    }

    @Test
    void whatOthersPrintOnStandardErrorTakesTheStatusLineAway() {
        Messages messages = new Messages(err, true, 80);
        messages.status("booting");
        messages.stream().print("log\n");
        assertEquals(ERASE + "alcazar: booting" + ERASE + "log\n", printed());
    }
}

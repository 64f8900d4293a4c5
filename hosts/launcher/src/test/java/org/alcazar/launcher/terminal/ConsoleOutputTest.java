package org.alcazar.launcher.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.launcher.message.Messages;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

class ConsoleOutputTest {
    @Test
    void bytesPassUnchangedAndTheFirstIsReportedOnce() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        AtomicInteger first = new AtomicInteger();
        Messages messages = new Messages(OutputStream.nullOutputStream(), false, 80);
        ConsoleOutput console = new ConsoleOutput(out, messages, false, first::incrementAndGet);
        console.write(new byte[0], 0, 0);
        assertEquals(0, first.get());
        console.write("ab\u00ff".getBytes(StandardCharsets.ISO_8859_1), 1, 2);
        console.write('\n');
        assertEquals("b\u00ff\n", out.toString(StandardCharsets.ISO_8859_1));
        assertEquals(1, first.get());
    }
}

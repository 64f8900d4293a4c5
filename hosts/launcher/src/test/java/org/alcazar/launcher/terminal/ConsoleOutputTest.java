package org.alcazar.launcher.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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

    @Test
    void outputThatCannotBeWrittenIsToldOnceAtTheEnd() {
        assertEquals(
                "alcazar: warning: the guest's output could not be written, some is lost: full\n",
                saidOfFailure("full"));
    }

    @Test
    void aReaderThatHasGoneIsNoLoss() {
        assertEquals("", saidOfFailure("Broken pipe"));
    }

    private static String saidOfFailure(String why) {
        OutputStream failing =
                new OutputStream() {
                    @Override
                    public void write(int octet) throws IOException {
                        throw new IOException(why);
                    }
                };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Messages messages = new Messages(err, false, 80);
        ConsoleOutput console = new ConsoleOutput(failing, messages, false, () -> {});
        for (int i = 0; i < 2; i++) {
            assertThrows(IOException.class, () -> console.write('x'));
        }
        assertEquals("", err.toString(StandardCharsets.UTF_8));
        console.reportLoss();
        return err.toString(StandardCharsets.UTF_8);
    }
}

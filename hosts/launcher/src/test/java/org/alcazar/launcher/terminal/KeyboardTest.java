package org.alcazar.launcher.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.launcher.terminal.EscapeKeys.Command;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

class KeyboardTest {
    private final List<Command> commands = Collections.synchronizedList(new ArrayList<>());

    private Keyboard typing(String text) {
        Keyboard keyboard = new Keyboard(commands::add);
        keyboard.listen(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)));
        return keyboard;
    }

    @Test
    void theGuestReadsWhatIsTypedWithoutCommands() throws IOException {
        byte[] read = typing("un\u0001iame\r").readAllBytes();
        assertEquals("uname\r", new String(read, StandardCharsets.ISO_8859_1));
        assertEquals(List.of(Command.INFORMATION), commands);
    }

    @Test
    void commandsWorkWhenTheGuestReadsNothing() throws IOException, InterruptedException {
        BlockingQueue<Command> obeyed = new LinkedBlockingQueue<>();
        Keyboard keyboard = new Keyboard(obeyed::add);
        keyboard.listen(
                new ByteArrayInputStream(
                        ("x".repeat(10_000) + "\u0001x").getBytes(StandardCharsets.ISO_8859_1)));
        assertEquals(Command.END, obeyed.take());
        assertEquals(4096, keyboard.readAllBytes().length);
    }

    @Test
    void singleBytesKeepTheirEighthBit() throws IOException {
        Keyboard keyboard = typing("\u00ff");
        assertEquals(255, keyboard.read());
        assertEquals(-1, keyboard.read());
    }
}

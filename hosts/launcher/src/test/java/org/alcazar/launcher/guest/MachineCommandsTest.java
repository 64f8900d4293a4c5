package org.alcazar.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class MachineCommandsTest {
    @TempDir Path folder;

    private final CommandRunner commands = new MachineCommands(System.getenv());

    @Test
    void outputErrorsAndStatusComeBack() throws Exception {
        CommandRunner.Result result =
                commands.run(folder, List.of("sh", "-c", "pwd; echo wrong >&2; exit 3"));
        assertEquals(3, result.status());
        assertEquals(folder.toRealPath() + "\n", result.output());
        assertEquals("wrong\n", result.errors());
    }

    @Test
    void standardInputIsEmpty() throws Exception {
        assertEquals("", commands.run(folder, List.of("cat")).output());
    }

    @Test
    void aReaderThatHasEnoughEndsTheProgram() throws Exception {
        byte[] start = new byte[4];
        CommandRunner.Result result =
                commands.run(
                        folder,
                        List.of("sh", "-c", "while :; do echo more; done"),
                        in -> assertEquals(4, in.readNBytes(start, 0, 4)));
        assertTrue(result.ok());
        assertArrayEquals(new byte[] {'m', 'o', 'r', 'e'}, start);
    }

    @Test
    void aProgramThatIsNotThereIsReported() {
        assertThrows(
                IOException.class, () -> commands.run(folder, List.of("no-such-program-here")));
        assertFalse(commands.has("no-such-program-here"));
        assertTrue(commands.has("sh"));
        assertFalse(new MachineCommands(Map.of()).has("sh"));
    }
}

package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.Tutorial.Step;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class TutorialTest {
    @TempDir private Path folder;

    private static boolean prints(String printed, String... lines) {
        return Tutorial.pattern(List.of(lines)).matcher(printed).find();
    }

    @Test
    void linesComeInOrderAndDotsStandForTextOfOneLine() {
        assertTrue(prints("one 1 s\nother\ntwo\n", "one … s", "two"));
        assertFalse(prints("two\none 1 s\n", "one … s", "two"));
        assertFalse(prints("one 1\ns\n", "one … s"));
        assertFalse(prints("a.b", "a…x"));
        assertFalse(prints("aXb", "a.b"), "no patterns of regular expressions");
        assertTrue(prints("anything"));
    }

    @Test
    void aPageIsTheListOfItsBlocks() throws Exception {
        Path page = folder.resolve("page.md");
        Files.writeString(
                page,
                """
                Text.
                ```console
                $ first
                out
                $ second
                ```
                ```guest terminal-2
                / # ls
                bin
                ```
                """);
        List<Step> steps = Tutorial.read(page).steps();
        assertEquals(
                List.of(
                        new Step.Command("first", List.of("out")),
                        new Step.Command("second", List.of())),
                steps.getFirst().commands());
        assertEquals("terminal-2", steps.getLast().where());
        assertEquals(List.of(new Step.Command("ls", List.of("bin"))), steps.getLast().commands());
    }

    @Test
    void aChangeIsOfLinesThatAreThereOnce() {
        Step step = new Step("diff", "file", 1, List.of(" a", "-b", "+c", "", "@@", "-d", " e"));
        assertEquals("x\na\nc\n\ne\n", step.applied("x\na\nb\n\nd\ne\n"));
        assertThrows(AssertionError.class, () -> step.applied("a\nx\n\nd\ne\n"));
        assertThrows(AssertionError.class, () -> step.applied("a\nb\n\nd\ne\nd\ne\n"));
    }
}

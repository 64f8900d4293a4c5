package org.alcazar.management.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.gogo.jline.Parser;
import org.jline.reader.Candidate;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser.ParseContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

class CompletionsTest {
    private final FakeVmm fake = new FakeVmm();
    @TempDir private Path folder;

    @BeforeEach
    void files() throws IOException {
        Files.createDirectory(folder.resolve("out"));
        Files.createFile(folder.resolve("out").resolve("new.jar"));
    }

    /** What completes a line at its end, of that what begins as its last word. */
    private String completed(String line) {
        ParsedLine parsed = new Parser().parse(line, line.length(), ParseContext.COMPLETE);
        List<Candidate> found = new ArrayList<>();
        Screen screen = new Screen(Optional.empty(), folder, false);
        new Completions(fake.vmm(), screen, new CommandTable()).complete(null, parsed, found);
        String word = parsed.word().substring(0, parsed.wordCursor());
        return found.stream()
                .map(candidate -> candidate.value() + (candidate.complete() ? "" : "…"))
                .filter(value -> value.startsWith(word))
                .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vm:st | vm:start vm:stop vm:stop-core vm:start-core vm:stats vm:stuck",
                "gr | grep",
                "vm:pause  | tiny 1",
                "vm:pause t | tiny",
                "vm:pause tiny --  | ''",
                "vm:top --e | --every",
                "device:attach tiny  | rtc uart16550",
                "device:attach tiny uart16550  | name=… irq=… speed=…",
                "device:attach tiny uart16550 speed= | speed=slow speed=fast",
                "device:attach tiny uart16550 irq=3 s | speed=…",
                "device:detach tiny  | com1",
                "device:inspect 1 c | com1",
                "vm:create li | linux",
                "vm:create o | out/…",
                "vm:create linux mem | memory=…",
                "vm:create clock= | clock=host clock=instructions",
                "vm:create engine=f | engine=fake",
                "vm:create devices=r | devices=rtc",
                "vm:create kernel=o | kernel=out/…",
                "vm:create kernel=out/ | kernel=out/new.jar",
                "bundle:swap out/n | out/new.jar",
                "bundle:stop u | uart16550",
                "bundle:stop org.a | org.alcazar.devices.uart16550",
                "cpu:set tiny  | acc pc",
                "cpu:registers tiny  | all general",
                "cpu:registers tiny --core 0 g | general",
                "vm:move-core tiny  | 0",
                "vm:event tiny  | power-button",
                "help vm:li | vm:list",
                "plugin:types  | device engine",
                "vm:list; vm:pause  | tiny 1",
                "vm:list | ''",
            })
    void whatComesNext(String line, String candidates) {
        // The table's own trimming takes the last blank away.
        String typed = line.endsWith(" ") || !needsBlank(line, candidates) ? line : line + " ";
        List<String> wanted = words(candidates);
        List<String> found = words(completed(typed));
        assertTrue(found.size() == wanted.size() && found.containsAll(wanted), typed + "→" + found);
    }

    private static boolean needsBlank(String line, String candidates) {
        String last = line.substring(Math.max(line.lastIndexOf(' '), line.lastIndexOf(';')) + 1);
        return words(candidates).stream().noneMatch(word -> word.startsWith(last));
    }

    private static List<String> words(String text) {
        return text == null || text.isBlank() ? List.of() : List.of(text.strip().split(" "));
    }

    @Test
    void whatMakesNoSenseIsNotCompleted() {
        assertEquals("", completed("nonsense a"));
        assertEquals("", completed("device:detach nobody c"));
        assertEquals("", completed("vm:pause tiny t"));
    }
}

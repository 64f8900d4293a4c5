package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What users get wrong, through the whole assembled program: one line, status 2, nothing left. The
 * spelling of keys and values is tested without a process in {@link MainTest} and beside the
 * configuration.
 */
@Tag("machine")
class BadInputIT {
    @TempDir private Path folder;

    @BeforeAll
    static void everythingIsThere() throws Exception {
        BootIT.everythingIsThere();
    }

    @BeforeEach
    void files() throws IOException {
        byte[] hello = Files.readAllBytes(Path.of(BootIT.micro("hello.elf")));
        write("hello", hello);
        write("empty", new byte[0]);
        write("foreign", "no kernel at all\n".repeat(99).getBytes(StandardCharsets.UTF_8));
        write("headless", Arrays.copyOf(hello, 60));
        // The segment of the program headers begins at 4 KiB.
        write("truncated", Arrays.copyOf(hello, 4100));
        byte[] bzImage = new byte[2048];
        bzImage[0x1f1] = 4;
        bzImage[0x1fe] = 0x55;
        bzImage[0x1ff] = (byte) 0xaa;
        System.arraycopy("HdrS".getBytes(StandardCharsets.UTF_8), 0, bzImage, 0x202, 4);
        bzImage[0x206] = 0x0f;
        bzImage[0x207] = 0x02;
        write("bzimage", bzImage);
        write(
                "syntax.yaml",
                "kernel: hello\ndevices: [uart16550\n".getBytes(StandardCharsets.UTF_8));
        write("key.yaml", "kernel: hello\nmemroy: 16M\n".getBytes(StandardCharsets.UTF_8));
        write("type.yaml", "kernel: hello\ncpus: many\n".getBytes(StandardCharsets.UTF_8));
        write("bad.xml", "<guest><kernel>hello</guest>".getBytes(StandardCharsets.UTF_8));
        Files.createDirectory(folder.resolve("directory"));
    }

    private void write(String name, byte[] content) throws IOException {
        Files.write(folder.resolve(name), content);
    }

    private List<String> listing() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.map(Path::toString).sorted().toList();
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "--kernel @missing | missing",
                "--kernel @empty | empty",
                "--kernel @foreign | foreign",
                "--kernel @headless | headless",
                "--kernel @truncated | truncated",
                "--kernel @bzimage | bzimage",
                "--kernel @directory | directory",
                "--kernel @hello --initrd @missing | missing",
                "--kernel @hello --device uart1655 | uart16550",
                "--kernel @hello --device uart16550,bsae=1016 | base",
                "--kernel @hello --engine steam | steam",
                "--kernel @hello --paging sideways | sideways",
                "--kernel @hello --cpu-model z80 | x86-64-v2",
                "--kernel @hello --console telex | telex",
                "--kernel @hello --console file:@missing/console | console",
                "--kernel @hello --bundle @foreign | foreign",
                "--kernel @hello --bundle @missing | missing",
                "--kernel @hello --memory 4K | memory",
                "--kernel @hello --memory 1000001 | memory",
                "--kernel @hello --memory 999999G | memory",
                "--kernel @hello --stats @missing/s.json | missing",
                "@syntax.yaml | syntax.yaml",
                "@key.yaml | memory",
                "@type.yaml | cpus",
                "@bad.xml | bad.xml",
                "linnux | linux",
            })
    void wrongInputIsOneLineAndStatus2(String words, String names)
            throws IOException, InterruptedException {
        List<String> before = listing();
        String line = "run " + words.replace("@", folder + "/");
        try (ProgramRun program = ProgramRun.start(line.split(" "))) {
            End end = program.end();
            assertEquals(1, end.err().lines().count(), end.err());
            assertEquals(2, end.status(), end.err());
            assertTrue(end.err().startsWith("alcazar: "), end.err());
            assertTrue(end.err().contains(names), end.err());
            assertEquals("", end.out());
            BootIT.assertNoCacheOf(program.pid());
        }
        assertEquals(before, listing());
    }
}

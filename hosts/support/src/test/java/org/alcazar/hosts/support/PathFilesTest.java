package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

class PathFilesTest {
    private final PathFiles files = new PathFiles();

    @TempDir
    @SuppressWarnings("NullAway.Init") // set before each test
    private Path folder;

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private List<String> names() throws IOException {
        try (var all = Files.list(folder)) {
            return all.map(f -> String.valueOf(f.getFileName())).sorted().toList();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        byte[] contents = new byte[300_000];
        new Random(1).nextBytes(contents);
        files.write(path("a"), out -> out.write(contents));
        assertEquals(contents.length, files.size(path("a")));
        try (var in = files.read(path("a"))) {
            assertArrayEquals(contents, in.readAllBytes());
        }
        files.write(path("empty"), out -> {});
        assertEquals(0, files.size(path("empty")));
        assertEquals(List.of("a", "empty"), names());
    }

    @Test
    void theOldFileIsThereUntilTheNewOneIsWhole() throws IOException {
        files.write(path("a"), out -> out.write(bytes("old")));
        files.write(
                path("a"),
                out -> {
                    out.write(new byte[200_000]);
                    out.flush();
                    assertEquals("old", Files.readString(folder.resolve("a")));
                    assertEquals(2, names().size());
                });
        assertEquals(200_000, files.size(path("a")));
        assertEquals(List.of("a"), names());
    }

    @Test
    void aWriterThatFailsLeavesNothingBehind() throws IOException {
        files.write(path("a"), out -> out.write(bytes("old")));
        assertThrows(
                IllegalStateException.class,
                () ->
                        files.write(
                                path("a"),
                                out -> {
                                    out.write(new byte[200_000]);
                                    throw new IllegalStateException("a bug");
                                }));
        assertThrows(
                IOException.class,
                () ->
                        files.write(
                                path("b"),
                                out -> {
                                    throw new IOException("disk full");
                                }));
        assertEquals(List.of("a"), names());
        assertEquals("old", Files.readString(folder.resolve("a")));
    }

    @Test
    void aReaderOfTheOldFileReadsItToItsEnd() throws IOException {
        files.write(path("a"), out -> out.write(bytes("old contents")));
        try (var in = files.read(path("a"))) {
            assertEquals('o', in.read());
            files.write(path("a"), out -> out.write(bytes("new")));
            assertEquals("ld contents", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        assertEquals("new", Files.readString(folder.resolve("a")));
    }

    @Test
    void whatCanNotBeWrittenOrReadIsAnError() throws IOException {
        assertThrows(IOException.class, () -> files.write(path("no/where"), out -> {}));
        assertThrows(IOException.class, () -> files.read(path("missing")));
        assertThrows(IOException.class, () -> files.size(path("missing")));
        Files.createDirectories(folder.resolve("full/inner"));
        assertThrows(IOException.class, () -> files.write(path("full"), out -> out.write(1)));
        assertEquals(List.of("full"), names());
        assertFalse(Files.isRegularFile(folder.resolve("full")));
    }
}

package org.alcazar.testkit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Turns assembly into a flat image with the machine's own GNU as and ld. Tests are skipped with a
 * message where there is none.
 */
final class Assembler {
    private Assembler() {}

    /**
     * Assembles a guest behind the start-up code of a mode.
     *
     * @param address where the image is loaded
     */
    static byte[] assemble(Mode mode, String source, long address) {
        @Nullable Path folder = null;
        try {
            folder = Files.createTempDirectory("alcazar-guest");
            Path text = folder.resolve("guest.s");
            Files.writeString(text, prologue(mode) + "\n" + source + "\n");
            Path object = folder.resolve("guest.o");
            Path image = folder.resolve("guest.bin");
            run("as", "--64", "-o", object.toString(), text.toString());
            run(
                    "ld",
                    "-m",
                    "elf_x86_64",
                    "--oformat",
                    "binary",
                    "-Ttext=0x" + Long.toHexString(address),
                    "-e",
                    "0",
                    "-o",
                    image.toString(),
                    object.toString());
            return Files.readAllBytes(image);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(folder);
        }
    }

    private static String prologue(Mode mode) throws IOException {
        try (InputStream in = Assembler.class.getResourceAsStream("prologue.s")) {
            return mode.symbol()
                    + " = 1\n"
                    + new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void run(String... command) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            Assumptions.abort(command[0] + " is missing; install binutils to run this test");
            throw e;
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IllegalArgumentException(
                        String.join(" ", List.of(command)) + "\n" + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in " + command[0], e);
        }
    }

    private static void delete(@Nullable Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package org.alcazar.engines.x86.semantics;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The machine's own processor, asked through a small C program that is compiled on the spot. */
public final class NativeOracle {
    private NativeOracle() {}

    /** Why there is no oracle on this machine; empty if there is. */
    public static String missing() {
        if (!List.of("amd64", "x86_64").contains(System.getProperty("os.arch"))) {
            return "the native oracle needs an x86-64 processor";
        }
        try {
            new ProcessBuilder("gcc", "--version")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            return "";
        } catch (IOException e) {
            return "the native oracle needs gcc";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    /** Compiles a C resource beside a class. */
    public static Path compile(Path directory, Class<?> owner, String name)
            throws IOException, InterruptedException {
        Path source = directory.resolve(name);
        try (InputStream in = owner.getResourceAsStream(name)) {
            Files.write(source, Objects.requireNonNull(in, name).readAllBytes());
        }
        Path program = directory.resolve(name.replace(".c", ""));
        Process gcc =
                new ProcessBuilder("gcc", "-O1", "-Wall", "-o", program + "", source + "")
                        .inheritIO()
                        .start();
        if (gcc.waitFor() != 0) {
            throw new IOException("gcc refused " + name);
        }
        return program;
    }

    /** Gives a program a question; its answer has as many bytes. */
    public static ByteBuffer ask(Path program, ByteBuffer cases) throws IOException {
        Process process =
                new ProcessBuilder(program + "")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        byte[] question = new byte[cases.capacity()];
        cases.get(0, question);
        Thread writer =
                Thread.ofPlatform()
                        .start(() -> {
                            try (OutputStream out = process.getOutputStream()) {
                                out.write(question);
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        });
        byte[] answer = new byte[cases.capacity()];
        new DataInputStream(new BufferedInputStream(process.getInputStream())).readFully(answer);
        try {
            writer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
    }
}

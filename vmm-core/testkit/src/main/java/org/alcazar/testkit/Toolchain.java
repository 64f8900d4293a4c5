package org.alcazar.testkit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Makes flat images of guests with the machine's own GCC and binutils. Tests are skipped with a
 * message where there are none.
 */
final class Toolchain {
    /**
     * A guest ready to be loaded.
     *
     * @param image what is loaded, from {@link TestVm#ENTRY} on if it is flat
     * @param elf the same with its symbols
     */
    record Guest(byte[] image, byte[] elf) {
        /** Addresses of all symbols. */
        Map<String, Long> symbols() {
            return inFolder(folder -> {
                Path file = Files.write(folder.resolve("guest.elf"), elf);
                Map<String, Long> out = new HashMap<>();
                for (String line : run("nm", file.toString()).lines().toList()) {
                    String[] words = line.split(" ", 3);
                    if (!words[0].isEmpty()) {
                        out.put(words[2], Long.parseUnsignedLong(words[0], 16));
                    }
                }
                return out;
            });
        }
    }

    /** As little between source and machine code as there can be. */
    private static final List<String> COMPILE =
            List.of(
                    "gcc",
                    "-m64",
                    "-O1",
                    "-g0",
                    "-ffreestanding",
                    "-mno-red-zone",
                    "-fno-pie",
                    "-fno-stack-protector",
                    "-fno-asynchronous-unwind-tables",
                    "-fcf-protection=none",
                    "-Wall");

    private Toolchain() {}

    /** A file with symbols, or null if it is no ELF. */
    static @Nullable Guest ofElf(Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        boolean elf =
                content.length > 4
                        && new String(content, 0, 4, StandardCharsets.ISO_8859_1).equals("\177ELF");
        return elf ? new Guest(content, content) : null;
    }

    /** Assembles a guest behind the start-up code of a mode. */
    static Guest assemble(Mode mode, String source) {
        return inFolder(folder -> {
            Path text =
                    Files.writeString(folder.resolve("guest.s"), prologue(mode) + source + "\n");
            Path object = folder.resolve("guest.o");
            run("as", "--64", "-o", object.toString(), text.toString());
            return link(folder, List.of(object));
        });
    }

    /** The same through the C preprocessor. @param include where its own headers are */
    static Guest preprocess(Mode mode, String source, Path include) {
        return inFolder(folder -> {
            Path text =
                    Files.writeString(folder.resolve("guest.S"), prologue(mode) + source + "\n");
            Path object = folder.resolve("guest.o");
            gcc(object, text, include);
            return link(folder, List.of(object));
        });
    }

    /**
     * Compiles a C guest behind start-up code that calls its {@code main}.
     *
     * @param include where its own headers are
     */
    static Guest compile(String source, Path include) {
        return inFolder(folder -> {
            Path start = folder.resolve("start.s");
            Files.writeString(start, prologue(Mode.LONG) + resource("start.s"));
            Files.writeString(folder.resolve("alcazar.h"), resource("alcazar.h"));
            Path library = Files.writeString(folder.resolve("alcazar.c"), resource("alcazar.c"));
            Path guest = Files.writeString(folder.resolve("guest.c"), source);
            List<Path> objects = new ArrayList<>();
            for (Path part : List.of(start, guest, library)) {
                Path object = folder.resolve(part.getFileName() + ".o");
                gcc(object, part, include);
                objects.add(object);
            }
            return link(folder, objects);
        });
    }

    private static void gcc(Path object, Path source, Path include) throws IOException {
        List<String> command = new ArrayList<>(COMPILE);
        command.addAll(List.of("-I", Objects.requireNonNull(object.getParent()).toString()));
        command.addAll(List.of("-I", include.toString()));
        command.addAll(List.of("-c", "-o", object.toString(), source.toString()));
        run(command.toArray(String[]::new));
    }

    private static Guest link(Path folder, List<Path> objects) throws IOException {
        Path script = Files.writeString(folder.resolve("guest.ld"), resource("guest.ld"));
        Path elf = folder.resolve("guest.elf");
        Path image = folder.resolve("guest.bin");
        List<String> command = new ArrayList<>(List.of("ld", "-m", "elf_x86_64", "-static"));
        command.add("--defsym=origin=" + TestVm.ENTRY);
        command.addAll(List.of("-T", script.toString(), "-o", elf.toString()));
        objects.forEach(object -> command.add(object.toString()));
        run(command.toArray(String[]::new));
        run("objcopy", "-O", "binary", elf.toString(), image.toString());
        return new Guest(Files.readAllBytes(image), Files.readAllBytes(elf));
    }

    private static String prologue(Mode mode) throws IOException {
        return mode.symbol() + " = 1\n" + resource("prologue.s") + "\n";
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Toolchain.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String run(String... command) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            Assumptions.abort(
                    command[0] + " is missing; install gcc and binutils to run this test");
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
        return output;
    }

    /** Work in a folder that is there for so long. */
    private interface Work<T> {
        T in(Path folder) throws IOException;
    }

    private static <T> T inFolder(Work<T> work) {
        @Nullable Path folder = null;
        try {
            folder = Files.createTempDirectory("alcazar-guest");
            return work.in(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(folder);
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

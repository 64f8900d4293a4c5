package org.alcazar.launcher.run;

import org.alcazar.launcher.message.Json;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/** A file of statistics, which appears whole or not at all. */
final class StatisticsFile {
    private StatisticsFile() {}

    /**
     * Tries whether {@link #write} can, without leaving anything.
     *
     * @throws IOException if it cannot
     */
    static void check(Path file) throws IOException {
        if (isDevice(file)) {
            if (!Files.isWritable(file)) {
                throw new AccessDeniedException(file.toString());
            }
            return;
        }
        Path part = part(file);
        Files.writeString(part, "");
        Files.delete(part);
    }

    private static Path part(Path file) {
        return file.resolveSibling("." + file.getFileName() + "." + ProcessHandle.current().pid());
    }

    /** A device or a pipe is written to, not replaced. */
    private static boolean isDevice(Path file) {
        return Files.exists(file) && !Files.isRegularFile(file);
    }

    static void write(Path file, Map<String, ?> tree) throws IOException {
        if (isDevice(file)) {
            Files.writeString(file, Json.text(tree));
            return;
        }
        Path part = part(file);
        try {
            Files.writeString(part, Json.text(tree));
            Files.move(
                    part,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}

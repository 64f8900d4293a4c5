package org.alcazar.launcher.run;

import org.alcazar.launcher.message.Json;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/** A file of statistics, which appears whole or not at all. */
final class StatisticsFile {
    private StatisticsFile() {}

    static void write(Path file, Map<String, ?> tree) throws IOException {
        Path part =
                file.resolveSibling("." + file.getFileName() + "." + ProcessHandle.current().pid());
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

package org.alcazar.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Finds the files of guests. */
final class GuestFile {
    private GuestFile() {}

    /**
     * @param path relative to the module's folder, or else a resource of the class path
     * @param temporary gets the copy of a resource, for its deletion
     */
    static Path find(Path path, List<Path> temporary) {
        if (Files.isRegularFile(path)) {
            return path.toAbsolutePath();
        }
        String name = path.toString();
        try (InputStream in = ClassLoader.getSystemResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalArgumentException(
                        "no guest "
                                + name
                                + ": neither in "
                                + Path.of("").toAbsolutePath()
                                + " nor on the class path");
            }
            Path copy = Files.createTempFile("alcazar-guest", "-" + path.getFileName());
            temporary.add(copy);
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package org.alcazar.launcher.config;

import java.nio.file.Path;

/**
 * Where a value was written.
 *
 * @param file the file's name for messages; empty for the command line
 * @param folder relative paths count from here
 */
record Origin(String file, Path folder) {
    static Origin commandLine(Path folder) {
        return new Origin("", folder);
    }

    /** The place of a key's value, for the beginning of a message. */
    String place(GuestKey key) {
        return file.isEmpty() ? key.option() : file + ": " + key.key();
    }
}

package org.alcazar.management.shell;

import org.jline.terminal.Terminal;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a session's person or script sits.
 *
 * @param terminal none for a script
 * @param folder the client's, which relative paths count from
 * @param json whether all results are JSON
 */
record Screen(Optional<Terminal> terminal, Path folder, boolean json) {
    Path resolve(String file) throws UsageException {
        return Call.path(folder, file);
    }
}

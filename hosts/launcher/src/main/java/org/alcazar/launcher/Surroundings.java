package org.alcazar.launcher;

import org.alcazar.launcher.guest.CommandRunner;
import org.alcazar.launcher.message.Messages;

import java.io.PrintStream;
import java.nio.file.Path;

/**
 * What the commands find around them; tests put their own in its place.
 *
 * @param root the source tree
 * @param home the distribution
 * @param folder the working directory
 * @param out standard output
 * @param messages standard error
 * @param programs runs the machine's programs
 */
record Surroundings(
        Path root,
        Path home,
        Path folder,
        PrintStream out,
        Messages messages,
        CommandRunner programs) {
    /** The same for somebody who is in another folder. */
    Surroundings in(Path other) {
        return new Surroundings(root, home, other, out, messages, programs);
    }

    /** The folder of guests. */
    Path guests() {
        return root.resolve("guests");
    }

    /** The distribution's bundles. */
    Path bundles() {
        return home.resolve("bundles");
    }
}

package org.alcazar.launcher.guest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/** Runs programs of the machine. Tests put their own in its place. */
public interface CommandRunner {
    /**
     * How a program ended.
     *
     * @param status its exit status, 0 to 255
     * @param output its standard output, empty when a {@link Reader} took it
     * @param errors its standard error
     */
    record Result(int status, String output, String errors) {
        /** Whether the exit status is 0. */
        public boolean ok() {
            return status == 0;
        }
    }

    /** Takes the standard output of a program while it runs. */
    @FunctionalInterface
    interface Reader {
        /**
         * Reads as much of {@code output} as is wanted; what follows is thrown away, and the
         * program is ended if it has more to say.
         */
        void read(InputStream output) throws IOException;
    }

    /** Whether {@code program}, a bare name, is on the search path and may be run. */
    boolean has(String program);

    /**
     * Runs a program to its end, with empty standard input and English messages.
     *
     * @param directory the working directory
     * @param command program and arguments
     * @throws IOException when it cannot be started or its output not be read
     */
    Result run(Path directory, List<String> command) throws IOException, InterruptedException;

    /**
     * As {@link #run}, with standard output handed to {@code reader}. The status is 0 when the
     * reader stopped before the end of the output.
     */
    Result run(Path directory, List<String> command, Reader reader)
            throws IOException, InterruptedException;
}

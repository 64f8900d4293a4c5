package org.alcazar.launcher.terminal;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The terminal mode through the C library (POSIX.1-2017, chapter 11), called directly: a shutdown
 * hook has no time to start a program such as stty.
 */
public final class UnixTerminal implements TerminalMode {
    private static final int STDIN = 0;
    private static final int TCSADRAIN = 1;

    /** More than a struct termios has anywhere. */
    private static final long TERMIOS_BYTES = 256;

    /** Linux: c_oflag is the second flag word, OPOST its lowest bit. */
    private static final long C_OFLAG = 4;

    private static final int OPOST = 1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;

    private final MethodHandle tcgetattr = function("tcgetattr", INT, INT, POINTER);
    private final MethodHandle tcsetattr = function("tcsetattr", INT, INT, INT, POINTER);
    private final MethodHandle cfmakeraw = procedure("cfmakeraw", POINTER);
    private final MethodHandle tcgetpgrp = function("tcgetpgrp", INT, INT);
    private final MethodHandle getpgrp = function("getpgrp", INT);
    private final MemorySegment before = Arena.global().allocate(TERMIOS_BYTES);
    private final boolean present;
    private boolean raw;

    private UnixTerminal() throws Throwable {
        // In the background a change of the mode would stop this process (SIGTTOU).
        present =
                (int) tcgetattr.invokeExact(STDIN, before) == 0
                        && (int) tcgetpgrp.invokeExact(STDIN) == (int) getpgrp.invokeExact();
    }

    /** The terminal of standard input, or {@link TerminalMode#NONE}. */
    public static TerminalMode open() {
        if (!isTerminal(STDIN)) {
            return NONE;
        }
        try {
            return new UnixTerminal();
        } catch (Throwable e) {
            return NONE; // another kind of machine: keys arrive by lines there
        }
    }

    /** Whether a file descriptor of this process (0, 1 or 2) is a terminal. */
    public static boolean isTerminal(int descriptor) {
        try {
            String target =
                    Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return target.startsWith("/dev/pts/")
                    || target.startsWith("/dev/tty")
                    || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    private static MethodHandle function(
            String name, MemoryLayout result, MemoryLayout... arguments) {
        return handle(name, FunctionDescriptor.of(result, arguments));
    }

    private static MethodHandle procedure(String name, MemoryLayout... arguments) {
        return handle(name, FunctionDescriptor.ofVoid(arguments));
    }

    @SuppressWarnings("restricted") // native access is granted on the command line
    private static MethodHandle handle(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
    }

    @Override
    public boolean present() {
        return present;
    }

    @Override
    public synchronized void raw() {
        if (!present || raw) {
            return;
        }
        MemorySegment mode = Arena.global().allocate(TERMIOS_BYTES);
        mode.copyFrom(before);
        try {
            cfmakeraw.invokeExact(mode);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        // Lines of the guest and of ours end in a line feed alone.
        int output = before.get(INT, C_OFLAG) | OPOST;
        mode.set(INT, C_OFLAG, output);
        raw = set(mode);
    }

    @Override
    public synchronized void restore() {
        if (raw) {
            set(before);
            raw = false;
        }
    }

    private boolean set(MemorySegment mode) {
        try {
            return (int) tcsetattr.invokeExact(STDIN, TCSADRAIN, mode) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}

package org.alcazar.launcher.message;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * The only writer of standard error. On a terminal it keeps a status line at the bottom, which goes
 * away before anything else is printed, by this process or by the guest. Safe from any thread.
 */
public final class Messages {
    /** How much is said. */
    public enum Level {
        /** Only errors. */
        QUIET,
        /** Errors and progress. */
        NORMAL,
        /** And what goes on. */
        VERBOSE
    }

    private static final String PREFIX = "alcazar: ";
    private static final String ERASE_LINE = "\r\033[K";

    private final OutputStream err;
    private final boolean terminal;
    private final int columns;
    private Level level = Level.NORMAL;
    private boolean showing;
    private boolean guestSpoke;
    private boolean midLine;

    /**
     * Creates messages on a stream.
     *
     * @param terminal whether somebody reads it on a terminal
     * @param columns the terminal's width
     */
    public Messages(OutputStream err, boolean terminal, int columns) {
        this.err = err;
        this.terminal = terminal;
        this.columns = columns;
    }

    /** Sets how much is said. */
    public synchronized void level(Level newLevel) {
        level = newLevel;
    }

    /** Says one line, or several. */
    public synchronized void say(String text) {
        clear();
        put((midLine ? "\n" : "") + PREFIX + text + "\n");
        midLine = false;
    }

    /** Says one line if the user wants to know more than usual. */
    public synchronized void note(String text) {
        if (level == Level.VERBOSE) {
            say(text);
        }
    }

    /** Prints text as it is. */
    public synchronized void print(String text) {
        clear();
        put((midLine ? "\n" : "") + text);
        midLine = false;
    }

    /**
     * Shows what is being done: the status line on a terminal, nothing elsewhere or once the guest
     * has printed.
     *
     * @param text a few words
     */
    public synchronized void status(String text) {
        if (terminal && level != Level.QUIET && !guestSpoke) {
            String line = PREFIX + text;
            put(ERASE_LINE + line.substring(0, Math.min(line.length(), Math.max(20, columns - 1))));
            showing = true;
        }
    }

    /** A step of something long: the status line on a terminal, a line of its own elsewhere. */
    public synchronized void progress(String text) {
        if (terminal) {
            status(text);
        } else if (level != Level.QUIET) {
            say(text);
        }
    }

    /** Takes the status line away. */
    public synchronized void clear() {
        if (showing) {
            showing = false;
            put(ERASE_LINE);
        }
    }

    /**
     * The guest is about to print on standard output: no status line from now on.
     *
     * @param endsLine whether its output ends a line
     */
    public synchronized void guestPrints(boolean endsLine) {
        clear();
        guestSpoke = true;
        midLine = terminal && !endsLine;
    }

    /** A stream for what others print on standard error, such as the log. */
    public PrintStream stream() {
        return new PrintStream(new Foreign(), true, StandardCharsets.UTF_8);
    }

    private void put(String text) {
        put(text.getBytes(StandardCharsets.UTF_8), 0, -1);
    }

    private void put(byte[] bytes, int from, int count) {
        try {
            err.write(bytes, from, count < 0 ? bytes.length : count);
            err.flush();
        } catch (IOException e) {
            // Nobody is there to be told.
            showing = false;
        }
    }

    /** Clears the status line before each write. */
    private final class Foreign extends OutputStream {
        @Override
        public void write(int octet) {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            synchronized (Messages.this) {
                clear();
                put(bytes, from, count);
            }
        }
    }
}

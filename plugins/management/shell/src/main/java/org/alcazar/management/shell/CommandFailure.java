package org.alcazar.management.shell;

/** A command has failed. The message is for people: one line, and the usage if that was wrong. */
final class CommandFailure extends Exception {
    /** Wrong usage, or refused. */
    static final int REFUSED = 2;

    /** A fault of the shell, the VMM or a plugin. */
    static final int FAULT = 6;

    /** Ended by the user. */
    static final int INTERRUPTED = 130;

    private static final long serialVersionUID = 1L;

    /** As of the program's exits. */
    private final int status;

    CommandFailure(int status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    int status() {
        return status;
    }
}

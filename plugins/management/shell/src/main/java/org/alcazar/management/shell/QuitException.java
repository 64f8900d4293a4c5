package org.alcazar.management.shell;

/** The session is to end: no failure. */
final class QuitException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The client's exit status. */
    private final int status;

    QuitException(int status) {
        super("quit");
        this.status = status;
    }

    int status() {
        return status;
    }
}

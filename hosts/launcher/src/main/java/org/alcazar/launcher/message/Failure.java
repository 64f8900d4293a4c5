package org.alcazar.launcher.message;

/**
 * A command cannot go on. The message is one line for a person: what, where, and what would be
 * right.
 */
public final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    /** The program's exit status. */
    private final int status;

    /** Creates a failure that ends the program with the given status. */
    public Failure(int status, String message) {
        super(message);
        this.status = status;
    }

    /** As {@link #Failure(int, String)}, with what led to it. */
    public Failure(int status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /** Wrong usage or configuration: status 2. */
    public static Failure usage(String message) {
        return new Failure(Status.USAGE, message);
    }

    /** The program's exit status. */
    public int status() {
        return status;
    }
}

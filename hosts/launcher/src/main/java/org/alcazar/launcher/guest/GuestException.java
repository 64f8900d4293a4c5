package org.alcazar.launcher.guest;

/**
 * A guest cannot be found or built. The message is one line for a person: what, where, and what
 * would be right.
 */
public final class GuestException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Creates the exception with its one-line message. */
    public GuestException(String message) {
        super(message);
    }

    /** Creates the exception with its one-line message and what led to it. */
    public GuestException(String message, Throwable cause) {
        super(message, cause);
    }
}

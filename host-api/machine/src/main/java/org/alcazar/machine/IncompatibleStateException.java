package org.alcazar.machine;

/** A saved state does not fit the part that should take it. The message is one line for people. */
public final class IncompatibleStateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public IncompatibleStateException(String message) {
        super(message);
    }
}

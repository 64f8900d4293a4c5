package org.alcazar.host;

/**
 * A host could not or would not do what was asked. The message is one line for people: what, where,
 * what would be right.
 */
public class HostRefusal extends Exception {
    private static final long serialVersionUID = 1L;

    public HostRefusal(String message) {
        super(message);
    }

    public HostRefusal(String message, Throwable cause) {
        super(message, cause);
    }
}

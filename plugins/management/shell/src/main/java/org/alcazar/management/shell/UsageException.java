package org.alcazar.management.shell;

/** A command was typed wrongly. The message is one line; the command's usage follows it. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}

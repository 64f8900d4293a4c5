package org.alcazar.hosts.l4;

/**
 * Error codes of IPC (X.2, 5.5): bit 0 says the phase (1: receive), bits 1 to 3 what went wrong,
 * the bits above an offset into the message.
 */
final class IpcError {
    static final int NONE = 0;
    static final int RECEIVE_PHASE = 1;

    static final int TIMEOUT = 1 << 1;
    static final int NO_PARTNER = 2 << 1;
    static final int CANCELLED = 3 << 1;

    /** The message is malformed, or maps what the receiver does not accept. */
    static final int OVERFLOW = 4 << 1;

    static final int ABORTED = 7 << 1;

    private static final String[] NAMES = {
        "no error",
        "timeout",
        "no such partner",
        "cancelled",
        "message overflow",
        "transfer timeout",
        "transfer timeout of the partner",
        "aborted"
    };

    private IpcError() {}

    /** For people. */
    static String describe(int error) {
        return NAMES[error >> 1 & 7] + ((error & RECEIVE_PHASE) == 0 ? " sending" : " receiving");
    }
}

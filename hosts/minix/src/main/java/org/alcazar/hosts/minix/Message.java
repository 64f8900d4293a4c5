package org.alcazar.hosts.minix;

/**
 * A message as MINIX 3 has them: 64 bytes, of which 56 are the payload ({@code minix/ipc.h}).
 * Mutable, and copied whole, so that none is ever made on the way.
 */
final class Message {
    /** Words of payload. */
    static final int WORDS = 7;

    /** Where a request that must not be done twice has its sequence number. */
    static final int SEQUENCE = 5;

    /** Where a request says with 1 that it was sent before, to a server that has died. */
    static final int RESENT = 6;

    // Replies. Anything else in a reply's type is not there.
    static final int OK = 0;
    static final int EIO = -5;
    static final int ENXIO = -6;
    static final int ENOMEM = -12;
    static final int EINVAL = -22;

    /** No reply: the other side died. */
    static final int EDEADSRCDST = -215;

    /** No reply: the machine has been shut down. */
    static final int ESHUTDOWN = -108;

    // Requests to PM.
    static final int PM_NANOTIME = 1;
    static final int PM_EPOCH = 2;
    static final int PM_SET_ALARM = 3;

    // Requests to VM.
    static final int VM_ALLOCATE = 11;
    static final int VM_FREE = 12;

    // Requests to TTY.
    static final int TTY_OPEN = 21;
    static final int TTY_WRITE = 22;
    static final int TTY_READ = 23;
    static final int TTY_CLOSE = 24;

    // Requests to DS.
    static final int DS_PUBLISH_LABEL = 31;
    static final int DS_RETRIEVE_LABEL = 32;
    static final int DS_PUT_EXTENT = 33;
    static final int DS_DELETE_EXTENT = 34;
    static final int DS_NEXT_EXTENT = 35;
    static final int DS_LAST = 36;

    /** Endpoint of the sender, which the kernel writes. */
    int source;

    int type;

    final long[] words = new long[WORDS];

    /** The kernel's copy from one process to another. */
    void copyFrom(Message other) {
        source = other.source;
        type = other.type;
        System.arraycopy(other.words, 0, words, 0, WORDS);
    }
}

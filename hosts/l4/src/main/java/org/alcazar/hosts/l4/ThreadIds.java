package org.alcazar.hosts.l4;

/**
 * Global thread ids (X.2, 2.1): the thread's number in bits 32 to 63, its version below. Threads of
 * one number never have the same version twice, so that an old id does not reach a new thread. An
 * interrupt's id has its line as the number and version 1.
 */
final class ThreadIds {
    /** No thread. */
    static final long NIL = 0;

    /** Any thread. */
    static final long ANY = -1;

    /** Numbers below are interrupts'. */
    static final int USER_BASE = 256;

    /** The first one that is no interrupt's: the pager of who has none else. */
    static final long SIGMA0 = id(USER_BASE, 1);

    private ThreadIds() {}

    static long id(int number, int version) {
        return (long) number << 32 | Integer.toUnsignedLong(version);
    }

    static int number(long id) {
        return (int) (id >>> 32);
    }

    static int version(long id) {
        return (int) id;
    }

    static long interrupt(int line) {
        return id(line, 1);
    }

    /** The version after another: its low six bits are never 0, for those mark local ids. */
    static int next(int version) {
        int next = version + 1;
        return (next & 0x3f) == 0 ? next + 1 : next;
    }
}

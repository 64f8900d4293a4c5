package org.alcazar.hosts.linux;

import java.util.Arrays;

/** Why a system call failed, as Linux numbers it. */
enum Errno {
    EPERM(1, "operation not permitted"),
    ENOENT(2, "no such file"),
    EINTR(4, "interrupted"),
    EAGAIN(11, "not now"),
    ENOMEM(12, "no memory, or over a limit"),
    EACCES(13, "permission denied"),
    EBUSY(16, "in use"),
    ENODEV(19, "no such device"),
    EINVAL(22, "invalid"),
    EMFILE(24, "too many open files"),
    ENOSYS(38, "this kernel has no such call"),
    EADDRINUSE(98, "address in use"),
    ENOTCONN(107, "not connected"),
    ECONNREFUSED(111, "nobody there");

    private final int number;
    private final String text;

    Errno(int number, String text) {
        this.number = number;
        this.text = text;
    }

    /** Whether a call's result is this failure. */
    boolean is(long result) {
        return result == -number;
    }

    /** For people: {@code EPERM, operation not permitted}. */
    static String text(long result) {
        return Arrays.stream(values())
                .filter(errno -> errno.is(result))
                .findFirst()
                .map(errno -> errno.name() + ", " + errno.text)
                .orElse("error " + -result);
    }
}

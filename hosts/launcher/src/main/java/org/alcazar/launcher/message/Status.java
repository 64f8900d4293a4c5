package org.alcazar.launcher.message;

/** Exit statuses of the program. Odd ones are the guest's own, through the debug-exit device. */
public final class Status {
    /** The guest powered off, or the command did what was asked. */
    public static final int OK = 0;

    /** Wrong usage or configuration. */
    public static final int USAGE = 2;

    /** The guest died. */
    public static final int DIED = 4;

    /** A fault of the VMM. */
    public static final int FAULT = 6;

    /** The guest reset itself under {@code --no-reboot}. */
    public static final int RESET = 8;

    /** The time given with {@code --timeout} was over. */
    public static final int TIMEOUT = 124;

    /** Ended by the user. */
    public static final int INTERRUPTED = 130;

    private Status() {}
}

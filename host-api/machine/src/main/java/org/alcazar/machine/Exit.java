package org.alcazar.machine;

/** Why {@link VirtualCore#run} returned. Plain ints: nothing is allocated on this path. */
public final class Exit {
    /**
     * An intercepted access to a space; see {@link ExitFrame#space}. The reply gives the value of a
     * read.
     */
    public static final int ACCESS = 0;

    /** An intercepted instruction, named by the architecture in {@link ExitFrame#code}. */
    public static final int INSTRUCTION = 1;

    /**
     * An intercepted exception: number in {@code code}, error code in {@code value}, address in
     * {@code address}.
     */
    public static final int FAULT = 2;

    /**
     * The second level of translation lacks the guest-physical {@code address} or a right to it.
     */
    public static final int TRANSLATION = 3;

    /** A hypercall; number and arguments lie in registers. */
    public static final int CALL = 4;

    /** The core halted with nothing to do. */
    public static final int IDLE = 5;

    /** The core can take an interrupt now, as asked with {@link ControlBlock#windowWanted}. */
    public static final int WINDOW = 6;

    /** {@link Requests#KICK} was posted. */
    public static final int KICK = 7;

    /** The budget of instructions is used up. */
    public static final int BUDGET = 8;

    /**
     * A debugger's breakpoint ({@link ControlBlock#breakpoints}): the instruction at the linear
     * {@code address} comes next.
     */
    public static final int DEBUG = 9;

    /** The core stopped for good, such as by a triple fault; a reason is in {@code code}. */
    public static final int SHUTDOWN = 10;

    /**
     * The core spins: it paused so often in a row as {@link ControlBlock#pauseCount} says. It takes
     * no reply; the pause comes first in the next run.
     */
    public static final int SPIN = 11;

    /** Count of reasons. */
    public static final int COUNT = 12;

    private static final String[] NAMES = {
        "access",
        "instruction",
        "fault",
        "translation",
        "call",
        "idle",
        "window",
        "kick",
        "budget",
        "debug",
        "shutdown",
        "spin"
    };

    private Exit() {}

    /** Lower-case name of a reason. */
    public static String name(int reason) {
        return NAMES[reason];
    }
}

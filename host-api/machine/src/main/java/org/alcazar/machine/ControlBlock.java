package org.alcazar.machine;

import java.util.Arrays;

/**
 * From what an engine runs a virtual core, and where it leaves the exit: the counterpart of a VMCB.
 * One belongs to each vcore; only that vcore's thread touches it while the core runs, but for
 * {@link #requests}, which anybody may post to.
 *
 * <p>Fields are public and primitive because they are read and written at every exit. The VMM
 * changes intercepts between runs only.
 */
public final class ControlBlock {
    /** Frames nest two deep: a symbiotic call is made from inside an exit. */
    public static final int MAX_DEPTH = 2;

    /** Instructions without a limit. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private final Architecture architecture;
    private final long[][] groups;
    private final ExitFrame[] frames = new ExitFrame[MAX_DEPTH];
    private final Requests requests = new Requests();

    /** Groups whose arrays hold the core's present values. */
    public long valid;

    /** Groups that the VMM has changed and that the engine loads at the next run. */
    public long dirty;

    /** Frame in use: 0 or 1. */
    public int depth;

    /** Guest instructions that the next run may retire, exactly; counted down by the engine. */
    public long budget = UNLIMITED;

    /**
     * Guest instructions retired by this core since power-on. The engine counts it on from what it
     * finds here; a VMM sets it for a restored core only.
     */
    public long retired;

    /** Ask for a {@link Exit#WINDOW} exit. */
    public boolean windowWanted;

    /**
     * Pauses (an instruction that says that the core spins, such as x86's PAUSE) in a row after
     * which the next one leaves with {@link Exit#SPIN}; 0: none ever does. As the VMCB's
     * PauseFilterCount (AMD64 APM volume 2, 15.14.4), but that the count goes on over exits: where
     * a core leaves depends on its instructions alone.
     */
    public int pauseCount;

    /**
     * Instructions between two pauses beyond which they are not in a row any more: as the VMCB's
     * PauseFilterThreshold, which counts cycles.
     */
    public int pauseThreshold;

    /**
     * How far the engine has counted: pauses that may still come, and {@link #retired} at the last
     * one. A VMM sets it for a restored core only.
     */
    public int pausesLeft;

    public long pausedAt = Long.MIN_VALUE;

    /** Intercepted ports; all of them by default. */
    public Ranges ports = Ranges.ALL;

    /** Intercepted model-specific registers, beyond those that the engine itself has. */
    public Ranges registers = Ranges.NONE;

    /** Intercepted feature leaves. */
    public Ranges features = Ranges.NONE;

    /** Intercepted exceptions, a bit for each number. */
    public long exceptions;

    /** Intercepted instructions and control-register accesses: bits named by the architecture. */
    public long instructions;

    /**
     * A debugger's breakpoints: guest-linear addresses in ascending order, none by default. The
     * core leaves with {@link Exit#DEBUG} before it executes an instruction at one of them; what
     * the guest has of breakpoints is not touched. Replaced as a whole, between runs only.
     */
    public long[] breakpoints = {};

    /**
     * The very next instruction is not compared with {@link #breakpoints}: how a debugger goes on
     * from one. The engine clears it once the core has retired an instruction or taken an event.
     */
    public boolean passBreakpoint;

    /**
     * Root of the second level (nested) or of the shadow tables: host-physical, in the
     * architecture's format.
     */
    public long translationRoot;

    /** One of {@link Translation}. */
    public Translation translation = Translation.NONE;

    /**
     * Where guest-physical memory lies, for an engine that looks through the guest's own tables
     * while {@link #translation} is {@link Translation#SHADOW} and no table tells: a debugger's
     * translations, page walks for people. It has no side effects and may be asked by any thread
     * that has the core stand still. By default host-physical addresses are the guest's.
     */
    public GuestPhysical guestPhysical = address -> address;

    public InterruptSource interrupts = InterruptSource.EMPTY;
    public TimeSource time = retired -> retired;

    public ControlBlock(Architecture architecture) {
        this.architecture = architecture;
        groups = new long[architecture.groups().size()][];
        for (RegisterGroup group : architecture.groups()) {
            groups[group.id()] = new long[group.words()];
        }
        for (int i = 0; i < MAX_DEPTH; i++) {
            frames[i] = new ExitFrame();
        }
    }

    public Architecture architecture() {
        return architecture;
    }

    /**
     * Array of a group; its meaning is the architecture's. Read only while {@link #valid}; after a
     * change set the bit in {@link #dirty}.
     */
    public long[] group(int id) {
        return groups[id];
    }

    /** The frame in use. */
    public ExitFrame frame() {
        return frames[depth];
    }

    public ExitFrame frame(int at) {
        return frames[at];
    }

    /** Whether a debugger's breakpoint is at a guest-linear address. */
    public boolean breaksAt(long address) {
        return breakpoints.length != 0 && Arrays.binarySearch(breakpoints, address) >= 0;
    }

    public Requests requests() {
        return requests;
    }
}

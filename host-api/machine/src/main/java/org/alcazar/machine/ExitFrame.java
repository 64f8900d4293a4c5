package org.alcazar.machine;

/**
 * The qualification of one exit and the reply to it, in primitive fields. The engine fills the
 * first group, the VMM the second before it runs the core again.
 *
 * <p>At an exit the guest's state is that before the instruction, or before the current repetition
 * of a string instruction. The engine finishes the instruction with the reply and repeats no
 * finished part of it.
 *
 * <p>A frame stays as the VMM leaves it until the core's next run at the same {@link
 * ControlBlock#depth}. IDLE, WINDOW, KICK, BUDGET, DEBUG, SHUTDOWN and SPIN take no reply. If the
 * VMM moves the program counter instead of replying, the engine forgets the access.
 */
public final class ExitFrame {
    /**
     * Reply to ACCESS: done, a read's value is in {@link #value}. To INSTRUCTION and CALL:
     * emulated, go on behind the instruction.
     */
    public static final int DONE = 0;

    /** Try the instruction again from its start: to TRANSLATION, the mapping is there now. */
    public static final int RETRY = 1;

    /**
     * Reply to TRANSLATION: no RAM is there; treat it as an access to the memory space, which exits
     * with ACCESS.
     *
     * <p>To FAULT under {@link Translation#SHADOW}: the page of the faulting address is a device at
     * guest-physical {@link #address}, for accesses by the {@link Rights} in {@link #code}, which
     * are those by the guest's tables (8 more if user accesses are allowed). This holds until
     * anything drops the page from a TLB. RETRY instead if the engine was invalidated since the
     * exit.
     */
    public static final int AS_ACCESS = 2;

    /**
     * The engine itself does what the architecture says, as if nothing had been intercepted: to a
     * FAULT, the exception is raised with the exit's own error code.
     */
    public static final int PROCEED = 3;

    /**
     * The instruction raises exception {@link #replyCode} with error code {@link #value}. To a page
     * fault under {@link Translation#SHADOW}, with a page fault: the engine sets the address that
     * the guest sees to that of the exit, and combines the two if the exit came from the delivery
     * of another exception; else an exception takes the place of the event under way.
     */
    public static final int RAISE = 4;

    /**
     * Reply to TRANSLATION, and to FAULT under {@link Translation#SHADOW}: the accesses that this
     * one instruction (of a repeated string instruction: this repetition) makes to the page with
     * the wanted right go to the page of RAM at host-physical address {@link #value}. Nothing of it
     * is kept once the instruction is done or has faulted. For writes to write-protected pages:
     * {@link RamPages.Listener}s hear of them after each store. Not for fetches. RETRY instead if
     * the engine was invalidated since the exit, for the page may be another's by now.
     */
    public static final int ONCE = 5;

    /** One of {@link Exit}. */
    public int reason;

    /** For ACCESS: one of {@link Space}. */
    public int space;

    /**
     * For ACCESS: address within the space. For TRANSLATION: guest-physical address. For FAULT: the
     * faulting address. For DEBUG: the instruction's, linear.
     */
    public long address;

    /**
     * For ACCESS and TRANSLATION, and FAULT under shadow tables: bytes; 1, 2, 4 or 8 for ACCESS.
     */
    public int size;

    /** For ACCESS and TRANSLATION, and FAULT under shadow tables: whether the guest writes. */
    public boolean write;

    /**
     * For ACCESS: the value written, or read (by the reply). Zero-extended. For CALL: the number.
     * For FAULT: the error code.
     */
    public long value;

    /**
     * For INSTRUCTION: which, FAULT: the exception's number, TRANSLATION: wanted {@link Rights},
     * SHUTDOWN: why.
     */
    public int code;

    /** Address of the instruction (linear, as the program counter shows it). */
    public long pc;

    /** Length of the instruction in bytes, 0 where not known. */
    public int length;

    /** One of the constants above. */
    public int reply;

    /** For {@link #RAISE}. */
    public int replyCode;
}

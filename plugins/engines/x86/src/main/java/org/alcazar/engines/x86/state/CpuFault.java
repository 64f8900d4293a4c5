package org.alcazar.engines.x86.state;

/**
 * An exception of the guest on its way from semantics to the run loop. Each core owns one instance:
 * no stack trace, no allocation.
 */
public final class CpuFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Instead of an exception's number: the core waits for an interrupt before the instruction. */
    public static final int FREEZE = -1;

    /** Exception number, 0 to 31, or {@link #FREEZE}. */
    public int vector;

    /** Whether the exception pushes {@link #errorCode}. */
    public boolean hasErrorCode;

    public int errorCode;

    CpuFault() {
        super("guest exception", null, false, false);
    }
}

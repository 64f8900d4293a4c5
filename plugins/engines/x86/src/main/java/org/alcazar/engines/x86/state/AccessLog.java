package org.alcazar.engines.x86.state;

/**
 * Device accesses of the instruction in progress that the VMM has completed. An instruction that
 * exits is executed from its start again when the reply is there; its n-th device access is then
 * answered from here instead of being repeated. Emptied when the instruction retires or faults.
 */
public final class AccessLog {
    private static final int MAX = 256;

    private final long[] values = new long[MAX];
    private int completed;
    private int next;

    /** An instruction starts (again): the first access is the next one asked for. */
    public void rewind() {
        next = 0;
    }

    /** Whether the next access was completed earlier. */
    public boolean hasNext() {
        return next < completed;
    }

    /** Value of the next access, which was completed earlier. */
    public long next() {
        return values[next++];
    }

    /** The reply to the access that exited. */
    public void complete(long value) {
        values[completed++] = value;
    }

    public void clear() {
        completed = 0;
        next = 0;
    }

    public boolean isEmpty() {
        return completed == 0;
    }
}

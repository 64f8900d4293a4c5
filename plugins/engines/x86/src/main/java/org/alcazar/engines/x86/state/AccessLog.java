package org.alcazar.engines.x86.state;

import java.util.Arrays;

/**
 * Device accesses of the instruction in progress that the VMM has completed. An instruction that
 * exits is executed from its start again when the reply is there; its n-th device access is then
 * answered from here instead of being repeated. Emptied when the instruction retires or faults.
 */
public final class AccessLog {
    /** More than most instructions make; saving all vector state to a device makes some more. */
    private static final int USUAL = 256;

    private long[] values = new long[USUAL];
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
        if (completed == values.length) {
            values = Arrays.copyOf(values, 2 * values.length);
        }
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

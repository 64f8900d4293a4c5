package org.alcazar.engines.x86.interpreter;

/**
 * Counts events that are delivered one after the other, without an instruction between them. A
 * handler that faults at its own first instruction retires nothing, for ever: beyond a number that
 * no healthy guest reaches, each such delivery is charged to the budget like an instruction.
 */
final class Deliveries {
    private static final int FREE = 16;

    private int inARow;
    private long retired;

    /** What the present run has charged to its budget. */
    long charged;

    /** Whether there may be no end to it. */
    boolean fruitless() {
        return inARow > FREE;
    }

    /** An event has been delivered. */
    void count(Core core) {
        if (core.retired != retired) {
            retired = core.retired;
            inARow = 0;
        } else if (++inARow > FREE && core.end != Long.MAX_VALUE) {
            core.end--;
            core.bound();
            charged++;
        }
    }
}

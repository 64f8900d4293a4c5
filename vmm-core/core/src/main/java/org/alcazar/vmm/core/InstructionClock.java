package org.alcazar.vmm.core;

import org.alcazar.machine.ControlBlock;

/**
 * Guest time is counted in guest instructions, a nanosecond each, plus the time that was skipped
 * while all vcores were idle. One vcore runs at a time, so the instructions of all add up.
 */
final class InstructionClock extends VmClock {
    /** Guest time when the present vcore had retired {@link #from} instructions. */
    private volatile long base;

    /** For all vcores: they have one thread. */
    private final TimerQueue timers = new TimerQueue(deadline -> {});

    private long from;
    private ControlBlock present;

    /**
     * @param first block of vcore 0
     */
    InstructionClock(long frequency, long epoch, ControlBlock first) {
        super(frequency, epoch);
        present = first;
        from = first.retired;
    }

    @Override
    public long nanos() {
        return base + present.retired - from;
    }

    @Override
    long nanosAt(long retired) {
        return base + retired - from;
    }

    /** Another vcore is about to run. */
    void select(ControlBlock block) {
        base = nanos();
        present = block;
        from = block.retired;
    }

    /** All vcores are idle: time jumps. */
    void skipTo(long nanos) {
        base += Math.max(0, nanos - nanos());
    }

    @Override
    TimerQueue timers(int vcore) {
        return timers;
    }

    @Override
    void settled(int vcore) {
        // The loop looks at the earliest deadline before each run.
    }

    @Override
    void halt() {
        // Instructions stop by themselves.
    }

    @Override
    void go() {
        // As above.
    }

    @Override
    void set(long nanos) {
        base = nanos;
        from = present.retired;
    }
}

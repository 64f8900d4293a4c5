package org.alcazar.devices.apic;

import org.alcazar.machine.SavedState;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;

/**
 * The timer of a local APIC (APM volume 2, 16.4.1), under the lock of its APIC. It is clocked with
 * 1 GHz, so that a tick of the divider is a guest nanosecond. The count is derived from the time at
 * which it began; it runs also while the entry is masked, but nothing is armed then.
 */
final class ApicTimer {
    /**
     * Expirations that follow each other faster merge, so that a guest can't keep the VMM busy with
     * them.
     */
    static final long SHORTEST_PERIOD = 10_000;

    private static final int DIVIDE_MASK = 0xb;

    private final GuestClock clock;
    private final GuestTimer timer;
    private final Runnable expired;

    private long initial;
    private int divideRegister;
    private boolean periodic;
    private boolean masked;

    /** Guest nanoseconds. */
    private long start;

    /**
     * Whether the count since {@link #start} has not ended in an expiration yet, or starts over at
     * each.
     */
    private boolean running;

    /** What {@link #timer} was armed for last. */
    private long deadline;

    ApicTimer(GuestClock clock, String name, Runnable expired) {
        this.clock = clock;
        this.expired = expired;
        timer = clock.timer(name, expired);
    }

    void reset() {
        initial = 0;
        divideRegister = 0;
        periodic = false;
        masked = true;
        start = 0;
        running = false;
        deadline = 0;
        timer.cancel();
    }

    long initial() {
        return initial;
    }

    int divideRegister() {
        return divideRegister;
    }

    /** 2 to 128 in powers of two, then 1: bits 0, 1 and 3. */
    private long divisor() {
        int code = divideRegister & 3 | divideRegister >> 1 & 4;
        return code == 7 ? 1 : 2L << code;
    }

    private long period() {
        return initial * divisor();
    }

    long current() {
        if (!running) {
            return 0;
        }
        long done = clock.nanos() - start;
        if (periodic) {
            return initial - done % period() / divisor();
        }
        return Math.max(0, initial - done / divisor());
    }

    void start(long count) {
        initial = count;
        start = clock.nanos();
        running = count != 0;
        arm();
    }

    void divide(int value) {
        settle();
        long left = current();
        divideRegister = value & DIVIDE_MASK;
        if (running) {
            start = clock.nanos() - (initial - left) * divisor();
        }
        arm();
    }

    void periodic(boolean on) {
        if (on != periodic) {
            settle();
            long left = current();
            periodic = on;
            running = running && left > 0;
            if (running) {
                start = clock.nanos() - (initial - left) * divisor();
            }
            arm();
        }
    }

    void masked(boolean on) {
        if (on != masked) {
            settle();
            masked = on;
            running = running && (periodic || current() > 0); // a count may end while masked
            arm();
        }
    }

    /**
     * Before the guest changes something: a count that has ended, but whose timer the VM has not
     * served yet, expires now, so that its interrupt is not lost.
     */
    private void settle() {
        if (running && !masked && !periodic && clock.nanos() - start >= period()) {
            expired.run();
        }
    }

    private void arm() {
        if (!running || masked) {
            timer.cancel();
        } else if (periodic) {
            long now = clock.nanos();
            long next = start + ((now - start) / period() + 1) * period();
            armFor(Math.max(next, now + SHORTEST_PERIOD));
        } else {
            // Maybe over already, if the count is short: it fires at once then.
            armFor(start + period());
        }
    }

    private void armFor(long when) {
        deadline = when;
        timer.arm(when);
    }

    /** The armed deadline has come. @return whether the count has really ended */
    boolean expired() {
        if (!running || masked || clock.nanos() - start < period()) {
            arm(); // reprogrammed meanwhile
            return false;
        }
        running = periodic;
        arm();
        return true;
    }

    SavedState save() {
        return new SavedState("local-apic-timer", 1)
                .put("initial", initial)
                .put("divide", divideRegister)
                .put("periodic", periodic)
                .put("masked", masked)
                .put("start", start)
                .put("running", running)
                .put("armed", timer.armed())
                .put("deadline", deadline);
    }

    void restore(SavedState state) {
        state.require("local-apic-timer", 1);
        initial = state.getLong("initial");
        divideRegister = state.getInt("divide") & DIVIDE_MASK;
        periodic = state.getBoolean("periodic");
        masked = state.getBoolean("masked");
        start = state.getLong("start");
        running = state.getBoolean("running") && initial != 0;
        timer.cancel();
        deadline = state.getLong("deadline");
        if (state.getBoolean("armed")) {
            timer.arm(deadline); // at once, if the time has come in between
        }
    }

    void close() {
        timer.close();
    }
}

package org.alcazar.devices.apic;

import org.alcazar.machine.SavedState;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;

/**
 * The timer of a local APIC (APM volume 2, 16.4.1; deadlines: Intel SDM volume 3, 11.5.4.1), under
 * the lock of its APIC. It is clocked with 1 GHz, so that a tick of the divider is a guest
 * nanosecond. The count is derived from the time at which it began; it runs also while the entry is
 * masked, but nothing is armed then.
 *
 * <p>What the VM's clock fires may come late, when the guest has reprogrammed the timer already:
 * {@link #expired} looks whether the count is over by what is programmed now.
 */
final class ApicTimer {
    /** Modes, as in the entry of the local vector table; 3 is reserved, and like one-shot here. */
    static final int ONE_SHOT = 0, PERIODIC = 1, DEADLINE = 2;

    /**
     * Expirations that follow each other faster merge, so that a guest can't keep the VMM busy with
     * them.
     */
    static final long SHORTEST_PERIOD = 10_000;

    static final int DIVIDE_MASK = 0xb;

    private final GuestClock clock;
    private final GuestTimer timer;
    private final Runnable expired;

    private long initial;
    private int divideRegister;
    private int mode;
    private boolean masked;

    /** Guest nanoseconds. */
    private long start;

    /**
     * Whether the count since {@link #start}, or the wait for {@link #ticks}, has not ended in an
     * expiration yet, or starts over at each.
     */
    private boolean running;

    /** The deadline, in ticks of the core's time-stamp counter. */
    private long ticks;

    /** The core's time-stamp counter is the VM's plus this. */
    private long offset;

    /** What {@link #timer} was armed for last. */
    private long deadline;

    ApicTimer(GuestClock clock, String name, Runnable expired) {
        this.clock = clock;
        this.expired = expired;
        timer = clock.timer(name, expired);
    }

    /** All but the offset of the time-stamp counter, which is the core's. */
    void reset() {
        initial = 0;
        divideRegister = 0;
        mode = ONE_SHOT;
        masked = true;
        start = 0;
        ticks = 0;
        deadline = 0;
        stop();
    }

    private void stop() {
        running = false;
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
        if (!running || mode == DEADLINE) {
            return 0;
        }
        long done = clock.nanos() - start;
        if (mode == PERIODIC) {
            return initial - done % period() / divisor();
        }
        return Math.max(0, initial - done / divisor());
    }

    /** A count begins, but for deadlines, which know none. */
    void start(long count) {
        if (mode == DEADLINE) {
            return;
        }
        settle();
        initial = count;
        start = clock.nanos();
        running = count != 0;
        arm();
    }

    /** A deadline; 0 is none. Without effect in other modes. */
    void startUntil(long counter) {
        if (mode == DEADLINE) {
            settle();
            ticks = counter;
            running = counter != 0;
            arm();
        }
    }

    /** The deadline; 0 once it has passed, and in other modes. */
    long deadline() {
        settle();
        return mode == DEADLINE && running ? ticks : 0;
    }

    /** The core's time-stamp counter has been moved. */
    void offset(long value) {
        if (value != offset) {
            settle();
            offset = value;
            if (mode == DEADLINE) {
                arm();
            }
        }
    }

    /** Whether a change of the time-stamp counter moves the end. */
    boolean followsCounter() {
        return mode == DEADLINE && running;
    }

    void divide(int value) {
        settle();
        long left = current();
        divideRegister = value & DIVIDE_MASK;
        goOn(left);
    }

    private void goOn(long left) {
        if (running && mode != DEADLINE) {
            start = clock.nanos() - (initial - left) * divisor();
        }
        arm();
    }

    /** What the timer's entry of the local vector table says. */
    void program(int newMode, boolean mask) {
        if (newMode != mode || mask != masked) {
            settle();
            masked = mask;
            change(newMode);
            arm();
        }
    }

    private void change(int newMode) {
        if (newMode == mode) {
            return;
        }
        if (newMode == DEADLINE || mode == DEADLINE) {
            initial = 0;
            ticks = 0;
            stop();
            mode = newMode;
            return;
        }
        long left = current();
        mode = newMode;
        running = running && left > 0;
        goOn(left);
    }

    /**
     * Before the guest changes something: a count that has ended, but whose timer the VM has not
     * served yet, expires now, so that its interrupt is not lost. One that has ended while masked
     * is over.
     */
    private void settle() {
        if (mode == PERIODIC || !due()) {
            return;
        }
        if (masked) {
            stop();
        } else {
            expired.run();
        }
    }

    private boolean due() {
        if (!running) {
            return false;
        }
        return mode == DEADLINE
                ? Long.compareUnsigned(counter(), ticks) >= 0
                : clock.nanos() - start >= period();
    }

    /** The core's time-stamp counter. */
    private long counter() {
        return GuestClock.ticks(clock.nanos(), clock.counterFrequency()) + offset;
    }

    private void arm() {
        if (!running || masked) {
            timer.cancel();
        } else if (mode == PERIODIC) {
            long now = clock.nanos();
            long next = start + ((now - start) / period() + 1) * period();
            armFor(Math.max(next, now + SHORTEST_PERIOD));
        } else if (mode == DEADLINE) {
            armForTicks();
        } else {
            // Maybe over already, if the count is short: it fires at once then.
            armFor(start + period());
        }
    }

    private void armForTicks() {
        long target = ticks - offset;
        if (due()) {
            armFor(clock.nanos());
        } else if (target < 0) {
            timer.cancel(); // in centuries
        } else {
            armFor(GuestClock.nanosOf(target, clock.counterFrequency()));
        }
    }

    private void armFor(long when) {
        deadline = when;
        timer.arm(when);
    }

    /** The armed deadline has come. @return whether the count has really ended */
    boolean expired() {
        if (masked || !due()) {
            arm(); // reprogrammed meanwhile
            return false;
        }
        running = mode == PERIODIC;
        arm();
        return true;
    }

    SavedState save() {
        return new SavedState("local-apic-timer", 2)
                .put("initial", initial)
                .put("divide", divideRegister)
                .put("mode", mode)
                .put("masked", masked)
                .put("start", start)
                .put("running", running)
                .put("ticks", ticks)
                .put("offset", offset)
                .put("armed", timer.armed())
                .put("deadline", deadline);
    }

    void restore(SavedState state) {
        state.require("local-apic-timer", 2);
        initial = state.getLong("initial");
        divideRegister = state.getInt("divide") & DIVIDE_MASK;
        mode = state.getInt("mode") & 3;
        masked = state.getBoolean("masked");
        start = state.getLong("start");
        ticks = state.getLong("ticks");
        offset = state.getLong("offset");
        running = state.getBoolean("running") && (mode == DEADLINE || initial != 0);
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

package org.alcazar.vmm.core;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.Requests;

import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Runs all vcores of a VM in turn on the instruction clock: a slice of instructions each, timers at
 * exactly their deadlines, input at full milliseconds of guest time, and a jump to the next
 * deadline when nobody has anything to do. A vcore that spins gives the rest of its turn away.
 * Equal input at equal points gives equal runs.
 */
final class InstructionThread extends VcoreThread {
    /** Instructions of a vcore before the next one's turn, if there are several. */
    private static final long SLICE = 20_000;

    /** Input enters at multiples of this guest time. */
    private static final long INPUT_SLOT = 1_000_000;

    private static final int BUSY = -1;
    private static final long NOT_BEGUN = -1;

    private final List<VcoreImpl> vcores;

    /** For each vcore the requests that wait, masked by the guest, since it went idle; or BUSY. */
    private final int[] idle;

    private final InstructionClock guestClock;
    private final TimerQueue timers;
    private final BooleanSupplier quiet = this::quiet;
    private volatile VcoreImpl present;

    /** Index of the vcore whose turn it is, and the guest time at which that ends. */
    private int turn;

    private long turnEnd = NOT_BEGUN;
    private long inputAt = Long.MAX_VALUE;

    InstructionThread(Vm vm, List<VcoreImpl> vcores, InstructionClock guestClock) {
        super("vcores", vm);
        this.vcores = vcores;
        this.idle = new int[vcores.size()];
        this.guestClock = guestClock;
        this.timers = guestClock.timers(0);
        this.present = vcores.getFirst();
        Arrays.fill(idle, BUSY);
    }

    @Override
    void loop() {
        int passed = 0;
        while (true) {
            VcoreImpl vcore = vcores.get(turn);
            if (runnable(vcore)) {
                passed = 0;
                present = vcore;
                guestClock.select(vcore.block());
                if (turnEnd == NOT_BEGUN) {
                    turnEnd = vcores.size() == 1 ? Long.MAX_VALUE : guestClock.nanos() + SLICE;
                }
                if (!slice(vcore)) {
                    return;
                }
            } else if (++passed == vcores.size()) {
                passed = 0;
                if (!allIdle()) {
                    return;
                }
            }
            turn = (turn + 1) % vcores.size();
            turnEnd = NOT_BEGUN;
        }
    }

    /** Whose turn it is and until when, for {@link #restore}. While the thread stands. */
    long[] save() {
        return new long[] {turn, turnEnd};
    }

    /** Goes on within a turn. While the thread stands and has not run yet. */
    void restore(long[] saved) {
        turn = (int) saved[0];
        turnEnd = saved[1];
        present = vcores.get(turn);
        guestClock.select(present.block());
    }

    /** A vcore's turn. @return false when the VM ends */
    private boolean slice(VcoreImpl vcore) {
        while (guestClock.nanos() < turnEnd) {
            if (!prepare(vcore)) {
                return false;
            }
            if (vcore.stopped()) {
                return true;
            }
            long limit = Math.min(Math.min(turnEnd, timers.earliest()), inputAt);
            long now = guestClock.nanos();
            if (barrier.wanted() || limit <= now) {
                continue;
            }
            vcore.block().budget = limit == Long.MAX_VALUE ? ControlBlock.UNLIMITED : limit - now;
            int before = pending(vcore);
            long retired = vcore.retired();
            idle[vcore.index()] = BUSY;
            vcore.looks();
            int reason = vcore.enter();
            if (reason == Exit.SPIN) {
                return true;
            }
            if (reason == Exit.IDLE) {
                int after = pending(vcore);
                // As in HostVcoreThread: what was there before and is there still is masked.
                if (after == 0 || after == before && vcore.retired() == retired) {
                    idle[vcore.index()] = after;
                    return true;
                }
            }
        }
        return true;
    }

    /** Barrier and events before a run. @return false when the VM ends */
    private boolean prepare(VcoreImpl vcore) {
        if ((vcore.requests().pending() & Requests.KICK) != 0) {
            vcore.requests().take(Requests.KICK);
        }
        if (barrier.wanted()) {
            settle(vcore);
            if (!barrier.park(name)) {
                return false;
            }
            Arrays.fill(idle, BUSY);
        }
        if (timers.earliest() <= guestClock.nanos()) {
            events.fireTimers(vcore);
        }
        takeInput(vcore);
        return true;
    }

    private void takeInput(VcoreImpl vcore) {
        if (!events.waiting()) {
            inputAt = Long.MAX_VALUE;
            return;
        }
        long now = guestClock.nanos();
        if (inputAt == Long.MAX_VALUE) {
            inputAt = (now + INPUT_SLOT - 1) / INPUT_SLOT * INPUT_SLOT;
        }
        if (now >= inputAt) {
            inputAt = Long.MAX_VALUE;
            events.takeInput(vcore);
        }
    }

    /** All vcores are idle: time jumps, or the thread sleeps. @return false when the VM ends */
    private boolean allIdle() {
        if (!prepare(present)) {
            return false;
        }
        long next = Math.min(timers.earliest(), inputAt);
        if (next == Long.MAX_VALUE) {
            vcores.stream().filter(vcore -> !vcore.stopped()).forEach(VcoreImpl::idles);
            sleep(Long.MAX_VALUE, quiet);
        } else if (!barrier.wanted()) {
            guestClock.skipTo(next);
        }
        return prepare(present);
    }

    private boolean runnable(VcoreImpl vcore) {
        int since = idle[vcore.index()];
        return !vcore.stopped() && (since == BUSY || pending(vcore) != since || vcore.woken());
    }

    /**
     * What an engine posts for itself may come from its translator, at any time, and waits for the
     * core's next run: what its idle core is to see it says by waking it.
     */
    private static int pending(VcoreImpl vcore) {
        return vcore.requests().pending() & ~(Requests.KICK | Requests.ENGINE);
    }

    private boolean quiet() {
        if ((present.requests().pending() & Requests.KICK) != 0 || events.waiting()) {
            return false;
        }
        for (VcoreImpl vcore : vcores) {
            if (runnable(vcore)) {
                return false;
            }
        }
        return true;
    }

    @Override
    VcoreImpl current() {
        return present;
    }
}

package org.alcazar.vmm.core;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.Requests;

import java.util.function.BooleanSupplier;

/** Runs one vcore on the host's time, and fires its timers. That of vcore 0 also delivers input. */
final class HostVcoreThread extends VcoreThread {
    private final VcoreImpl vcore;
    private final Requests requests;
    private final boolean first;
    private final VmClock guestClock;
    private final TimerQueue timers;
    private final BooleanSupplier quiet = this::quiet;
    private final BooleanSupplier unkicked = this::unkicked;

    /** A timer of this vcore may be due. */
    private volatile boolean due;

    /** What was pending, and how far the core was, when it last had nothing to do. */
    private int idlePending = -1;

    private long idleRetired = -1;

    HostVcoreThread(Vm vm, VcoreImpl vcore) {
        super("vcore" + vcore.index(), vm);
        this.vcore = vcore;
        this.requests = vcore.requests();
        this.first = vcore.index() == 0;
        this.guestClock = vm.vmClock();
        this.timers = guestClock.timers(vcore.index());
    }

    @Override
    void loop() {
        ControlBlock block = vcore.block();
        while (true) {
            if ((requests.pending() & Requests.KICK) != 0) {
                requests.take(Requests.KICK);
            }
            if (barrier.wanted()) {
                settle(vcore);
                if (!barrier.park(name)) {
                    return;
                }
            }
            if (eventful()) {
                deliver();
                if (barrier.wanted()) {
                    continue;
                }
            }
            if (vcore.stopped()) {
                rest();
                continue;
            }
            block.budget = ControlBlock.UNLIMITED;
            int reason = vcore.enter();
            if (reason == Exit.IDLE) {
                idle(block);
            } else if (reason == Exit.SPIN) {
                // Whoever it waits for may be a vcore that has no processor.
                processors.yield();
            }
        }
    }

    /** A timer is due. Any thread. */
    void timersDue() {
        due = true;
        kick();
    }

    private boolean eventful() {
        return due || first && events.attention();
    }

    private void deliver() {
        due = false;
        if (events.fireTimers(vcore)) {
            due = true;
        }
        if (first) {
            events.takeInput(vcore);
        }
    }

    /** Sleeps while it is stopped, but for barrier and events: both come with a kick. */
    private void rest() {
        sleep(Long.MAX_VALUE, unkicked);
    }

    private boolean unkicked() {
        return (requests.pending() & Requests.KICK) == 0 && !eventful();
    }

    /**
     * A request that came while the core went idle deserves another look; one that is there at the
     * second look too is masked by the guest.
     */
    private void idle(ControlBlock block) {
        int pending = requests.pending();
        if (pending != 0 && (pending != idlePending || block.retired != idleRetired)) {
            idlePending = pending;
            idleRetired = block.retired;
            return;
        }
        idlePending = pending;
        idleRetired = block.retired;
        long deadline = timers.earliest();
        if (deadline == Long.MAX_VALUE) {
            if (nothingToCome()) {
                vcore.idles();
            }
            sleep(Long.MAX_VALUE, quiet);
            return;
        }
        long left = deadline - guestClock.nanos();
        if (left > 0) {
            sleep(left, quiet);
        }
        if (guestClock.nanos() >= deadline) {
            due = true;
        }
    }

    private boolean nothingToCome() {
        for (int i = 0; i < vm.vcoreCount(); i++) {
            if (guestClock.timers(i).earliest() != Long.MAX_VALUE) {
                return false;
            }
        }
        return quiet() && !events.waiting();
    }

    private boolean quiet() {
        return requests.pending() == idlePending && !eventful();
    }

    @Override
    VcoreImpl current() {
        return vcore;
    }
}

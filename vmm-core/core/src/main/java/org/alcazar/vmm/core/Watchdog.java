package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Looks after the threads of vcores: one that stays in a call to a device or extension for too
 * long, or in an engine although it was kicked, fails its VM. Costs a look per vcore and interval,
 * and nothing on the vcores' side.
 */
final class Watchdog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
    private static final long INTERVAL = 500_000_000;

    /**
     * Where a thread was when it was last seen to move, and how often it has been looked at since:
     * looks count and not time alone, as the whole process may have been stopped.
     */
    private record Seen(long progress, long since, long looks) {
        Seen again() {
            return new Seen(progress, since, looks + 1);
        }
    }

    private final Vmm vmm;
    private final HostClock clock;
    private final StuckCalls stuck;
    private Optional<HostTimer> timer = Optional.empty();
    private Map<VcoreThread, Seen> last = new HashMap<>();

    Watchdog(Vmm vmm, HostClock clock, StuckCalls stuck) {
        this.vmm = vmm;
        this.clock = clock;
        this.stuck = stuck;
    }

    /** There is a VM to look after. */
    synchronized void begin() {
        if (timer.isEmpty()) {
            HostTimer made = clock.timer("watchdog", this::look);
            timer = Optional.of(made);
            armOrForget(made);
        }
    }

    private synchronized void look() {
        try {
            Map<VcoreThread, Seen> now = new HashMap<>();
            for (Vm vm : vmm.living()) {
                if (vm.machine().console().isInHost()) {
                    continue; // a terminal that is stopped holds its VM back, and does it no harm
                }
                for (VcoreThread thread : vm.machine().threads()) {
                    look(vm, thread, now);
                }
            }
            last = now;
            stuck.forgetThoseBack();
        } finally {
            timer.ifPresent(this::goOn);
        }
    }

    /** VMs run as well without; but parts that hang are not found any more, which must be known. */
    private void goOn(HostTimer made) {
        try {
            armOrForget(made);
        } catch (RuntimeException e) {
            LOG.error("nobody looks after hanging parts until the next VM is made: {}", e, e);
        }
    }

    /** A timer that the host does not arm is of no use: the next VM gets another one. */
    private void armOrForget(HostTimer made) {
        boolean armed = false;
        try {
            made.arm(clock.nanoTime() + INTERVAL);
            armed = true;
        } finally {
            if (!armed) {
                timer = Optional.empty();
                made.close();
            }
        }
    }

    private void look(Vm vm, VcoreThread thread, Map<VcoreThread, Seen> now) {
        if (!thread.owesReturn()) {
            return;
        }
        long progress = thread.progress();
        Seen before = last.get(thread);
        if (before == null || before.progress != progress) {
            now.put(thread, new Seen(progress, clock.nanoTime(), 0));
        } else if (before.looks * INTERVAL < vm.configuration().callLimit()) {
            now.put(thread, before.again());
        } else {
            giveUp(vm, thread, before);
        }
    }

    private void giveUp(Vm vm, VcoreThread thread, Seen since) {
        VcoreImpl vcore = thread.current();
        String what = vcore.doing();
        vm.stuck(vcore, thread.trace());
        thread.interrupt();
        stuck.add(vm, what, since.since, thread::done);
    }

    /** There is nothing to look after any more. */
    @Override
    public void close() {
        Optional<HostTimer> last;
        synchronized (this) {
            last = timer;
            timer = Optional.empty();
        }
        last.ifPresent(HostTimer::close);
    }
}

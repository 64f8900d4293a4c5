package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;

/** Wall time of a VM by phase, in nanoseconds. */
final class Phases {
    private final HostClock clock;
    private final long born;
    private long create;
    private long load;
    private long run;
    private long since;
    private boolean runs;
    private int resets;

    Phases(HostClock clock) {
        this.clock = clock;
        this.born = clock.nanoTime();
    }

    synchronized void created() {
        create = clock.nanoTime() - born;
    }

    synchronized void loaded() {
        load = clock.nanoTime() - born - create;
    }

    synchronized void running() {
        since = clock.nanoTime();
        runs = true;
    }

    synchronized void standing() {
        run = run();
        runs = false;
    }

    synchronized void reset() {
        resets++;
    }

    synchronized long create() {
        return create;
    }

    synchronized long load() {
        return load;
    }

    synchronized long run() {
        return runs ? run + clock.nanoTime() - since : run;
    }

    synchronized int resets() {
        return resets;
    }
}

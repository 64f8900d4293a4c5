package org.alcazar.vmm.core;

/** How long a thread has slept, with the sleep it may be in. Any thread asks. */
final class IdleTime {
    private static final long AWAKE = Long.MIN_VALUE;

    private long before;
    private long since = AWAKE;

    /** In nanoseconds of the host's clock, as all here. */
    synchronized void begins(long now) {
        since = now;
    }

    synchronized void ends(long now) {
        before += now - since;
        since = AWAKE;
    }

    synchronized long total(long now) {
        return since == AWAKE ? before : before + Math.max(0, now - since);
    }
}

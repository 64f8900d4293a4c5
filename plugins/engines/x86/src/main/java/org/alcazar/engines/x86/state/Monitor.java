package org.alcazar.engines.x86.state;

import org.alcazar.host.HostRam;

/**
 * The line of memory that MONITOR names and MWAIT waits for (APM volume 3, MONITOR). A store to it
 * between the two is seen by comparing what is there; one during the wait by whoever watches its
 * page. Waits may end for no reason, so a page for a line, and comparing at last, are good enough.
 */
public final class Monitor {
    /** Bytes of a line, as CPUID says. */
    public static final int LINE = 64;

    private static final long NONE = -1;
    private static final long PAGE = -4096;

    private final long[] seen = new long[LINE / 8];

    private long line = NONE;

    /** The page that is waited for; other threads read it. */
    private volatile long page = NONE;

    /** A store to the page was seen during the wait; other threads set it. */
    private volatile boolean hit;

    /** Whether interrupts that are masked end the wait too. */
    public boolean anyInterrupt;

    /**
     * MONITOR.
     *
     * @param hpa host-physical address in the line, or -1 for none that can be watched
     */
    public void arm(long hpa) {
        page = NONE;
        line = hpa < 0 ? NONE : hpa & -LINE;
        for (int i = 0; line != NONE && i < seen.length; i++) {
            seen[i] = HostRam.getLongVolatile(line + 8 * i);
        }
    }

    /** Whether a wait makes sense: there is a line, and it is as MONITOR saw it. */
    public boolean quiet() {
        for (int i = 0; line != NONE && i < seen.length; i++) {
            if (seen[i] != HostRam.getLongVolatile(line + 8 * i)) {
                return false;
            }
        }
        return line != NONE;
    }

    /** The page to watch, from now on; it is to be protected next. */
    public long begin() {
        hit = false;
        page = line & PAGE;
        return page;
    }

    /** Whether {@link #begin} was called for this wait. */
    public boolean watching() {
        return page != NONE;
    }

    /** Whether the wait is over. */
    public boolean over() {
        return hit || !quiet();
    }

    /** Neither MONITOR nor MWAIT are in effect any more. */
    public void end() {
        page = NONE;
        line = NONE;
    }

    /**
     * The line may lie elsewhere now, so that a wait could miss its store: ends it. The core
     * stands.
     *
     * @return whether it waits now
     */
    public boolean lose() {
        hit = true;
        if (page == NONE) {
            line = NONE;
        }
        return page != NONE;
    }

    /** From any thread: whether a page is waited for. */
    public boolean waitsFor(long hpaPage) {
        return page == hpaPage;
    }

    /** From any thread: a store to the page was seen. */
    public void written() {
        hit = true;
    }
}

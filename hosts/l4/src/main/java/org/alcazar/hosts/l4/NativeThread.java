package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;

/** A thread of a native program: the micro-kernel's, and its state while it is not in the core. */
final class NativeThread {
    /** What it is about, beside what its {@link Tcb#state} says. */
    enum Wait {
        NOTHING,
        /** A system call of IPC. */
        IPC,
        /** The answer of its pager. */
        PAGER,
        /** Console input. */
        INPUT,
        /** Room for console output. */
        OUTPUT
    }

    final Tcb tcb;
    final UserCore.Context context;
    final NativeSpace space;

    /** Place among the program's threads. */
    final int index;

    /** Host-physical address of the page with its message registers. */
    final long utcb;

    /** For its page faults, which must not disturb its message registers. */
    final long[] faultMessage = new long[HostExitPortal.WORDS];

    final long[] userMessage;

    Wait wait = Wait.NOTHING;

    /** Who hears of its page faults. */
    long pager;

    /** Instructions that it runs at once. */
    long slice;

    long sendUntil;
    long receiveNanos;
    long receiveUntil;

    /** Where input goes. */
    long inputAt;

    long inputBytes;

    /** Where output comes from. */
    long outputAt;

    long outputBytes;

    /** Those of them that are on their way. */
    long outputDone;

    NativeThread(
            Tcb tcb,
            UserCore.Context context,
            NativeSpace space,
            int index,
            long utcb,
            long pager,
            long slice) {
        this.tcb = tcb;
        this.context = context;
        this.space = space;
        this.index = index;
        this.utcb = utcb;
        this.pager = pager;
        this.slice = slice;
        userMessage = tcb.registers;
    }
}

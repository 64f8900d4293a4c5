package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.jspecify.annotations.Nullable;

/**
 * A thread control block. Guarded by the kernel's lock, but for what is marked otherwise. What a
 * thread does while it neither sends nor waits is not the micro-kernel's matter: a thread of the
 * JVM runs it, or a native program's core.
 */
final class Tcb {
    /** What a thread is about. */
    static final int RUNNING = 0;

    static final int SENDING = 1;
    static final int RECEIVING = 2;
    static final int DEAD = 3;

    final long id;
    final AddressSpace space;
    final String name;

    /** One of the above. Written with the lock held; a waiting thread reads it without. */
    volatile int state = RUNNING;

    /** Its message registers (X.2, 5.1). */
    long[] registers = new long[HostExitPortal.WORDS];

    /** Where pages that it is sent may appear (X.2, 5.1: acceptor). */
    long window = Flexpage.COMPLETE;

    /** Whom its last message came from. */
    long sender;

    /** One of {@link IpcError}, of the last operation. */
    int error;

    /** Whom it sends to. */
    @Nullable Tcb destination;

    /** Whether a wait follows the sending, and for whom. */
    boolean thenReceives;

    long receivesFrom;

    /** It will not wait any more: it is to end. */
    boolean closing;

    /** Senders that wait for it, oldest first. */
    @Nullable Tcb firstSender;

    @Nullable Tcb lastSender;
    @Nullable Tcb nextSender;

    /** The JVM's thread that waits for {@link #state}; set by that thread before it may wait. */
    volatile @Nullable Thread runner;

    /** Whether it is asleep, or about to be. */
    volatile boolean parked;

    Tcb(long id, AddressSpace space, String name) {
        this.id = id;
        this.space = space;
        this.name = name;
    }

    boolean accepts(Tcb from) {
        return state == RECEIVING && (receivesFrom == ThreadIds.ANY || receivesFrom == from.id);
    }

    void enqueue(Tcb from) {
        from.nextSender = null;
        Tcb last = lastSender;
        if (last == null) {
            firstSender = from;
        } else {
            last.nextSender = from;
        }
        lastSender = from;
    }

    /** Takes a sender out of the queue; nothing if it is not there. */
    void dequeue(Tcb from) {
        Tcb before = null;
        for (Tcb at = firstSender; at != null; at = at.nextSender) {
            if (at == from) {
                if (before == null) {
                    firstSender = from.nextSender;
                } else {
                    before.nextSender = from.nextSender;
                }
                if (lastSender == from) {
                    lastSender = before;
                }
                from.nextSender = null;
                return;
            }
            before = at;
        }
    }

    /** The oldest sender that it would hear. */
    @Nullable Tcb waitingSender(long from) {
        for (Tcb at = firstSender; at != null; at = at.nextSender) {
            if (from == ThreadIds.ANY || from == at.id) {
                return at;
            }
        }
        return null;
    }

    /** Wakes the JVM's thread if it sleeps; the state is set already. Any thread. */
    void wake() {
        if (parked) {
            java.util.concurrent.locks.LockSupport.unpark(runner);
        }
    }

    @Override
    public String toString() {
        return "%s (%x.%x)".formatted(name, ThreadIds.number(id), ThreadIds.version(id));
    }
}

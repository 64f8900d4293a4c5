package org.alcazar.hosts.minix;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * One incarnation of a server as the kernel sees it: its endpoint, the queue of callers, the
 * pending notifications. A dead one refuses for ever; the server's next incarnation has another.
 */
final class Mailbox {
    /** {@code minix/endpoint.h}: the generation lies above the process number. */
    private static final int GENERATION_SHIFT = 15;

    /** The server was killed, by the shutdown of the machine. */
    static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("shut down", null, false, false);
        }
    }

    private final int endpoint;

    /** Callers that have come, the last first; CLOSED after the death. */
    private final AtomicReference<Caller> arrived = new AtomicReference<>(Caller.NONE);

    private final AtomicLong notifications = new AtomicLong();

    /** Callers in their order. The server's thread alone. */
    private Caller queue = Caller.NONE;

    private volatile @Nullable Thread sleeper;

    Mailbox(int generation, int number) {
        endpoint = (generation << GENERATION_SHIFT) + number;
    }

    int endpoint() {
        return endpoint;
    }

    int generation() {
        return endpoint >> GENERATION_SHIFT;
    }

    /** Queues a caller; false if the server is dead. */
    boolean offer(Caller caller) {
        Caller last;
        do {
            last = arrived.get();
            if (last == Caller.CLOSED) {
                return false;
            }
            caller.next = last;
        } while (!arrived.compareAndSet(last, caller));
        wake();
        return true;
    }

    /** Makes notifications pending; a second one of a kind adds nothing, as in MINIX. */
    void notify(long sources) {
        notifications.accumulateAndGet(sources, (a, b) -> a | b);
        wake();
    }

    long takeNotifications() {
        return notifications.getAndSet(0);
    }

    /**
     * The next caller, or {@link Caller#NONE} where notifications are pending: they come first.
     *
     * @throws Killed when the machine is shut down
     */
    Caller receive() {
        while (true) {
            if (notifications.get() != 0) {
                return Caller.NONE;
            }
            if (queue == Caller.NONE) {
                fill();
            }
            if (queue != Caller.NONE) {
                Caller first = queue;
                queue = first.next;
                return first;
            }
            idle();
        }
    }

    /** Takes all that have come, in the order in which they came. */
    private void fill() {
        Caller last = arrived.get();
        while (last != Caller.NONE) {
            if (last == Caller.CLOSED) {
                throw new Killed();
            }
            if (arrived.compareAndSet(last, Caller.NONE)) {
                reverse(last);
                return;
            }
            last = arrived.get();
        }
    }

    private void reverse(Caller last) {
        for (Caller caller = last; caller != Caller.NONE; ) {
            Caller before = caller.next;
            caller.next = queue;
            queue = caller;
            caller = before;
        }
    }

    private boolean nothing() {
        return arrived.get() == Caller.NONE && notifications.get() == 0;
    }

    private void idle() {
        for (int i = 0; i < Caller.SPINS && nothing(); i++) {
            Thread.onSpinWait();
        }
        if (nothing()) {
            sleeper = Thread.currentThread();
            if (nothing()) {
                LockSupport.park(this);
            }
            sleeper = null;
        }
    }

    private void wake() {
        Thread thread = sleeper;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** Nobody is queued any more; who has come and was not received learns of the death. */
    void kill() {
        Caller last = arrived.getAndSet(Caller.CLOSED);
        while (last != Caller.NONE && last != Caller.CLOSED) {
            Caller before = last.next; // it may call again as soon as it knows
            last.serverDied();
            last = before;
        }
        wake();
    }

    /** The server's thread ends: who waits in its queue learns of the death. */
    void abandon() {
        kill();
        while (queue != Caller.NONE) {
            Caller first = queue;
            queue = first.next;
            first.serverDied();
        }
    }
}

package org.alcazar.hosts.minix;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A slot of the process table on its calling side: one request at a time, and the wait for its
 * reply. Waiting spins a moment, for a server that is at work on another processor, then parks.
 */
final class Caller {
    /** The end of a queue. */
    static final Caller NONE = new Caller(-1);

    /** What stands for a dead server's queue. */
    static final Caller CLOSED = new Caller(-2);

    /** About ten microseconds; with one processor nothing would change meanwhile. */
    static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 400 : 0;

    private static final int WAITING = 0;
    private static final int REPLIED = 1;
    private static final int DEAD = 2;

    /** The request, then the reply. The kernel touches it only while this waits. */
    final Message message = new Message();

    /** The next in the kernel's queue of callers. */
    Caller next = this;

    /** How many servers have died of this request; the kernel writes it while this waits. */
    private int deaths;

    /** Of requests that must not be done twice. */
    long sequence;

    private final int number;
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile int state;
    private volatile @Nullable Thread sleeper;

    /**
     * @param number of the process
     */
    Caller(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Takes the slot for a call. */
    boolean claim() {
        boolean free = !busy.get() && busy.compareAndSet(false, true);
        if (free) {
            deaths = 0;
        }
        return free;
    }

    int deaths() {
        return deaths;
    }

    void release() {
        busy.set(false);
    }

    /** Before the request is queued. */
    void prepare() {
        message.source = number;
        state = WAITING;
    }

    /** Waits for the reply: its type, or {@link Message#EDEADSRCDST} if the server died. */
    int await() {
        for (int i = 0; i < SPINS && state == WAITING; i++) {
            Thread.onSpinWait();
        }
        if (state == WAITING) {
            sleeper = Thread.currentThread();
            while (state == WAITING) {
                LockSupport.park(this);
            }
            sleeper = null;
        }
        return state == DEAD ? Message.EDEADSRCDST : message.type;
    }

    /** The reply is in the message. */
    void replied() {
        end(REPLIED);
    }

    /** There will be no reply; the message is as it was sent. */
    void serverDied() {
        end(DEAD);
    }

    /** The same; the server died of this request. */
    void killedServer() {
        deaths++;
        end(DEAD);
    }

    private void end(int how) {
        state = how;
        Thread thread = sleeper;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}

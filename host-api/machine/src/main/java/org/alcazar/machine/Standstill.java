package org.alcazar.machine;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Has all cores of a machine stand still while one thread does what nobody may see the middle of:
 * change translations, or an atomic access that the host has no instruction for. One for each
 * engine, with a {@link Party} for each core.
 *
 * <p>A core stands while it is outside {@code run}, inside an access to a device (or any other call
 * out of the engine), and while it waits here. It moves in between, and only then uses guest memory
 * and translations. A moving core is asked to stand by {@link Requests#ENGINE}. Since whoever waits
 * for a device's lock, for an answer of the VMM or for this very object stands, {@link #begin}
 * waits for nothing but guest code on its way to the end of its block.
 *
 * <p>A core that has stood finds all translations changed, maybe: what it has looked up before is
 * stale.
 */
public final class Standstill {
    /** How often to look before the thread sleeps. */
    private static final int SPINS = 1000;

    /** Fair, so that a core gets on between two standstills of another one. */
    private final ReentrantLock lock = new ReentrantLock(true);

    private final CopyOnWriteArrayList<Party> parties = new CopyOnWriteArrayList<>();

    /** Who has, or is about to have, the cores stand. */
    private volatile @Nullable Thread holder;

    /** The holder's own core if it moved before. Guarded by {@link #lock}. */
    private @Nullable Party own;

    /** A core, which stands. */
    public Party join(Requests requests) {
        Party party = new Party(requests);
        parties.add(party);
        return party;
    }

    /**
     * Returns when all cores stand; they do until {@link #end}. The caller's own core, if it moves,
     * stands meanwhile too, and others may have their turn first: its translations may have changed
     * when this returns. Calls nest. The caller must not hold a lock that a moving core may wait
     * for.
     */
    public void begin() {
        Party mine = moving(Thread.currentThread());
        if (mine != null) {
            mine.stand();
        }
        lock.lock();
        if (lock.getHoldCount() > 1) {
            return;
        }
        own = mine;
        holder = Thread.currentThread();
        for (Party party : parties) {
            if (party.moving) {
                party.requests.post(Requests.ENGINE);
            }
        }
        for (Party party : parties) {
            party.await();
        }
    }

    /** The cores go on. */
    public void end() {
        if (lock.getHoldCount() > 1) {
            lock.unlock();
            return;
        }
        Party mine = own;
        own = null;
        holder = null;
        lock.unlock();
        if (mine != null) {
            mine.go();
        }
    }

    private @Nullable Party moving(Thread thread) {
        for (Party party : parties) {
            if (party.thread == thread && party.moving) {
                return party;
            }
        }
        return null;
    }

    /** A core's part. All but {@link #moves} is for the core's own thread. */
    public final class Party {
        private final Requests requests;
        private volatile boolean moving;
        private volatile @Nullable Thread thread;

        private Party(Requests requests) {
            this.requests = requests;
        }

        /**
         * From now on memory and translations are used. Waits while somebody has the cores stand.
         */
        public void go() {
            if (thread != Thread.currentThread()) {
                thread = Thread.currentThread();
            }
            moving = true;
            if (holder != null) {
                pause();
            }
        }

        /** From now on they are not; has the ordering of a full fence. */
        public void stand() {
            moving = false;
            Thread waiting = holder;
            if (waiting != null) {
                LockSupport.unpark(waiting);
            }
        }

        /** Stands as long as somebody wants it, when {@link Requests#ENGINE} was posted. */
        public void pause() {
            for (Thread other = holder;
                    other != null && other != Thread.currentThread();
                    other = holder) {
                stand();
                lock.lock();
                lock.unlock();
                moving = true;
            }
        }

        /** Whether the core may be using memory and translations now; from any thread. */
        public boolean moves() {
            return moving;
        }

        /** The core is gone. */
        public void leave() {
            stand();
            parties.remove(this);
        }

        private void await() {
            for (int i = 0; moving; i++) {
                if (i < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(Standstill.this);
                }
            }
        }
    }
}

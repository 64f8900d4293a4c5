package org.alcazar.paging.shadow;

import org.alcazar.machine.RamPages;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The lock of a VM's shadow tables, with a list of guest tables that were written. Who writes must
 * not wait: whoever holds the lock may wait for the writer's core to stand still. So the writer
 * puts the page on the list, and whoever has the lock, or takes it next, works it off before the
 * lock is free again.
 */
final class PagerLock {
    /** Works off pages; the lock is held. */
    interface Worker {
        /**
         * @param page host-physical, or -1: any page may have been written
         */
        void written(long page);
    }

    private static final int ROOM = 256;

    private final ReentrantLock lock = new ReentrantLock();
    private final long[] list = new long[ROOM];
    private final long[] work = new long[ROOM];
    private volatile int listed;
    private boolean overflown;
    private final Worker worker;

    PagerLock(Worker worker) {
        this.worker = worker;
    }

    void take() {
        lock.lock();
    }

    void give() {
        do {
            settle();
            lock.unlock();
        } while (listed != 0 && !lock.isHeldByCurrentThread() && lock.tryLock());
    }

    /** Works the list off. With the lock held. */
    void settle() {
        while (listed != 0) {
            int count;
            synchronized (list) {
                count = overflown ? 0 : listed;
                System.arraycopy(list, 0, work, 0, count);
                listed = 0;
                overflown = false;
            }
            if (count == 0) {
                worker.written(-1);
            }
            for (int i = 0; i < count; i++) {
                worker.written(work[i]);
            }
        }
    }

    /** A {@link RamPages.Listener}. */
    void written(long page, int flags) {
        if ((flags & RamPages.TABLE) == 0) {
            return;
        }
        synchronized (list) {
            int last = listed;
            if (last == ROOM) {
                overflown = true;
            } else if (last == 0 || list[last - 1] != page) {
                list[last] = page;
                listed = last + 1;
            }
        }
        if (!lock.isHeldByCurrentThread() && lock.tryLock()) {
            give();
        }
    }
}

package org.alcazar.vmm.core;

import org.alcazar.vmm.GuestTimer;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * Timers on guest time in a binary heap. Arming and cancelling allocate nothing. Equal deadlines
 * fire in the order of arming.
 */
final class TimerQueue {
    private @Nullable Timer[] heap = new @Nullable Timer[16];
    private int size;
    private int timers;
    private long sequence;
    private volatile long earliest = Long.MAX_VALUE;

    /** Hears that the earliest deadline is earlier now. */
    @FunctionalInterface
    interface Driver {
        void earlier(long deadline);
    }

    private final Driver driver;

    TimerQueue(Driver driver) {
        this.driver = driver;
    }

    /**
     * @param guard is held while the action runs
     */
    synchronized Timer add(String name, Object guard, Runnable action) {
        timers++;
        if (timers > heap.length) {
            heap = Arrays.copyOf(heap, 2 * heap.length);
        }
        return new Timer(name, guard, action);
    }

    /** The earliest deadline, or {@link Long#MAX_VALUE}. */
    long earliest() {
        return earliest;
    }

    /** Takes the next timer that is due, or null. */
    synchronized @Nullable Timer poll(long now) {
        if (size == 0) {
            return null;
        }
        Timer first = at(0);
        if (first.deadline > now) {
            return null;
        }
        remove(first);
        return first;
    }

    private synchronized boolean arm(Timer timer, long deadline) {
        if (timer.closed) {
            return false;
        }
        if (timer.index >= 0) {
            remove(timer);
        }
        timer.deadline = deadline;
        if (timer.held) {
            timer.waits = true;
            return false;
        }
        timer.sequence = sequence++;
        timer.index = size;
        heap[size++] = timer;
        up(timer.index);
        boolean first = heap[0] == timer;
        earliest = at(0).deadline;
        return first;
    }

    private synchronized void hold(Timer timer) {
        if (timer.held) {
            return;
        }
        timer.waits = timer.index >= 0;
        timer.held = true;
        if (timer.waits) {
            remove(timer);
        }
    }

    /**
     * @return whether the earliest deadline is earlier now
     */
    private synchronized boolean release(Timer timer) {
        timer.held = false;
        boolean waits = timer.waits;
        timer.waits = false;
        return waits && arm(timer, timer.deadline);
    }

    private synchronized void cancel(Timer timer) {
        timer.waits = false;
        if (timer.index >= 0) {
            remove(timer);
        }
    }

    private synchronized void close(Timer timer) {
        cancel(timer);
        if (!timer.closed) {
            timer.closed = true;
            timers--;
        }
    }

    private void remove(Timer timer) {
        int hole = timer.index;
        timer.index = -1;
        Timer last = at(--size);
        heap[size] = null;
        if (last != timer) {
            heap[hole] = last;
            last.index = hole;
            up(hole);
            down(last.index);
        }
        earliest = size == 0 ? Long.MAX_VALUE : at(0).deadline;
    }

    private void up(int from) {
        int i = from;
        while (i > 0 && at(i).before(at((i - 1) / 2))) {
            swap(i, (i - 1) / 2);
            i = (i - 1) / 2;
        }
    }

    private void down(int from) {
        int i = from;
        while (true) {
            int child = 2 * i + 1;
            if (child >= size) {
                return;
            }
            if (child + 1 < size && at(child + 1).before(at(child))) {
                child++;
            }
            if (!at(child).before(at(i))) {
                return;
            }
            swap(i, child);
            i = child;
        }
    }

    private void swap(int a, int b) {
        Timer x = at(a);
        Timer y = at(b);
        heap[a] = y;
        heap[b] = x;
        y.index = a;
        x.index = b;
    }

    private Timer at(int index) {
        Timer timer = heap[index];
        if (timer == null) {
            throw new IllegalStateException("hole in the heap of timers");
        }
        return timer;
    }

    /** One timer. */
    final class Timer implements GuestTimer {
        private final String name;
        private final Object guard;
        private final Runnable action;
        private long deadline;
        private long sequence;
        private int index = -1;
        private boolean closed;

        /** Takes deadlines, but is not in the queue. */
        private boolean held;

        /** Armed while held. */
        private boolean waits;

        Timer(String name, Object guard, Runnable action) {
            this.name = name;
            this.guard = guard;
            this.action = action;
        }

        @Override
        public void arm(long newDeadline) {
            if (TimerQueue.this.arm(this, newDeadline)) {
                driver.earlier(newDeadline);
            }
        }

        @Override
        public void cancel() {
            TimerQueue.this.cancel(this);
        }

        @Override
        public boolean armed() {
            synchronized (TimerQueue.this) {
                return index >= 0 || waits;
            }
        }

        /** Takes it out of the queue with its deadline kept. */
        void hold() {
            TimerQueue.this.hold(this);
        }

        /** Puts it into the queue if it is armed. */
        void release() {
            if (TimerQueue.this.release(this)) {
                driver.earlier(deadline);
            }
        }

        @Override
        public void close() {
            TimerQueue.this.close(this);
        }

        String name() {
            return name;
        }

        Object guard() {
            return guard;
        }

        void fire() {
            action.run();
        }

        private boolean before(Timer other) {
            return deadline != other.deadline
                    ? deadline < other.deadline
                    : sequence < other.sequence;
        }
    }
}

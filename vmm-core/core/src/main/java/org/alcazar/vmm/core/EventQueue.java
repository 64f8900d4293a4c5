package org.alcazar.vmm.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * The one way for anything from outside the instruction stream into a VM: timers of a vcore in the
 * order of their deadlines, on its thread between two runs, and posted input in the order of calls,
 * on that of vcore 0. A listener may record the stamp of each.
 */
final class EventQueue {
    /**
     * So many timers fire before the guest runs again, even if their actions keep arming them in
     * the past.
     */
    private static final int BURST = 256;

    private record Posted(String source, Object guard, Runnable action) {}

    private final VmClock clock;
    private final ArrayDeque<Posted> posted = new ArrayDeque<>();
    private volatile boolean waiting;
    private volatile boolean attention;
    private volatile Optional<Consumer<Stamp>> recorder = Optional.empty();
    private final LongAdder timersFired = new LongAdder();
    private long inputsTaken;

    EventQueue(VmClock clock) {
        this.clock = clock;
    }

    /** Gives the stamp of each event from now on to {@code listener}. */
    void record(Consumer<Stamp> listener) {
        recorder = Optional.of(listener);
    }

    /** Adds input; the caller kicks the vcore afterwards. */
    void post(String source, Object guard, Runnable action) {
        synchronized (posted) {
            posted.add(new Posted(source, guard, action));
            waiting = true;
        }
        attention = true;
    }

    /** Whether {@link #takeInput} may have something to do. */
    boolean attention() {
        return attention;
    }

    /** Whether input waits. */
    boolean waiting() {
        return waiting;
    }

    /**
     * Fires those of the vcore's timers that are due.
     *
     * @return whether there may be more of them
     */
    boolean fireTimers(VcoreImpl vcore) {
        TimerQueue timers = clock.timers(vcore.index());
        long now = clock.nanos();
        int fired = 0;
        TimerQueue.Timer next = timers.poll(now);
        while (next != null) {
            stamp("timer", next.name(), vcore);
            vcore.event(next.name());
            fire(next);
            next = ++fired == BURST ? null : timers.poll(now);
        }
        if (fired != 0) {
            vcore.eventsDone();
            timersFired.add(fired);
        }
        clock.settled(vcore.index());
        return fired == BURST;
    }

    void takeInput(VcoreImpl vcore) {
        attention = false;
        if (!waiting) {
            return;
        }
        // Only what is there now: an action that posts again must not keep the guest from running.
        int count;
        synchronized (posted) {
            count = posted.size();
        }
        for (int i = 0; i < count; i++) {
            Posted next = next();
            if (next == null) {
                break;
            }
            stamp("input", next.source, vcore);
            inputsTaken++;
            vcore.event(next.source);
            run(next);
        }
        vcore.eventsDone();
        if (waiting) {
            attention = true;
        }
    }

    long timersFired() {
        return timersFired.sum();
    }

    long inputsTaken() {
        return inputsTaken;
    }

    private @Nullable Posted next() {
        synchronized (posted) {
            Posted next = posted.poll();
            waiting = !posted.isEmpty();
            return next;
        }
    }

    private void stamp(String kind, String name, VcoreImpl vcore) {
        if (recorder.isPresent()) {
            recorder.get()
                    .accept(new Stamp(kind, name, vcore.index(), vcore.retired(), clock.nanos()));
        }
    }

    private static void fire(TimerQueue.Timer timer) {
        try {
            synchronized (timer.guard()) {
                timer.fire();
            }
        } catch (RuntimeException e) {
            throw new PartFailure("timer " + timer.name(), e);
        }
    }

    private static void run(Posted next) {
        try {
            synchronized (next.guard) {
                next.action.run();
            }
        } catch (RuntimeException e) {
            throw new PartFailure("input from " + next.source, e);
        }
    }
}

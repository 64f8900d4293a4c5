package org.alcazar.hosts.linux;

import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.Primitives;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Waits by a timerfd on CLOCK_MONOTONIC; an eventfd ends the wait early. */
final class TimerFdAlarm implements Alarm {
    private static final int CLOCK_MONOTONIC = 1;
    private static final long SECOND = 1_000_000_000;

    private final Primitives<LinuxPrimitive> primitives;
    private final int timer;
    private final int event;
    private final Descriptors.Poll poll;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = Syscall.state(arena);

    /**
     * struct itimerspec: seconds and nanoseconds of the interval, which stays 0, and of the value.
     */
    private final MemorySegment setting = arena.allocate(32, Long.BYTES);

    /** What the timerfd is set to; no limit while it is disarmed. */
    private long set = Long.MAX_VALUE;

    TimerFdAlarm(Primitives<LinuxPrimitive> primitives) throws HostRefusal {
        this.primitives = primitives;
        timer =
                Descriptors.opened(
                        Syscall.TIMERFD_CREATE.call(
                                CLOCK_MONOTONIC, Descriptors.NONBLOCK | Descriptors.CLOEXEC),
                        "timerfd");
        try {
            event = Descriptors.event();
        } catch (HostRefusal e) {
            Descriptors.close(timer);
            throw e;
        }
        poll = new Descriptors.Poll(timer, event);
    }

    /** CLOCK_MONOTONIC, which the JVM reads without a system call. */
    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void await(long deadline) {
        if (deadline != set && !arm(deadline)) {
            return;
        }
        poll.await();
        if (poll.ready(0)) {
            poll.take(0);
            set = Long.MAX_VALUE;
            primitives.count(LinuxPrimitive.TIMER_EXPIRY);
        }
        if (poll.ready(1)) {
            poll.take(1);
        }
    }

    /**
     * Sets the timerfd, relative to now: its clock's zero is then of no concern.
     *
     * @return false if the time has come already
     */
    private boolean arm(long deadline) {
        long wait = deadline == Long.MAX_VALUE ? 0 : deadline - nanoTime();
        if (wait <= 0 && deadline != Long.MAX_VALUE) {
            return false;
        }
        setting.set(ValueLayout.JAVA_LONG, 16, wait / SECOND);
        setting.set(ValueLayout.JAVA_LONG, 24, wait % SECOND);
        long result = Syscall.TIMERFD_SETTIME.call(state, timer, 0, setting.address(), 0, 0, 0);
        if (result < 0) {
            throw new IllegalStateException("timerfd_settime: " + Errno.text(result));
        }
        set = deadline;
        primitives.count(LinuxPrimitive.TIMER_SET);
        return true;
    }

    @Override
    public void ring() {
        Descriptors.signal(event);
    }

    @Override
    public void close() {
        Descriptors.close(timer);
        Descriptors.close(event);
    }
}

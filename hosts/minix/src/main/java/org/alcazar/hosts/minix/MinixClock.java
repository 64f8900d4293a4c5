package org.alcazar.hosts.minix;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostTimer;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.TimerQueue;

/**
 * Time by messages to PM. A process has one alarm: the VMM's timers share it, on a thread that
 * waits for PM's notification.
 */
final class MinixClock implements HostClock, AutoCloseable {
    private final Kernel kernel;
    private final Calls calls;
    private final TimerQueue timers;

    MinixClock(Kernel kernel, Calls calls) {
        this.kernel = kernel;
        this.calls = calls;
        timers = new TimerQueue(new ProcessAlarm(kernel, calls, this::nanoTime));
    }

    /** The time; after the shutdown only the hardware's clock is left. */
    @Override
    public long nanoTime() {
        Caller slot = calls.claim(Message.PM_NANOTIME);
        try {
            return calls.call(ServerName.PM, slot) == Message.OK
                    ? slot.message.words[0]
                    : kernel.nanoTime();
        } finally {
            slot.release();
        }
    }

    @Override
    public long epochNanos() {
        Caller slot = calls.claim(Message.PM_EPOCH);
        try {
            return calls.call(ServerName.PM, slot) == Message.OK
                    ? slot.message.words[0]
                    : kernel.epochNanos();
        } finally {
            slot.release();
        }
    }

    @Override
    public HostTimer timer(String name, Runnable action) {
        return timers.timer(name, action);
    }

    @Override
    public void close() {
        timers.close();
    }

    /** The time in nanoseconds. */
    @FunctionalInterface
    private interface Time {
        long now();
    }

    /** The process's alarm. Where PM dies while it is waited for, the queue asks again. */
    private record ProcessAlarm(Kernel kernel, Calls calls, Time time) implements Alarm {
        @Override
        public long nanoTime() {
            return time.now();
        }

        @Override
        public void await(long deadline) {
            if (deadline != Long.MAX_VALUE) {
                Caller slot = calls.claim(Message.PM_SET_ALARM);
                try {
                    slot.message.words[0] = deadline;
                    calls.call(ServerName.PM, slot);
                } finally {
                    slot.release();
                }
            }
            kernel.alarmPort().await();
        }

        @Override
        public void ring() {
            kernel.notify(kernel.alarmPort(), Port.OWN);
        }

        @Override
        public void close() {}
    }
}

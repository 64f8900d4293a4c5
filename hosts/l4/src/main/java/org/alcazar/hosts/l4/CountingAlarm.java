package org.alcazar.hosts.l4;

import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.Primitives;

/** Timers wait for a message that does not come, until their timeout; those are counted. */
record CountingAlarm(Alarm beneath, Primitives<L4Primitive> primitives) implements Alarm {
    @Override
    public long nanoTime() {
        return beneath.nanoTime();
    }

    @Override
    public void await(long deadline) {
        beneath.await(deadline);
        if (deadline != Long.MAX_VALUE && nanoTime() >= deadline) {
            primitives.count(L4Primitive.TIMER_TICK);
        }
    }

    @Override
    public void ring() {
        beneath.ring();
    }

    @Override
    public void close() {
        beneath.close();
    }
}

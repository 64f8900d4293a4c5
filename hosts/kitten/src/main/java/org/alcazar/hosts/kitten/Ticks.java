package org.alcazar.hosts.kitten;

import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.Primitives;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The periodic tick, for those who ask for it: on each processor a thread takes it from whatever
 * runs there. As a local APIC does, a tick that comes while the last one is still due is lost.
 */
final class Ticks implements HostPrimitives, AutoCloseable {
    private final long rate;
    private final Primitives<KittenPrimitive> primitives;
    private final List<HostThread> threads = new ArrayList<>();
    private volatile boolean closed;

    /**
     * Starts them.
     *
     * @param rate per second and processor; 0 for none
     */
    Ticks(long rate, KittenProcessors processors, Primitives<KittenPrimitive> primitives)
            throws HostRefusal {
        this.rate = rate;
        this.primitives = primitives;
        try {
            for (int cpu = 0; rate > 0 && cpu < processors.count(); cpu++) {
                threads.add(processors.startTick(cpu, this::run));
            }
        } catch (HostRefusal e) {
            close();
            throw e;
        }
    }

    private void run() {
        long period = TimeUnit.SECONDS.toNanos(1) / rate;
        long next = System.nanoTime() + period;
        while (!closed) {
            long left = next - System.nanoTime();
            if (left > 0) {
                LockSupport.parkNanos(this, left);
            } else {
                primitives.count(KittenPrimitive.TICK);
                next += (-left / period + 1) * period;
            }
        }
    }

    @Override
    public List<Primitive> primitives() {
        return primitives.primitives();
    }

    @Override
    public Map<String, Long> counts() {
        return primitives.counts();
    }

    @Override
    public Machine machine() {
        return primitives.machine();
    }

    /** As the table says, but with the ticks that there are. */
    @Override
    public Noise noise() {
        Noise table = primitives.noise();
        return rate == 0
                ? table
                : new Noise(
                        rate,
                        table.tickCycles(),
                        table.daemons(),
                        "rate by option tick; " + table.source());
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(thread -> thread.join(TimeUnit.SECONDS.toNanos(1)));
    }
}

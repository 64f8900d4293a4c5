package org.alcazar.hosts.minix;

import org.alcazar.host.HostPrimitives;
import org.alcazar.hosts.support.Primitives;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The counts with the clock's ticks, which are as many as fit into the time since the boot. */
record TickingPrimitives(Primitives<MinixPrimitive> counted, long boot) implements HostPrimitives {
    TickingPrimitives(Primitives<MinixPrimitive> counted) {
        this(counted, System.nanoTime());
    }

    @Override
    public List<Primitive> primitives() {
        return counted.primitives();
    }

    @Override
    public Map<String, Long> counts() {
        Map<String, Long> counts = new LinkedHashMap<>(counted.counts());
        double seconds = (System.nanoTime() - boot) / 1e9;
        counts.put(MinixPrimitive.CLOCK_TICK.key(), (long) (seconds * noise().ticksPerSecond()));
        return counts;
    }

    @Override
    public Machine machine() {
        return counted.machine();
    }

    @Override
    public Noise noise() {
        return counted.noise();
    }
}

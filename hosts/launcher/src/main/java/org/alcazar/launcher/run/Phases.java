package org.alcazar.launcher.run;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/** Wall times of the parts of a run. Safe from any thread. */
public final class Phases {
    /** Moments of a run, in their order. */
    public enum Moment {
        /** The program's first line. */
        MAIN,
        /** The configuration is read, the guest's files are there. */
        CONFIGURED,
        /** Framework and VMM run. */
        FRAMEWORK,
        /** The VM is made. */
        CREATED,
        /** The guest printed its first byte on standard output; not always there. */
        FIRST_OUTPUT,
        /** The VM has ended. */
        ENDED
    }

    private static final double NANOS_PER_SECOND = 1e9;

    private final LongSupplier nanos;
    private final Map<Moment, Long> moments = new EnumMap<>(Moment.class);

    /**
     * Creates phases of a run that begins now.
     *
     * @param nanos a monotonic clock in nanoseconds
     */
    public Phases(LongSupplier nanos) {
        this.nanos = nanos;
        reached(Moment.MAIN);
    }

    /** The moment is now, if it was not before. */
    public synchronized void reached(Moment moment) {
        moments.putIfAbsent(moment, nanos.getAsLong());
    }

    /** Seconds from {@link Moment#MAIN} until now. */
    public synchronized double elapsed() {
        return (nanos.getAsLong() - moments.getOrDefault(Moment.MAIN, 0L)) / NANOS_PER_SECOND;
    }

    /**
     * Seconds by phase; a phase that was not reached is left out.
     *
     * @param beforeMain seconds from the start of the process to {@link Moment#MAIN}
     */
    public synchronized Map<String, Object> seconds(double beforeMain) {
        Map<String, Object> phases = new LinkedHashMap<>();
        phases.put("jvm", beforeMain);
        between(phases, "configuration", Moment.MAIN, Moment.CONFIGURED);
        between(phases, "framework", Moment.CONFIGURED, Moment.FRAMEWORK);
        between(phases, "create", Moment.FRAMEWORK, Moment.CREATED);
        between(phases, "to-first-output", Moment.CREATED, Moment.FIRST_OUTPUT);
        between(phases, "run", Moment.CREATED, Moment.ENDED);
        if (between(phases, "total", Moment.MAIN, Moment.ENDED)) {
            phases.computeIfPresent("total", (key, value) -> (Double) value + beforeMain);
        }
        return phases;
    }

    private boolean between(Map<String, Object> phases, String name, Moment from, Moment to) {
        Long begin = moments.get(from);
        Long end = moments.get(to);
        if (begin == null || end == null) {
            return false;
        }
        phases.put(name, (end - begin) / NANOS_PER_SECOND);
        return true;
    }
}

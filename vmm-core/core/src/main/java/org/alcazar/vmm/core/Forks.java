package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a VM as the copy of another that runs on. All that takes long is done while that one runs:
 * before, the copy with its engine and its devices; afterwards, the restore of what was saved in
 * the pause.
 */
final class Forks {
    /** Spreads seeds: the copy has its own, which is the same at each repetition. */
    private static final long SEEDS = 0x9e37_79b9_7f4a_7c15L;

    private final Vmm vmm;
    private final HostKernel host;
    private final PluginTypes types;
    private final Frames frames;

    Forks(Vmm vmm, HostKernel host, PluginTypes types, Frames frames) {
        this.vmm = vmm;
        this.host = host;
        this.types = types;
        this.frames = frames;
    }

    /** So often that what saves states is compiled. */
    private static final int REHEARSALS = 30;

    private static final int SHARED_REHEARSALS = 4;

    /** What the pause is for. */
    private record Taken(Checkpoint.Loaded states, long nanos) {}

    ForkReport fork(Vm parent, String name) throws HostRefusal, ConfigurationException {
        parent.refuseOver();
        parent.machine().engines().refuseInPlace("be forked");
        Vm child =
                vmm.make(
                        VmConfiguration.of(configuration(parent, name)),
                        new Machine.Making(frames, Optional.of(parent), false));
        boolean done = false;
        try {
            parent.machine().pages().split();
            child.machine().pages().dropAll(); // what its devices have written when they were made
            rehearse(parent, child);
            HostClock clock = host.clock();
            Taken taken =
                    parent.underBarrier(() -> {
                        parent.refuseOver();
                        long start = clock.nanoTime();
                        Checkpoint.Loaded states =
                                new Checkpoint(host, types, parent.calls()).taken(parent);
                        parent.machine().pages().shareWith(child.machine().pages());
                        return new Taken(states, clock.nanoTime() - start);
                    });
            taken.states.restoreFork(child);
            child.restored();
            done = true;
            parent.note("fork", name + " was made; it stood still for " + taken.nanos + " ns");
            child.note("made", "a copy of " + parent.name());
            Pages.Counts counts = child.machine().pages().counts();
            return new ForkReport(child.id(), taken.nanos, counts.shared * Pages.PAGE);
        } finally {
            if (!done) {
                vmm.destroy(child.id());
            }
        }
    }

    /**
     * Does what is done in the pause with the copy, which has nothing yet: classes are loaded and
     * code is warm when the guest waits for them.
     */
    private void rehearse(Vm parent, Vm child) throws HostRefusal, ConfigurationException {
        for (int i = 0; i < REHEARSALS; i++) {
            new Checkpoint(host, types, child.calls()).taken(child);
        }
        for (int i = 0; i < SHARED_REHEARSALS; i++) {
            child.machine().pages().shareWith(child.machine().pages());
            parent.machine().pages().rehearse();
        }
    }

    /** The parent's as it is now, but for what two VMs can't have both. */
    private static Map<String, Object> configuration(Vm parent, String name) {
        Engines engines = parent.machine().engines();
        Map<String, Object> out = new LinkedHashMap<>(Checkpoint.configuration(parent));
        out.put("name", name);
        out.put("console", "none");
        Map<String, Object> paging = new LinkedHashMap<>(engines.pagingSettings());
        paging.put("type", engines.pagingType().name());
        out.put("paging", paging);
        if (!engines.engineType().name().equals(parent.configuration().engine().type())) {
            out.put("engine", engines.engineType().name());
        }
        if (parent.configuration().tree().containsKey("seed")) {
            out.put("seed", parent.configuration().seed() + SEEDS * (name.hashCode() | 1));
        }
        return out;
    }
}

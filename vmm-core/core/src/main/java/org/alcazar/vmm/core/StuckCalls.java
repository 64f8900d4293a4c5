package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.vmm.management.StuckCall;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** Calls into plugins that were given up; each is forgotten when it comes back after all. */
final class StuckCalls {
    private static final Logger LOG = LoggerFactory.getLogger(StuckCalls.class);

    private record Entry(
            PluginCalls.Caller caller, String what, long since, BooleanSupplier back) {}

    private final HostClock clock;
    private final List<Entry> entries = new CopyOnWriteArrayList<>();

    StuckCalls(HostClock clock) {
        this.clock = clock;
    }

    /**
     * @param since host time at which the call began
     * @param back whether it has come back
     */
    void add(PluginCalls.Caller caller, String what, long since, BooleanSupplier back) {
        LOG.error("VM {}: {} did not return and is given up", caller.name(), what);
        entries.add(new Entry(caller, what, since, back));
    }

    /** Whether a call for a VM is still out. */
    boolean has(PluginCalls.Caller caller) {
        forgetThoseBack();
        return entries.stream().anyMatch(entry -> entry.caller == caller);
    }

    /** So that nothing of them is kept. */
    void forgetThoseBack() {
        entries.removeIf(entry -> entry.back.getAsBoolean());
    }

    List<StuckCall> list() {
        forgetThoseBack();
        return entries.stream()
                .map(entry ->
                        new StuckCall(
                                entry.caller.id(),
                                entry.caller.name(),
                                entry.what,
                                (clock.nanoTime() - entry.since) / 1e9))
                .toList();
    }
}

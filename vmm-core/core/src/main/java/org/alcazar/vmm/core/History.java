package org.alcazar.vmm.core;

import org.alcazar.vmm.Hook;
import org.alcazar.vmm.management.VmEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** What has happened to the VMs of a VMM: the last events of each, and those who hear of them. */
final class History {
    private static final Logger LOG = LoggerFactory.getLogger(History.class);

    /** Events of a VM that are kept. */
    static final int KEPT = 256;

    private final Map<Integer, ArrayDeque<VmEvent>> kept = new HashMap<>();
    private final CopyOnWriteArrayList<Consumer<VmEvent>> listeners = new CopyOnWriteArrayList<>();
    private long last;

    void add(Vm vm, String kind, String text) {
        add(vm.id(), vm.name(), vm.vmClock().nanos(), kind, text);
    }

    /** Under the lock to the end: listeners hear of events in their order. */
    synchronized void add(int vm, String name, long guestNanos, String kind, String text) {
        String line = text.strip().replaceAll("\\s*\\n\\s*", "; ");
        VmEvent event = new VmEvent(++last, vm, name, guestNanos, kind, line);
        ArrayDeque<VmEvent> events = kept.computeIfAbsent(vm, id -> new ArrayDeque<>());
        if (events.size() == KEPT) {
            events.removeFirst();
        }
        events.addLast(event);
        for (Consumer<VmEvent> listener : listeners) {
            try {
                listener.accept(event);
            } catch (RuntimeException e) {
                LOG.error("a listener failed at {}", event, e);
            }
        }
    }

    /** The oldest first. */
    synchronized List<VmEvent> of(int vm) {
        return List.copyOf(kept.getOrDefault(vm, new ArrayDeque<>()));
    }

    synchronized void forget(int vm) {
        kept.remove(vm);
    }

    Hook listen(Consumer<VmEvent> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}

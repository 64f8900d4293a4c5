package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.management.ShareReport;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Has equal pages of VMs lie in one host page each, until somebody writes. Candidates are found by
 * their hashes while the guests run; in a pause of all of them pages are compared and merged.
 */
final class Sharing {
    private final Frames frames;
    private final HostClock clock;
    private final Map<Integer, Long> pauses = new HashMap<>();
    private long looked;
    private long merged;
    private long saved;

    Sharing(Frames frames, HostClock clock) {
        this.frames = frames;
        this.clock = clock;
    }

    /** Where a page is. */
    private record Place(Pages pages, long address) {}

    /**
     * @param vms each once, in the order of their numbers: that of their locks
     */
    ShareReport share(List<Vm> vms) throws HostRefusal, ConfigurationException {
        for (Vm vm : vms) {
            vm.refuseOver();
            vm.machine().engines().refuseInPlace("be shared");
        }
        Map<Long, List<Place>> byHash = new HashMap<>();
        for (Vm vm : vms) {
            Pages pages = vm.machine().pages();
            pages.split();
            pages.hashes((address, hash) -> {
                looked++;
                byHash.computeIfAbsent(hash, key -> new ArrayList<>(1))
                        .add(new Place(pages, address));
            });
        }
        byHash.values().removeIf(places -> places.size() == 1);
        standing(vms, 0, () -> byHash.values().forEach(this::merge));
        return new ShareReport(looked, merged, saved, pauses);
    }

    private void standing(List<Vm> vms, int from, Runnable work)
            throws HostRefusal, ConfigurationException {
        if (from == vms.size()) {
            work.run();
            return;
        }
        Vm vm = vms.get(from);
        vm.underBarrier(() -> {
            vm.refuseOver();
            vm.machine().engines().refuseInPlace("be shared");
            long start = clock.nanoTime();
            try {
                standing(vms, from + 1, work);
            } finally {
                vm.machine().pages().shared();
            }
            pauses.put(vm.id(), clock.nanoTime() - start);
            return vm;
        });
    }

    /** All stand. */
    private void merge(List<Place> places) {
        Place first = places.getFirst();
        long frame = first.pages.frame(first.address);
        for (Place other : places.subList(1, places.size())) {
            long old = other.pages.frame(other.address);
            if (frame < 0 || old < 0 || old == frame || !Pages.isEqual(frame, old)) {
                continue;
            }
            boolean alone = frames.users(old) == 1;
            first.pages.sharing(first.address);
            frames.share(frame);
            other.pages.replace(other.address, frame);
            merged++;
            saved += alone ? Pages.PAGE : 0;
        }
    }
}

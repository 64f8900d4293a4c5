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
 * their hashes while the guests run. In short pauses of all of them pages are compared and merged,
 * {@link #STEP} at a time, under the locks of those whose pages they are: what a debugger writes
 * goes before that or after it.
 */
final class Sharing {
    /** Pages that are compared in one pause; a guest waits. */
    static final int STEP = 1024;

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
     * Two that had the same hash.
     *
     * @param first of the VM with the lower number, or the lower address
     */
    private record Pair(Place first, Place other) {}

    /**
     * @param vms each once, in the order of their numbers: that of their locks
     */
    ShareReport share(List<Vm> vms) throws HostRefusal, ConfigurationException {
        for (Vm vm : vms) {
            vm.refuseOver();
            vm.machine().engines().refuseInPlace("be shared");
        }
        List<Pair> pairs = pairs(vms);
        for (int from = 0; from < pairs.size(); from += STEP) {
            List<Pair> step = pairs.subList(from, Math.min(pairs.size(), from + STEP));
            standing(vms, 0, () -> merge(step));
        }
        vms.forEach(vm -> pauses.putIfAbsent(vm.id(), 0L));
        return new ShareReport(looked, merged, saved, pauses);
    }

    /** What may be equal and lies in different host pages, by the addresses of the first ones. */
    private List<Pair> pairs(List<Vm> vms) {
        Map<Long, Place> byHash = new HashMap<>();
        List<Pair> out = new ArrayList<>();
        for (Vm vm : vms) {
            Pages pages = vm.machine().pages();
            pages.split();
            pages.hashes((address, hash) -> {
                looked++;
                Place here = new Place(pages, address);
                Place first = byHash.putIfAbsent(hash, here);
                if (first != null && first.pages.frame(first.address) != pages.frame(address)) {
                    out.add(new Pair(first, here));
                }
            });
        }
        return out;
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
            pauses.merge(vm.id(), clock.nanoTime() - start, Math::max);
            return vm;
        });
    }

    /** All guests stand. */
    private void merge(List<Pair> pairs) {
        for (Pair pair : pairs) {
            synchronized (pair.first.pages) {
                synchronized (pair.other.pages) {
                    merge(pair.first, pair.other);
                }
            }
        }
    }

    /** Nobody writes to either page. */
    private void merge(Place first, Place other) {
        long frame = first.pages.frame(first.address);
        long old = other.pages.frame(other.address);
        if (frame < 0 || old < 0 || old == frame || !Pages.isEqual(frame, old)) {
            return;
        }
        boolean alone = frames.users(old) == 1;
        first.pages.sharing(first.address);
        frames.share(frame);
        other.pages.replace(other.address, frame);
        merged++;
        saved += alone ? Pages.PAGE : 0;
    }
}

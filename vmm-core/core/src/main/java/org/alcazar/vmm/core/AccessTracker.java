package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.Scope;
import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.AccessReport.Area;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Counts which pages of a VM's RAM are used: looks from time to time, in the pause barrier, at the
 * accessed bits of the paging mode's tables.
 */
final class AccessTracker {
    private static final Logger LOG = LoggerFactory.getLogger(AccessTracker.class);

    /** Pages this far apart are in different large pages. */
    private static final long LARGE = 2L << 20;

    private static final long LIMIT = 10_000_000_000L;

    private final Vm vm;
    private final HostProcessors processors;
    private final Accesses accesses;
    private final Accesses.Watcher seen = new Accesses.Watcher();

    private final List<Area> areas = new ArrayList<>();
    private long samples;
    private @Nullable HostThread thread;
    private volatile boolean stopped = true;

    AccessTracker(Vm vm, HostProcessors processors, Accesses accesses) {
        this.vm = vm;
        this.processors = processors;
        this.accesses = accesses;
    }

    /**
     * @param fine cuts large pages of the tables, so that each small one is seen
     */
    synchronized void start(long periodNanos, boolean fine)
            throws HostRefusal, ConfigurationException {
        vm.refuseOver();
        if (!stopped) {
            throw new HostRefusal("VM " + vm.name() + ": the use of its pages is counted already");
        }
        areas.clear();
        samples = 0;
        for (Range range : vm.physicalMap().ranges()) {
            int pages = (int) (range.bytes() >> HostMemory.PAGE_SHIFT);
            if (range.ram()) {
                areas.add(new Area(range.start(), new int[pages], new int[pages]));
            }
        }
        vm.physicalMap().smallPages(fine || swaps());
        accesses.remove(seen);
        accesses.add(seen);
        vm.underBarrier(() -> {
            if (fine) {
                cut();
            }
            drain(false);
            return vm;
        });
        stopped = false;
        try {
            thread =
                    processors.start(
                            vm.name() + "/access", HostThread.ANY_CPU, () -> run(periodNanos));
        } catch (HostRefusal e) {
            stopped = true;
            throw e;
        }
    }

    private boolean swaps() {
        return vm.machine().pages().swap().isPresent();
    }

    private void cut() {
        for (Area area : areas) {
            long end = area.start() + area.used().length * HostMemory.PAGE_SIZE;
            for (long at = area.start(); at < end; at = (at & -LARGE) + LARGE) {
                vm.machine().engines().changed(at, HostMemory.PAGE_SIZE);
            }
        }
    }

    private void run(long periodNanos) {
        while (!stopped && !vm.isEnding()) {
            processors.sleep(periodNanos);
            if (stopped || vm.isEnding()) {
                return;
            }
            try {
                vm.underBarrier(() -> {
                    if (!vm.isEnding()) {
                        drain(true);
                    }
                    return vm;
                });
            } catch (HostRefusal | ConfigurationException e) {
                LOG.info("VM {}: pages were not counted: {}", vm.name(), e.getMessage());
            }
        }
    }

    /** In the barrier. */
    private void drain(boolean count) {
        synchronized (areas) {
            samples += count ? 1 : 0;
            accesses.look(
                    seen,
                    (used, written) -> {
                        for (Area area : areas) {
                            if (count) {
                                count(area.start(), used, area.used());
                                count(area.start(), written, area.written());
                            }
                        }
                    });
        }
        vm.machine().engines().engine().invalidate(Scope.ALL, 0, 0);
    }

    /** One more for each page of an area that is in the set of pages. */
    private static void count(long start, BitSet pages, int[] counts) {
        int first = (int) (start >>> HostMemory.PAGE_SHIFT);
        int end = first + counts.length;
        for (int i = pages.nextSetBit(first); i >= 0 && i < end; i = pages.nextSetBit(i + 1)) {
            counts[i - first]++;
        }
    }

    AccessReport report() {
        synchronized (areas) {
            List<Area> out = new ArrayList<>();
            for (Area area : areas) {
                out.add(new Area(area.start(), area.used().clone(), area.written().clone()));
            }
            return new AccessReport(samples, out);
        }
    }

    /** Ends the counting; what was counted stays. Nothing if it does not run. */
    synchronized void stop() {
        stopped = true;
        accesses.remove(seen);
        vm.physicalMap().smallPages(swaps());
        HostThread counting = thread;
        thread = null;
        if (counting != null) {
            counting.wake();
            counting.join(LIMIT);
        }
    }
}

package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Scope;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.BalloonReport;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.MemoryReport;
import org.alcazar.vmm.management.ShareReport;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** The RAM of all VMs for management plugins. */
final class MemoryService implements MemoryManagement {
    private final Vmm vmm;
    private final HostKernel host;

    MemoryService(Vmm vmm, HostKernel host) {
        this.vmm = vmm;
        this.host = host;
    }

    @Override
    public MemoryReport report(int vm) throws HostRefusal {
        Vm asked = vmm.get(vm);
        Machine machine = asked.machine();
        Pages.Counts counts = machine.pages().counts();
        return new MemoryReport(
                counts.ram * Pages.PAGE,
                (counts.shared + counts.alone) * Pages.PAGE,
                counts.shared * Pages.PAGE,
                counts.swapped * Pages.PAGE,
                counts.ballooned * Pages.PAGE,
                counts.copied * Pages.PAGE,
                machine.engines().paging().tablePages() * HostMemory.PAGE_SIZE,
                host.memory().bytesInUse(machine.owner()),
                machine.map().ranges().stream().anyMatch(GuestPhysicalMap.Range::paged));
    }

    @Override
    public void startDirtyLog(int vm) throws HostRefusal {
        standing(
                vm,
                asked -> {
                    asked.physicalMap().startDirtyLog();
                    invalidate(asked);
                });
    }

    @Override
    public BitSet dirtyPages(int vm, boolean anew) throws HostRefusal {
        GuestPhysicalMap map = vmm.get(vm).physicalMap();
        if (!map.isDirtyLogged()) {
            throw new HostRefusal(
                    "VM %s: its writes are not logged; start that first"
                            .formatted(vmm.get(vm).name()));
        }
        if (!anew) {
            return map.dirtyPages();
        }
        AtomicReference<BitSet> out = new AtomicReference<>(new BitSet());
        standing(
                vm,
                asked -> {
                    out.set(map.drainDirtyLog());
                    invalidate(asked);
                });
        return out.get();
    }

    @Override
    public void stopDirtyLog(int vm) throws HostRefusal {
        vmm.get(vm).physicalMap().stopDirtyLog();
    }

    @Override
    public void startAccess(int vm, long periodNanos, boolean fine) throws HostRefusal {
        Vm asked = vmm.get(vm);
        Vmm.orRefuse(() -> {
            asked.machine().access().start(periodNanos, fine);
            return asked;
        });
    }

    @Override
    public AccessReport access(int vm) throws HostRefusal {
        return vmm.get(vm).machine().access().report();
    }

    @Override
    public void stopAccess(int vm) throws HostRefusal {
        vmm.get(vm).machine().access().stop();
    }

    @Override
    public void swapLimit(int vm, long bytes) throws HostRefusal {
        standing(
                vm,
                asked -> {
                    Swap swap =
                            asked.machine()
                                    .pages()
                                    .swap()
                                    .orElseThrow(() ->
                                            new ConfigurationException(
                                                    "VM %s has no swap; give it `swap` when it is made"
                                                            .formatted(asked.name())));
                    swap.limit(MachineRam.swapLimit(Long.toString(bytes)));
                    asked.machine().pages().standing();
                });
    }

    @Override
    public void balloon(int vm, long bytes) throws HostRefusal {
        Vm asked = vmm.get(vm);
        if (bytes < 0) {
            throw new HostRefusal("a guest can't give up " + bytes + " bytes");
        }
        Vmm.orRefuse(() -> {
            asked.refuseOver();
            return asked;
        });
        asked.machine().engines().refuseInPlace("go");
        balloonOf(asked); // to refuse now; the device may be exchanged before its turn comes
        asked.post(
                "balloon", () -> asked.roles().find(Balloon.class).ifPresent(to -> to.ask(bytes)));
    }

    @Override
    public BalloonReport balloon(int vm) throws HostRefusal {
        Vm asked = vmm.get(vm);
        Balloon balloon = balloonOf(asked);
        long absent = asked.machine().pages().counts().ballooned * Pages.PAGE;
        return new BalloonReport(balloon.asked(), balloon.given(), absent, balloon.statistics());
    }

    private static Balloon balloonOf(Vm vm) throws HostRefusal {
        return vm.roles()
                .find(Balloon.class)
                .orElseThrow(() ->
                        new HostRefusal(
                                "VM %s has no balloon; give it one with `--device virtio-balloon` or `device:attach`"
                                        .formatted(vm.name())));
    }

    @Override
    public long move(int vm, long start, long bytes, int node) throws HostRefusal {
        AtomicLong out = new AtomicLong();
        standing(
                vm,
                asked -> {
                    requireRam(asked, start, bytes, "be moved");
                    out.set(asked.machine().pages().move(start, bytes, node) * Pages.PAGE);
                });
        return out.get();
    }

    /** One at a time: each holds several VMs. */
    @Override
    public synchronized ShareReport share(List<Integer> vms) throws HostRefusal {
        List<Vm> asked = new ArrayList<>();
        for (int vm : new TreeSet<>(vms)) {
            asked.add(vmm.get(vm));
        }
        return Vmm.orRefuse(() -> new Sharing(vmm.frames(), host.clock()).share(asked));
    }

    private static void requireRam(Vm vm, long start, long bytes, String what) throws HostRefusal {
        vm.machine().engines().refuseInPlace(what);
        if (bytes <= 0
                || ((start | bytes) & Pages.PAGE - 1) != 0
                || !vm.memory().isRam(start, bytes)) {
            throw new HostRefusal(
                    "VM %s: 0x%x with %d bytes is not whole pages of its RAM"
                            .formatted(vm.name(), start, bytes));
        }
    }

    private interface Work {
        void on(Vm vm) throws HostRefusal, ConfigurationException;
    }

    private void standing(int vm, Work work) throws HostRefusal {
        Vm asked = vmm.get(vm);
        Vmm.orRefuse(() ->
                asked.underBarrier(() -> {
                    asked.refuseOver();
                    work.on(asked);
                    return asked;
                }));
    }

    private static void invalidate(Vm vm) {
        vm.machine().engines().engine().invalidate(Scope.ALL, 0, 0);
    }
}

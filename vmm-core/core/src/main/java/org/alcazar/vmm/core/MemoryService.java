package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.MemoryReport;

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
}

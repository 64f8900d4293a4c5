package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;

/** Exits as IPC between a thread in a VM's space and one in the VMM's. */
final class L4ExitPortal implements HostExitPortal {
    private final MicroKernel kernel;
    private final L4Processors processors;
    private final AddressSpace vmm;

    L4ExitPortal(MicroKernel kernel, L4Processors processors, AddressSpace vmm) {
        this.kernel = kernel;
        this.processors = processors;
        this.vmm = vmm;
    }

    @Override
    public Gate open(String space, String name, int cpu, Guest guest) throws HostRefusal {
        Tcb server = kernel.newThread(vmm, "server of " + name);
        try {
            Tcb thread = kernel.newThread(space, name);
            ExitGate gate = new ExitGate(kernel, vmm, server, thread, guest, cpu);
            gate.start(processors);
            return gate;
        } catch (HostRefusal e) {
            kernel.kill(server, true);
            throw e;
        }
    }
}

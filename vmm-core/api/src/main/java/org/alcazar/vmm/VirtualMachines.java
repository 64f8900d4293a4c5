package org.alcazar.vmm;

import java.util.List;
import java.util.Optional;

/** The VMs of this VMM, for management plugins and tests. The VMM registers it as a service. */
public interface VirtualMachines {
    List<VirtualMachine> all();

    Optional<VirtualMachine> find(int id);

    /** Calls {@code listener} at every change of state of any VM until the hook is closed. */
    Hook listen(VmListener listener);
}

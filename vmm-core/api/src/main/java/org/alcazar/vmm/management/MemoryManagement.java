package org.alcazar.vmm.management;

import org.alcazar.host.HostRefusal;

/**
 * What is done with the RAM of VMs. Methods are safe from any thread but a vcore's; the guest stands
 * for a moment where that is needed. All of them refuse a VM that does not exist.
 */
public interface MemoryManagement {
    /**
     * Where a VM's RAM is.
     *
     * @throws HostRefusal if there is no such VM
     */
    MemoryReport report(int vm) throws HostRefusal;
}

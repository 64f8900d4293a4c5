package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.WriteWatcher;
import org.alcazar.vmm.plugin.ConfigurationException;

/**
 * Pages of RAM, and who is asked before the guest writes there.
 *
 * @param start of the first page
 */
record WriteWatch(long start, long bytes, WriteWatcher watcher) {
    boolean has(long address) {
        return address >= start && address - start < bytes;
    }

    /**
     * @param owner for messages
     */
    void check(String owner, Vm vm) throws ConfigurationException {
        if (bytes <= 0
                || ((start | bytes) & Pages.PAGE - 1) != 0
                || !vm.memory().isRam(start, bytes)) {
            throw new ConfigurationException(
                    "%s: watched memory 0x%x with %d bytes is not whole pages of RAM"
                            .formatted(owner, start, bytes));
        }
        try {
            vm.machine().engines().refuseInPlace("be watched");
        } catch (HostRefusal e) {
            throw new ConfigurationException(owner + ": " + e.getMessage(), e);
        }
    }

    /** Once it was checked. */
    void begin(Vm vm) {
        vm.hooks().watch(this);
        protect(vm);
    }

    void end(Vm vm) {
        vm.hooks().unwatch(this);
        protect(vm);
    }

    private void protect(Vm vm) {
        vm.machine().pages().protect(start, bytes, vm.hooks()::isWatched);
    }
}

package org.alcazar.management.shell;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * All that the commands work with.
 *
 * @param optionalBundles empty where the VMM manages no bundles
 * @param guests what the launcher knows; empty where there is none
 * @param foreign commands of other bundles
 */
record Vmm(
        VmmControl control,
        VirtualMachines machines,
        VmManagement management,
        HostClock clock,
        Supplier<Optional<PluginBundles>> optionalBundles,
        Supplier<Optional<GuestDescriptions>> guests,
        ForeignCommands foreign) {

    /**
     * The bundles.
     *
     * @throws HostRefusal if the VMM manages none
     */
    PluginBundles bundles() throws HostRefusal {
        return optionalBundles
                .get()
                .orElseThrow(() -> new HostRefusal("this VMM does not manage bundles"));
    }
}

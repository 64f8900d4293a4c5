package org.alcazar.vmm.plugin;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.Handover;

/** Family: what stands behind a device's frontend, such as a file behind a disk. */
public interface BackendType extends PluginType {
    /**
     * @throws HostRefusal if the host can't open it
     */
    Backend open(HostKernel host, Settings settings) throws ConfigurationException, HostRefusal;

    /**
     * Opens what a backend of an older version of this type has open. That one is in use by nobody
     * and closed afterwards; if this throws, it goes on, or, where it has handed something over
     * that is left, one of its own version takes that over.
     *
     * @param from what it handed over
     * @throws HostRefusal if the host can't open it
     */
    default Backend takeOver(HostKernel host, Settings settings, Handover from)
            throws ConfigurationException, HostRefusal {
        return open(host, settings);
    }
}

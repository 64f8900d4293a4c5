package org.alcazar.vmm.plugin;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.device.Backend;

/** Family: what stands behind a device's frontend, such as a file behind a disk. */
public interface BackendType extends PluginType {
    /**
     * @throws HostRefusal if the host can't open it
     */
    Backend open(HostKernel host, Settings settings) throws ConfigurationException, HostRefusal;
}

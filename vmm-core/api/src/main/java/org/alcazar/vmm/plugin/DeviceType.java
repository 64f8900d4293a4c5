package org.alcazar.vmm.plugin;

import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;

/** Family: a kind of device. */
public interface DeviceType extends PluginType {
    /**
     * Makes a device and hooks it into its VM through {@code context}. If it throws, everything
     * hooked so far is taken back.
     *
     * @throws ConfigurationException for settings that fit the schema but not this VM
     */
    Device create(DeviceContext context, Settings settings) throws ConfigurationException;
}

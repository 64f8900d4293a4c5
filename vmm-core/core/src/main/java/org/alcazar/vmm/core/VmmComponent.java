package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

import java.util.Hashtable;
import java.util.Map;

/**
 * The VMM as a bundle: collects plugin types as they come and go, and offers the VMM as a service.
 * Of equal types that of the highest bundle id counts.
 */
@Component(
        immediate = true,
        service = {})
public final class VmmComponent {
    private final PluginTypes types = new PluginTypes();
    private final HostKernel host;
    private final Vmm vmm;
    private final Management management;
    private @Nullable ServiceRegistration<?> registration;
    private @Nullable ServiceRegistration<?> managementRegistration;

    @Activate
    public VmmComponent(@Reference HostKernel host) {
        this.host = host;
        this.vmm = new Vmm(host, types);
        this.management = new Management(vmm, types);
    }

    /** By now the types that were there before have been added. */
    @Activate
    void start(BundleContext context) {
        managementRegistration =
                context.registerService(VmManagement.class, management, new Hashtable<>());
        registration =
                context.registerService(
                        new String[] {VmmControl.class.getName(), VirtualMachines.class.getName()},
                        vmm,
                        new Hashtable<>(Map.of("alcazar.host", host.name())));
    }

    @Deactivate
    void stop() {
        unregister(registration);
        unregister(managementRegistration);
        vmm.close();
    }

    private static void unregister(@Nullable ServiceRegistration<?> registered) {
        if (registered != null) {
            registered.unregister();
        }
    }

    private static long bundle(Map<String, Object> properties) {
        return properties.get(Constants.SERVICE_BUNDLEID) instanceof Long id ? id : -1;
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addDevice(DeviceType type, Map<String, Object> properties) {
        types.add(DeviceType.class, type, bundle(properties));
    }

    void removeDevice(DeviceType type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addPlatform(PlatformType type, Map<String, Object> properties) {
        types.add(PlatformType.class, type, bundle(properties));
    }

    void removePlatform(PlatformType type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addPaging(PagingModeType type, Map<String, Object> properties) {
        types.add(PagingModeType.class, type, bundle(properties));
    }

    void removePaging(PagingModeType type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addEngine(EngineType type, Map<String, Object> properties) {
        types.add(EngineType.class, type, bundle(properties));
    }

    void removeEngine(EngineType type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addLoader(GuestLoader type, Map<String, Object> properties) {
        types.add(GuestLoader.class, type, bundle(properties));
    }

    void removeLoader(GuestLoader type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addBackend(BackendType type, Map<String, Object> properties) {
        types.add(BackendType.class, type, bundle(properties));
    }

    void removeBackend(BackendType type) {
        types.remove(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addExtension(ExtensionType type, Map<String, Object> properties) {
        types.add(ExtensionType.class, type, bundle(properties));
    }

    void removeExtension(ExtensionType type) {
        types.remove(type);
    }
}

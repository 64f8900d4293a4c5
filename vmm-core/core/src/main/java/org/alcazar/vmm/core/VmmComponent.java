package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.SwapPolicyType;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
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
    private final VmManagement management;
    private @Nullable ServiceRegistration<?> registration;
    private @Nullable ServiceRegistration<?> managementRegistration;
    private @Nullable ServiceRegistration<?> bundlesRegistration;

    @Activate
    public VmmComponent(@Reference HostKernel host) {
        this.host = host;
        this.vmm = new Vmm(host, types);
        this.management = vmm.management();
    }

    /** By now the types that were there before have been added. */
    @Activate
    void start(BundleContext context) {
        managementRegistration =
                context.registerService(VmManagement.class, management, new Hashtable<>());
        bundlesRegistration =
                context.registerService(
                        PluginBundles.class, new Bundles(context, vmm, types), new Hashtable<>());
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
        unregister(bundlesRegistration);
        vmm.close();
    }

    private static void unregister(@Nullable ServiceRegistration<?> registered) {
        if (registered != null) {
            registered.unregister();
        }
    }

    private <T extends PluginType> void added(
            Class<T> family, T type, ServiceReference<T> service) {
        Bundle bundle = service.getBundle();
        types.add(
                family,
                type,
                bundle.getBundleId(),
                bundle.getSymbolicName() + " " + bundle.getVersion());
        vmm.arrived(type);
    }

    private void removed(PluginType type) {
        types.remove(type);
        vmm.gone(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addDevice(DeviceType type, ServiceReference<DeviceType> service) {
        added(DeviceType.class, type, service);
    }

    void removeDevice(DeviceType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addPlatform(PlatformType type, ServiceReference<PlatformType> service) {
        added(PlatformType.class, type, service);
    }

    void removePlatform(PlatformType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addPaging(PagingModeType type, ServiceReference<PagingModeType> service) {
        added(PagingModeType.class, type, service);
    }

    void removePaging(PagingModeType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addEngine(EngineType type, ServiceReference<EngineType> service) {
        added(EngineType.class, type, service);
    }

    void removeEngine(EngineType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addStore(CheckpointStore type, ServiceReference<CheckpointStore> service) {
        added(CheckpointStore.class, type, service);
    }

    void removeStore(CheckpointStore type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addSwapPolicy(SwapPolicyType type, ServiceReference<SwapPolicyType> service) {
        added(SwapPolicyType.class, type, service);
    }

    void removeSwapPolicy(SwapPolicyType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addLoader(GuestLoader type, ServiceReference<GuestLoader> service) {
        added(GuestLoader.class, type, service);
    }

    void removeLoader(GuestLoader type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addBackend(BackendType type, ServiceReference<BackendType> service) {
        added(BackendType.class, type, service);
    }

    void removeBackend(BackendType type) {
        removed(type);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addExtension(ExtensionType type, ServiceReference<ExtensionType> service) {
        added(ExtensionType.class, type, service);
    }

    void removeExtension(ExtensionType type) {
        removed(type);
    }
}

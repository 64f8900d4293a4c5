package org.alcazar.management.shell;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.AnyService;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

import java.nio.channels.ServerSocketChannel;
import java.util.Map;
import java.util.Optional;

/** Serves the shell on the socket that whoever started this process offers as a service. */
@Component(
        immediate = true,
        service = {})
public final class ShellComponent {
    private final ForeignCommands foreign = new ForeignCommands();
    private volatile @Nullable PluginBundles bundles;
    private volatile @Nullable GuestDescriptions guests;
    private final ShellServer server;

    @Activate
    public ShellComponent(
            @Reference ServerSocketChannel socket,
            @Reference HostKernel host,
            @Reference VmmControl control,
            @Reference VirtualMachines machines,
            @Reference VmManagement management) {
        Vmm vmm =
                new Vmm(
                        control,
                        machines,
                        management,
                        host.clock(),
                        () -> Optional.ofNullable(bundles),
                        () -> Optional.ofNullable(guests),
                        foreign);
        server = new ShellServer(vmm, socket, Prompt.history(System.getenv()));
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindBundles(PluginBundles newBundles) {
        bundles = newBundles;
    }

    void unbindBundles(PluginBundles gone) {
        if (bundles == gone) {
            bundles = null;
        }
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindGuests(GuestDescriptions newGuests) {
        guests = newGuests;
    }

    void unbindGuests(GuestDescriptions gone) {
        if (guests == gone) {
            guests = null;
        }
    }

    @Reference(
            service = AnyService.class,
            target = "(&(" + ForeignCommands.SCOPE + "=*)(" + ForeignCommands.FUNCTION + "=*))",
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC)
    void bindCommands(Object service, Map<String, Object> properties) {
        foreign.add(service, properties);
    }

    void unbindCommands(Object service) {
        foreign.remove(service);
    }

    @Deactivate
    void stop() {
        server.close();
    }
}

package org.alcazar.management.shell;

import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Serves the shell on the socket that the framework's property {@value #SOCKET} names; without it
 * nobody listens.
 */
@Component(
        immediate = true,
        service = {})
public final class ShellComponent {
    /** The socket's path. */
    static final String SOCKET = "alcazar.socket";

    private static final Logger LOG = LoggerFactory.getLogger(ShellComponent.class);

    private volatile @Nullable PluginBundles bundles;
    private final Optional<ShellServer> server;

    @Activate
    public ShellComponent(
            BundleContext context,
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
                        () -> Optional.ofNullable(bundles));
        String socket = context.getProperty(SOCKET);
        server = socket == null ? Optional.empty() : serve(vmm, Path.of(socket));
    }

    private static Optional<ShellServer> serve(Vmm vmm, Path socket) {
        try {
            return Optional.of(new ShellServer(vmm, socket, Prompt.history(System.getenv())));
        } catch (IOException e) {
            LOG.warn("nobody can attach to this process: {}: {}", socket, e.getMessage());
            return Optional.empty();
        }
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

    @Deactivate
    void stop() {
        server.ifPresent(ShellServer::close);
    }
}

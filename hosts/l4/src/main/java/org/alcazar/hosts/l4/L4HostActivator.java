package org.alcazar.hosts.l4;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.HostActivator;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.machine.EngineProvider;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

import java.util.ArrayList;
import java.util.List;

/** Registers the host as a service, and finds engines for its native programs. */
@Header(name = "Bundle-Activator", value = "${@class}")
public final class L4HostActivator extends HostActivator {
    /** Made by the framework. */
    public L4HostActivator() {
        super("l4");
    }

    @Override
    protected HostKernel open(HostOptions options) throws HostRefusal {
        return new L4Host(options, L4HostActivator::engines);
    }

    /** Those of highest rank first, as the framework has it. */
    private static List<EngineProvider> engines() {
        List<EngineProvider> found = new ArrayList<>();
        BundleContext context = FrameworkUtil.getBundle(L4HostActivator.class).getBundleContext();
        try {
            for (ServiceReference<EngineProvider> reference :
                    context.getServiceReferences(EngineProvider.class, null)) {
                EngineProvider provider = context.getService(reference);
                if (provider != null) {
                    found.add(provider);
                }
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e); // there is no filter
        }
        return found;
    }
}

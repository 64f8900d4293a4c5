package org.alcazar.hosts.jvm;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

import java.util.Hashtable;

/**
 * Registers the host as a service. The framework property {@code alcazar.host.memory} limits guest
 * memory, in bytes.
 */
@Header(name = "Bundle-Activator", value = "${@class}")
public final class JvmHostActivator implements BundleActivator {
    private @Nullable JvmHost host;

    @Override
    public void start(BundleContext context) throws HostRefusal {
        String limit = context.getProperty("alcazar.host.memory");
        JvmHost started = new JvmHost(limit == null ? 0 : Long.parseLong(limit));
        host = started;
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("alcazar.host", started.name());
        context.registerService(HostKernel.class, started, properties);
    }

    @Override
    public void stop(BundleContext context) {
        if (host != null) {
            host.close();
        }
    }
}

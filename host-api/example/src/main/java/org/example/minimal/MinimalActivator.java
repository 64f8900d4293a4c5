package org.example.minimal;

import org.alcazar.host.HostKernel;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.*;

/** Registers the host as a service; the headers say that this bundle is one, and how it is called. */
@Header(name = "Bundle-Activator", value = "${@class}")
@Header(name = "Alcazar-Host", value = "minimal")
public final class MinimalActivator implements BundleActivator {
    private final MinimalHost host = new MinimalHost();

    @Override public void start(BundleContext context) { context.registerService(HostKernel.class, host, null); }
    @Override public void stop(BundleContext context) { host.close(); }
}

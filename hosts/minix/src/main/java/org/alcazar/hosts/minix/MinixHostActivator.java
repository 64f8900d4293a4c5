package org.alcazar.hosts.minix;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.HostActivator;
import org.alcazar.hosts.support.HostOptions;
import org.osgi.annotation.bundle.Header;

/** Registers the host as a service. */
@Header(name = "Bundle-Activator", value = "${@class}")
public final class MinixHostActivator extends HostActivator {
    /** Made by the framework. */
    public MinixHostActivator() {
        super("minix");
    }

    @Override
    protected HostKernel open(HostOptions options) throws HostRefusal {
        return new MinixHost(options);
    }
}

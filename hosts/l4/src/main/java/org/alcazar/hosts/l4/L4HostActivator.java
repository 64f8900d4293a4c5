package org.alcazar.hosts.l4;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.HostActivator;
import org.alcazar.hosts.support.HostOptions;
import org.osgi.annotation.bundle.Header;

/** Registers the host as a service. */
@Header(name = "Bundle-Activator", value = "${@class}")
public final class L4HostActivator extends HostActivator {
    /** Made by the framework. */
    public L4HostActivator() {
        super("l4");
    }

    @Override
    protected HostKernel open(HostOptions options) throws HostRefusal {
        return new L4Host(options);
    }
}

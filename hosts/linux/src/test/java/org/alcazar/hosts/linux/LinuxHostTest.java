package org.alcazar.hosts.linux;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;

/** The host of Linux's services is a host. */
class LinuxHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M");
    }

    static LinuxHost open(String options) throws HostRefusal {
        return new LinuxHost(HostOptions.read("linux", LinuxHost.class, options));
    }
}

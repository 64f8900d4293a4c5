package org.alcazar.hosts.minix;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;

/** The model of MINIX 3 is a host. */
class MinixHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M");
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }

    static MinixHost open(String options) throws HostRefusal {
        return new MinixHost(HostOptions.read("minix", MinixHost.class, options));
    }
}

package org.alcazar.hosts.l4;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;

import java.util.List;

/** The micro-kernel is a host. */
class L4HostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M");
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }

    static L4Host open(String options) throws HostRefusal {
        return new L4Host(HostOptions.read("l4", L4Host.class, options), List::of);
    }
}

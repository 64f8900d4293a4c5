package org.alcazar.hosts.jvm;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;

/** The portable host is a host. */
class JvmHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return new JvmHost(256L << 20);
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }
}

package org.alcazar.hosts.kitten;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;

/** With a tick, and with memory that is no power of two, it is a host too. */
class TickingKittenHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return KittenHostTest.open("memory=201M,kernel=1M,tick=100");
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }
}

package org.alcazar.host.tck;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;

/** A host with modelled hardware is a host: so are its interrupt pins and its portal. */
class ModelledHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return new Decorated();
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }
}

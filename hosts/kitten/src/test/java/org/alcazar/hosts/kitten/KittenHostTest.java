package org.alcazar.hosts.kitten;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;

/** The model of Kitten is a host. */
class KittenHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M,kernel=1M");
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }

    static KittenHost open(String options) throws HostRefusal {
        return new KittenHost(HostOptions.read("kitten", KittenHost.class, options));
    }
}

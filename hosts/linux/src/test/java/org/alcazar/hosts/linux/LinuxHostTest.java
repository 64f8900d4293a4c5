package org.alcazar.hosts.linux;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;

import java.util.Optional;

/** The host of Linux's services is a host. */
class LinuxHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M");
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }

    @Override
    protected Optional<String> packetChannel() {
        return Optional.of("pair:tck");
    }

    static LinuxHost open(String options) throws HostRefusal {
        return new LinuxHost(HostOptions.read("linux", LinuxHost.class, options));
    }
}

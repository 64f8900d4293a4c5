package org.alcazar.hosts.linux;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.HostTck;

/** With everything wished for it is a host still, whatever the system grants. */
class WishingLinuxHostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return LinuxHostTest.open("memory=64M,huge-pages=2M,lock=on-fault,priority=1");
    }
}

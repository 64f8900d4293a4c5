package org.example.minimal;

import org.alcazar.host.HostKernel;
import org.alcazar.host.tck.HostTck;

class MinimalHostTest extends HostTck {
    @Override protected HostKernel newHost() { return new MinimalHost(); }
}

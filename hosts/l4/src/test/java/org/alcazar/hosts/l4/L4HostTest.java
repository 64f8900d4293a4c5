package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageRequest;
import org.alcazar.host.tck.CurrentProcessor;
import org.alcazar.host.tck.HostTck;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.Primitives;
import org.junit.jupiter.api.Test;

import java.util.List;

/** The micro-kernel is a host. */
class L4HostTest extends HostTck {
    @Override
    protected HostKernel newHost() throws HostRefusal {
        return open("memory=256M");
    }

    @Test
    void aNativeProgramsPagesAreNotCountedBeforeItGetsThem() throws HostRefusal {
        try (L4Host host = open("memory=16M")) {
            Primitives<L4Primitive> counts = host.kernel().primitives();
            long before = counts.counted(L4Primitive.PAGE_ALLOCATION);
            host.memory().allocate(PageRequest.of(L4Memory.NATIVE + "p", 64));
            assertEquals(before, counts.counted(L4Primitive.PAGE_ALLOCATION));
            host.memory().allocate(PageRequest.of("vm", 1));
            assertEquals(before + 1, counts.counted(L4Primitive.PAGE_ALLOCATION));
        }
    }

    @Override
    protected int currentProcessor() {
        return CurrentProcessor.number();
    }

    static L4Host open(String options) throws HostRefusal {
        return new L4Host(HostOptions.read("l4", L4Host.class, options), List::of);
    }
}

package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** Memory whose preparation fails. */
class RangeMemoryTest {
    /** Fails once. */
    private static final class Failing extends RangeMemory {
        private final List<PageExtent> seen = new ArrayList<>();

        Failing() throws HostRefusal {
            super("test", 1 << 20);
        }

        @Override
        protected void taken(PageExtent extent, int numaNode) {
            seen.add(extent);
            if (seen.size() == 1) {
                throw new IllegalStateException("as the test wants");
            }
        }
    }

    @Test
    void pagesThatCouldNotBePreparedAreFreeAgain() throws HostRefusal {
        Failing memory = new Failing();
        PageRequest request = PageRequest.of("t", 3);
        assertThrows(IllegalStateException.class, () -> memory.allocate(request));
        assertEquals(0, memory.bytesInUse(""));
        PageExtent second = memory.allocate(request);
        assertEquals(memory.seen.getFirst(), second);
        memory.free(second);
    }
}

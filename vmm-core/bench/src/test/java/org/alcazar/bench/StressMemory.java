package org.alcazar.bench;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageRequest;
import org.alcazar.hosts.jvm.JvmHost;

import java.util.concurrent.atomic.AtomicInteger;

/** Guest RAM of a stress test's process, handed out in pieces again and again. */
public final class StressMemory {
    private final long base;
    private final int bytes;
    private final int pieces;
    private final AtomicInteger next = new AtomicInteger();

    /**
     * Takes guest RAM from a host of its own.
     *
     * @param bytes size of a piece, a power of two
     * @param pieces a power of two, more than the states that jcstress has at a time
     */
    public StressMemory(int bytes, int pieces) {
        this.bytes = bytes;
        this.pieces = pieces;
        try {
            PageRequest request =
                    PageRequest.of("stress", (long) bytes * pieces / HostMemory.PAGE_SIZE);
            base = new JvmHost(0).memory().allocate(request).address();
        } catch (HostRefusal e) {
            throw new IllegalStateException(e);
        }
    }

    /** The next piece, as it was left. */
    public long take() {
        return base + (long) (next.getAndIncrement() & pieces - 1) * bytes;
    }
}

package org.alcazar.hosts.l4;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.RangeMemory;

/**
 * Memory as sigma0 hands it out (X.2, appendix E): the VMM asks it for flexpages by IPC, one for
 * each request, and gets them mapped where they are. What is freed is unmapped from every space.
 */
final class L4Memory extends RangeMemory {
    /** Owners whose pages stay with sigma0, which is then their pager. */
    static final String NATIVE = "native:";

    /** So that large extents are few flexpages, and huge pages beneath. */
    private static final long LARGE = 2L << 20;

    private final MicroKernel kernel;
    private final AddressSpace vmm;

    /**
     * @param limit bytes in all, or 0 for the machine's memory
     * @param vmm the space that gets what is allocated
     */
    L4Memory(long limit, MicroKernel kernel, AddressSpace vmm) throws HostRefusal {
        super("l4", limit);
        this.kernel = kernel;
        this.vmm = vmm;
    }

    @Override
    protected long alignment(long bytes) {
        return bytes >= LARGE ? LARGE : PAGE_SIZE;
    }

    @Override
    protected void taken(PageExtent extent, int numaNode) {
        boolean kept = extent.owner().startsWith(NATIVE);
        Primitives<L4Primitive> primitives = kernel.primitives();
        long end = extent.address() + extent.bytes();
        for (long at = extent.address(); at < end; ) {
            int shift = Flexpage.largest(at, end - at);
            long page = Flexpage.of(at, shift, Flexpage.ALL);
            kernel.with(database -> {
                database.own(page);
                return true;
            });
            if (!kept) { // a native program's are counted as it gets them mapped
                primitives.count(L4Primitive.PAGE_ALLOCATION);
                // A request and its answer, the map item.
                primitives.count(L4Primitive.IPC, 2);
                primitives.count(L4Primitive.CONTEXT_SWITCH, 2);
                kernel.with(d -> d.map(d.sigma0(), page, vmm, Flexpage.start(page)));
            }
            at += 1L << shift;
        }
    }

    @Override
    protected void dropped(PageExtent extent) {
        long end = extent.address() + extent.bytes();
        for (long at = extent.address(); at < end; ) {
            int shift = Flexpage.largest(at, end - at);
            kernel.disown(Flexpage.of(at, shift, Flexpage.ALL));
            at += 1L << shift;
        }
        kernel.primitives().count(L4Primitive.PAGE_FREE);
        super.dropped(extent);
    }
}

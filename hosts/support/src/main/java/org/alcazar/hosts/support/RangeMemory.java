package org.alcazar.hosts.support;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;

/**
 * Guest pages out of the process's reserved range wherever a gap is, first fit, accounted by owner.
 * A host that does more to its pages overrides {@link #taken} and {@link #dropped}.
 */
public class RangeMemory implements HostMemory {
    private final String host;
    private final Extents extents;

    /**
     * Memory of a host; provides the process's range if nobody has.
     *
     * @param limit bytes that guests may use in all, or 0 for the machine's memory
     * @throws HostRefusal if the process can't reserve its range
     */
    public RangeMemory(String host, long limit) throws HostRefusal {
        NativeRange.provide(host);
        this.host = host;
        long physical = NativeRange.physicalMemory();
        extents = new Extents(host, limit > 0 ? Math.min(limit, physical) : physical);
    }

    @Override
    public final long totalBytes() {
        return extents.limit();
    }

    @Override
    public final synchronized long bytesInUse(String owner) {
        return extents.bytesInUse(owner);
    }

    @Override
    public final synchronized PageExtent allocate(PageRequest request) throws HostRefusal {
        long bytes = extents.check(request);
        long address = HostRange.carve(bytes, Math.max(request.alignment(), alignment(bytes)));
        if (address + bytes > request.limit()) {
            HostRange.release(address);
            throw new HostRefusal(
                    "host %s: no %d KiB below 0x%x are free"
                            .formatted(host, bytes >> 10, request.limit()));
        }
        PageExtent extent = new PageExtent(request.owner(), address, request.pages());
        try {
            taken(extent, request.numaNode());
            extents.add(extent);
        } catch (RuntimeException | Error e) {
            undo(extent, e);
            throw e;
        }
        return extent;
    }

    /** Pages that can't be given back to the system stay taken: nobody may find a hole there. */
    private void undo(PageExtent extent, Throwable cause) {
        try {
            dropped(extent);
            HostRange.release(extent.address());
        } catch (RuntimeException | Error e) {
            cause.addSuppressed(e);
        }
    }

    @Override
    public final synchronized void free(PageExtent extent) {
        extents.remove(extent);
        dropped(extent);
        HostRange.release(extent.address());
    }

    @Override
    public void discard(long address, long pages) {
        NativeRange.discard(HostRam.slice(address, pages << PAGE_SHIFT));
    }

    /** The least alignment that this host wants for an extent of so many bytes. */
    protected long alignment(long bytes) {
        return PAGE_SIZE;
    }

    /**
     * Makes fresh, zeroed pages ready. Best effort: what can't be had is counted, not refused. If
     * it fails all the same, {@link #dropped} is called.
     *
     * @param numaNode preferred, or {@link PageRequest#ANY_NODE}
     */
    protected void taken(PageExtent extent, int numaNode) {}

    /** Gives pages back to the system; they read as zero afterwards. */
    protected void dropped(PageExtent extent) {
        NativeRange.discard(HostRam.slice(extent.address(), extent.bytes()));
    }
}

package org.alcazar.hosts.kitten;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.hosts.support.Extents;
import org.alcazar.hosts.support.NativeRange;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.Primitives;

import java.util.OptionalLong;

/** Pages out of the static map, by the buddy allocator. All of it is one memory node. */
final class KittenMemory implements HostMemory, AutoCloseable {
    private final MemoryMap map;
    private final BuddyAllocator buddies;
    private final Extents extents;
    private final Primitives<KittenPrimitive> primitives;
    private long largest;
    private boolean closed;

    KittenMemory(MemoryMap map, Primitives<KittenPrimitive> primitives, Notes notes) {
        this.map = map;
        this.primitives = primitives;
        buddies =
                new BuddyAllocator(
                        times -> primitives.count(KittenPrimitive.BLOCK_SPLIT, times),
                        times -> primitives.count(KittenPrimitive.BLOCK_MERGE, times));
        map.guests().forEach(region -> buddies.addRegion(region.address(), region.bytes()));
        extents = new Extents("kitten", map.guestBytes());
        notes.state(() -> "memory map: " + map);
        notes.state(this::describe);
    }

    private synchronized String describe() {
        return "memory: %d MiB for guests, %d KiB free in %d blocks, the largest of %d KiB; the largest extent so far has %d KiB"
                .formatted(
                        totalBytes() >> 20,
                        buddies.freeBytes() >> 10,
                        buddies.freeBlocks(),
                        buddies.largestFree() >> 10,
                        largest >> 10);
    }

    @Override
    public long totalBytes() {
        return extents.limit();
    }

    @Override
    public synchronized long bytesInUse(String owner) {
        return extents.bytesInUse(owner);
    }

    @Override
    public synchronized PageExtent allocate(PageRequest request) throws HostRefusal {
        if (closed) {
            throw new HostRefusal("host kitten: has been closed; no memory for " + request.owner());
        }
        long bytes = extents.check(request);
        OptionalLong address = buddies.allocate(bytes, request.alignment(), request.limit());
        if (address.isEmpty()) {
            throw new HostRefusal(
                    "host kitten: %s wants %d KiB in one block%s%s; the largest free one has %d KiB"
                            .formatted(
                                    request.owner(),
                                    bytes >> 10,
                                    request.alignment() == PAGE_SIZE
                                            ? ""
                                            : ", aligned to 0x%x".formatted(request.alignment()),
                                    request.limit() == Long.MAX_VALUE
                                            ? ""
                                            : ", below 0x%x".formatted(request.limit()),
                                    buddies.largestFree() >> 10));
        }
        primitives.count(KittenPrimitive.PAGE_ALLOCATION);
        primitives.count(KittenPrimitive.PAGE, request.pages());
        largest = Math.max(largest, bytes);
        PageExtent extent = new PageExtent(request.owner(), address.getAsLong(), request.pages());
        extents.add(extent);
        return extent;
    }

    @Override
    public synchronized void free(PageExtent extent) {
        extents.remove(extent);
        primitives.count(KittenPrimitive.PAGE_FREE);
        NativeRange.discard(HostRam.slice(extent.address(), extent.bytes()));
        buddies.free(extent.address(), extent.bytes());
        releaseIfOver();
    }

    @Override
    public void discard(long address, long pages) {
        NativeRange.discard(HostRam.slice(address, pages << PAGE_SHIFT));
    }

    /** No more is handed out; the map goes when the last extent has come back. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            releaseIfOver();
        }
    }

    private void releaseIfOver() {
        if (closed && extents.bytesInUse("") == 0) {
            map.release();
        }
    }
}

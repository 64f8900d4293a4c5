package org.alcazar.hosts.kitten;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.NativeRange;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The physical memory of the node as it is divided when the kernel starts, for ever: one region for
 * the kernel, the rest for guests in regions that are powers of two, the largest first.
 */
record MemoryMap(Region kernel, List<Region> guests) {
    /** Smaller pieces are not worth a region. */
    private static final long LEAST = 1L << 16;

    /** The same, where nobody has asked for so and so much. */
    private static final long WORTHWHILE = 64L << 20;

    /** A physically contiguous piece. */
    record Region(long address, long bytes) {
        @Override
        public String toString() {
            return "0x%x to 0x%x".formatted(address, address + bytes - 1);
        }
    }

    MemoryMap {
        guests = List.copyOf(guests);
    }

    /**
     * Divides the process's range.
     *
     * @param kernelBytes the kernel's share
     * @param guestBytes that of guests; 0 for what the machine has beside the kernel's
     * @throws HostRefusal if the range has no room for it; nothing was taken then
     */
    static MemoryMap divide(long kernelBytes, long guestBytes) throws HostRefusal {
        NativeRange.provide("kitten");
        long physical = NativeRange.physicalMemory();
        long least = guestBytes == 0 ? WORTHWHILE : LEAST;
        long most = Math.max(least, physical - kernelBytes);
        long left = (guestBytes == 0 ? most : Math.min(guestBytes, physical)) & -least;
        long kernelPages = kernelBytes & -HostMemory.PAGE_SIZE;
        long kernel = HostRange.carve(kernelPages, HostMemory.PAGE_SIZE);
        List<Region> guests = new ArrayList<>();
        long size = Long.highestOneBit(left);
        while (left >= least && size >= least) {
            if (size > left) {
                size >>= 1;
                continue;
            }
            try {
                guests.add(new Region(HostRange.carve(size, size), size));
                left -= size;
            } catch (HostRefusal e) {
                size >>= 1; // the range's first page is never handed out: its largest block is not
            }
        }
        MemoryMap map = new MemoryMap(new Region(kernel, kernelPages), guests);
        if (left >= LEAST && guestBytes != 0) {
            map.release();
            throw new HostRefusal(
                    "host kitten: memory=%dM does not fit into the process's range; give less"
                            .formatted(guestBytes >> 20));
        }
        return map;
    }

    /** Bytes for guests in all. */
    long guestBytes() {
        return guests.stream().mapToLong(Region::bytes).sum();
    }

    /** Gives the address space back. */
    void release() {
        HostRange.release(kernel.address());
        guests.forEach(region -> HostRange.release(region.address()));
    }

    @Override
    public String toString() {
        return "kernel %s; guests %s"
                .formatted(
                        kernel,
                        guests.stream().map(Region::toString).collect(Collectors.joining(", ")));
    }
}

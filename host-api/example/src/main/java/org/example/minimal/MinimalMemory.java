package org.example.minimal;

import java.lang.foreign.Arena;
import java.util.*;
import org.alcazar.host.*;

/** 64 MiB for guests. Where pages lie in the process's range {@link HostRange} decides, first fit. */
final class MinimalMemory implements HostMemory {
    private static final long TOTAL = 64L << 20;
    /** Room for alignment, and for the first page, which is nobody's. */
    private static final long SLACK = 8L << 20;

    private final Map<Long, PageExtent> held = new HashMap<>();

    MinimalMemory() { HostRange.reserve(() -> Arena.global().allocate(TOTAL + SLACK, PAGE_SIZE)); }
    @Override public long totalBytes() { return TOTAL; }

    @Override public synchronized long bytesInUse(String owner) {
        return held.values().stream()
                .filter(extent -> owner.isEmpty() || extent.owner().equals(owner))
                .mapToLong(PageExtent::bytes)
                .sum();
    }

    @Override public synchronized PageExtent allocate(PageRequest request) throws HostRefusal {
        long free = TOTAL - bytesInUse("");
        if (request.pages() > free >> PAGE_SHIFT) {
            throw new HostRefusal(
                    "host minimal: %s wants %d pages, %d are free"
                            .formatted(request.owner(), request.pages(), free >> PAGE_SHIFT));
        }
        long bytes = request.pages() << PAGE_SHIFT;
        long address = HostRange.carve(bytes, request.alignment());
        if (address + bytes > request.limit()) {
            HostRange.release(address);
            throw new HostRefusal("host minimal: no such pages below 0x%x".formatted(request.limit()));
        }
        PageExtent extent = new PageExtent(request.owner(), address, request.pages());
        held.put(address, extent);
        return extent;
    }

    /** Cleared now, so that fresh pages and late accesses read zero. */
    @Override public synchronized void free(PageExtent extent) {
        if (!held.remove(extent.address(), extent)) {
            throw new IllegalArgumentException("not held: " + extent);
        }
        HostRam.fill(extent.address(), extent.bytes(), (byte) 0);
        HostRange.release(extent.address());
    }
}

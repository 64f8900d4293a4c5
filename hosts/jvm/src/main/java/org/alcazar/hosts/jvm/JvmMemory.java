package org.alcazar.hosts.jvm;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;

/** Guest pages out of the process's reserved range, accounted by owner. */
final class JvmMemory implements HostMemory {
    /** What is reserved at least, so that several hosts fit into one test process. */
    private static final long MIN_RESERVATION = 16L << 30;

    private final long limit;
    private final Map<Long, PageExtent> extents = new HashMap<>();
    private long inUse;

    JvmMemory(long memoryLimit) throws HostRefusal {
        long physical = physicalMemory();
        try {
            HostRange.reserve(
                    () -> NativeRange.reserve(Math.max(MIN_RESERVATION, physical)),
                    WideExchange.find().orElse(null));
        } catch (IllegalStateException e) {
            throw new HostRefusal("host jvm: " + e.getMessage(), e);
        }
        limit = memoryLimit > 0 ? Math.min(memoryLimit, physical) : physical;
    }

    private static long physicalMemory() {
        var os =
                ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        return os.getTotalMemorySize() & -PAGE_SIZE;
    }

    @Override
    public long totalBytes() {
        return limit;
    }

    @Override
    public synchronized long bytesInUse(String owner) {
        return owner.isEmpty()
                ? inUse
                : extents.values().stream()
                        .filter(e -> e.owner().equals(owner))
                        .mapToLong(PageExtent::bytes)
                        .sum();
    }

    @Override
    public synchronized PageExtent allocate(PageRequest request) throws HostRefusal {
        long bytes = Math.multiplyExact(request.pages(), PAGE_SIZE);
        if (bytes > limit - inUse) {
            throw new HostRefusal(
                    "host jvm: %s wants %d KiB of memory, %d KiB of %d are free"
                            .formatted(
                                    request.owner(),
                                    bytes >> 10,
                                    limit - inUse >> 10,
                                    limit >> 10));
        }
        long address = HostRange.carve(bytes, request.alignment());
        if (address + bytes > request.limit()) {
            HostRange.release(address);
            throw new HostRefusal(
                    "host jvm: no %d KiB below 0x%x are free"
                            .formatted(bytes >> 10, request.limit()));
        }
        PageExtent extent = new PageExtent(request.owner(), address, request.pages());
        extents.put(address, extent);
        inUse += bytes;
        return extent;
    }

    @Override
    public synchronized void free(PageExtent extent) {
        if (!extent.equals(extents.get(extent.address()))) {
            throw new IllegalArgumentException("not in use: " + extent);
        }
        extents.remove(extent.address());
        NativeRange.discard(HostRam.slice(extent.address(), extent.bytes()));
        inUse -= extent.bytes();
        HostRange.release(extent.address());
    }
}

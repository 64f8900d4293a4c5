package org.alcazar.hosts.support;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;

import java.util.HashMap;
import java.util.Map;

/**
 * The account of a host's pages: which extents are in use, whose they are, and how much may be in
 * use in all. Where pages come from is the host's own matter. Not safe from several threads: a
 * host's memory has a lock around it anyway.
 */
public final class Extents {
    private final String host;
    private final long limit;
    private final Map<Long, PageExtent> byAddress = new HashMap<>();
    private final Map<String, Long> byOwner = new HashMap<>();
    private long inUse;

    /**
     * An empty account.
     *
     * @param host for messages
     * @param limit bytes that may be in use
     */
    public Extents(String host, long limit) {
        this.host = host;
        this.limit = limit;
    }

    /** Bytes that may be in use in all. */
    public long limit() {
        return limit;
    }

    /** Bytes in use by an owner, or by everybody for an empty name. */
    public long bytesInUse(String owner) {
        return owner.isEmpty() ? inUse : byOwner.getOrDefault(owner, 0L);
    }

    /**
     * Whether there is room for a request.
     *
     * @return its size in bytes
     * @throws HostRefusal if the limit forbids it
     */
    public long check(PageRequest request) throws HostRefusal {
        long bytes = request.pages() << 12;
        if (request.pages() > limit - inUse >> 12) {
            throw new HostRefusal(
                    "host %s: %s wants %d KiB of memory, %d KiB of %d are free"
                            .formatted(
                                    host,
                                    request.owner(),
                                    request.pages() << 2,
                                    limit - inUse >> 10,
                                    limit >> 10));
        }
        return bytes;
    }

    /** Enters an extent. */
    public void add(PageExtent extent) {
        if (byAddress.putIfAbsent(extent.address(), extent) != null) {
            throw new IllegalStateException("in use already: " + extent);
        }
        inUse += extent.bytes();
        byOwner.merge(extent.owner(), extent.bytes(), Long::sum);
    }

    /**
     * Takes an extent out.
     *
     * @throws IllegalArgumentException if it is not in use
     */
    public void remove(PageExtent extent) {
        if (!extent.equals(byAddress.get(extent.address()))) {
            throw new IllegalArgumentException("not in use: " + extent);
        }
        byAddress.remove(extent.address());
        inUse -= extent.bytes();
        byOwner.computeIfPresent(
                extent.owner(),
                (owner, bytes) -> bytes == extent.bytes() ? null : bytes - extent.bytes());
    }
}

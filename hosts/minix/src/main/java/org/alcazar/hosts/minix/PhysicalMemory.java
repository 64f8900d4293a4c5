package org.alcazar.hosts.minix;

import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.NativeRange;

import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/** The machine's page frames, first fit. It outlives VM, which alone decides who has which. */
final class PhysicalMemory {
    private final long limit;

    /** Bytes by address. */
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    private long inUse;

    /**
     * @param limit bytes in all; 0 for what the machine has
     */
    PhysicalMemory(long limit) throws HostRefusal {
        NativeRange.provide("minix");
        long physical = NativeRange.physicalMemory();
        this.limit = limit == 0 ? physical : Math.min(limit & -4096L, physical);
    }

    long limit() {
        return limit;
    }

    synchronized long inUse() {
        return inUse;
    }

    /** Zeroed frames side by side, the last below {@code end}; empty if there are none. */
    synchronized OptionalLong take(long bytes, long alignment, long end) {
        if (bytes > limit - inUse) {
            return OptionalLong.empty();
        }
        try {
            long address = HostRange.carve(bytes, alignment);
            if (address > end - bytes) {
                HostRange.release(address);
                return OptionalLong.empty();
            }
            taken.put(address, bytes);
            inUse += bytes;
            return OptionalLong.of(address);
        } catch (HostRefusal e) {
            return OptionalLong.empty();
        }
    }

    /** Has frames read as zero. */
    void clear(long address, long bytes) {
        NativeRange.discard(HostRam.slice(address, bytes));
    }

    synchronized void release(long address) {
        Long bytes = taken.remove(address);
        if (bytes != null) {
            inUse -= bytes;
            HostRange.release(address);
        }
    }

    /** Releases all frames but those of extents that start at these addresses. */
    synchronized void keep(Set<Long> addresses) {
        for (long address : taken.keySet().stream().filter(a -> !addresses.contains(a)).toList()) {
            release(address);
        }
    }
}

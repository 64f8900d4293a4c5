package org.alcazar.host;

import java.lang.foreign.MemorySegment;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Divides the process's reserved range between the hosts that live in the process: each carves its
 * arena and allocates pages in it by its own rules. The first page is never handed out, so that
 * address 0 is always wrong.
 */
public final class HostRange {
    private static final TreeMap<Long, Long> CARVED = new TreeMap<>();

    private static volatile MemorySegment range = MemorySegment.NULL;

    private HostRange() {}

    /**
     * Provides the range, once per process; later calls change nothing.
     *
     * @param supplier gives a native segment of the global arena, zeroed, whose size is a multiple
     *     of the page size and whose start is aligned to a page
     * @return whether this call's range is the one in use
     */
    public static boolean reserve(Supplier<MemorySegment> supplier) {
        synchronized (CARVED) {
            if (range.byteSize() != 0) {
                return false;
            }
            MemorySegment offered = supplier.get();
            if (offered.byteSize() < HostMemory.PAGE_SIZE
                    || offered.byteSize() % HostMemory.PAGE_SIZE != 0
                    || offered.address() % HostMemory.PAGE_SIZE != 0) {
                throw new IllegalArgumentException("the reserved range must be whole pages");
            }
            range = offered;
            return true;
        }
    }

    /** The range, for the constants of {@link HostRam}. */
    static MemorySegment take() {
        if (range.byteSize() == 0) {
            throw new IllegalStateException("no host has reserved guest memory yet");
        }
        return range;
    }

    /**
     * Takes a contiguous arena, first fit.
     *
     * @param bytes a multiple of the page size
     * @param alignment a power of two of at least the page size
     * @throws HostRefusal if the range has no such gap
     * @throws IllegalArgumentException if the two are not as said above
     */
    public static long carve(long bytes, long alignment) throws HostRefusal {
        if (bytes <= 0
                || bytes % HostMemory.PAGE_SIZE != 0
                || alignment < HostMemory.PAGE_SIZE
                || Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException("bytes=" + bytes + " alignment=" + alignment);
        }
        synchronized (CARVED) {
            long at = alignUp(HostMemory.PAGE_SIZE, alignment);
            for (var taken : CARVED.entrySet()) {
                if (taken.getKey() - at >= bytes) {
                    break;
                }
                at = alignUp(Math.max(at, taken.getKey() + taken.getValue()), alignment);
            }
            if (HostRam.SIZE - at < bytes) {
                throw new HostRefusal(
                        "the reserved range of "
                                + (HostRam.SIZE >> 20)
                                + " MiB has no gap of "
                                + (bytes >> 20)
                                + " MiB");
            }
            CARVED.put(at, bytes);
            return at;
        }
    }

    /**
     * Gives an arena back.
     *
     * @throws IllegalArgumentException if no arena in use starts at {@code address}
     */
    public static void release(long address) {
        synchronized (CARVED) {
            if (CARVED.remove(address) == null) {
                throw new IllegalArgumentException(
                        "no arena starts at " + Long.toHexString(address));
            }
        }
    }

    private static long alignUp(long address, long alignment) {
        return (address + alignment - 1) & -alignment;
    }
}

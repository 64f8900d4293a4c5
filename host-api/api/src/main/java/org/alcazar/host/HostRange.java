package org.alcazar.host;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Divides the process's reserved range between the hosts that live in the process: each carves its
 * arena and allocates pages in it by its own rules. The first page is never handed out, so that
 * address 0 is always wrong.
 */
public final class HostRange {
    private static final TreeMap<Long, Long> CARVED = new TreeMap<>();

    /** What a host gives for {@link HostRam#compareAndExchange16}. */
    static final MethodType EXCHANGE_16 =
            MethodType.methodType(
                    boolean.class, long.class, MemorySegment.class, long.class, long.class);

    private static volatile MemorySegment range = MemorySegment.NULL;
    private static volatile @Nullable MethodHandle exchange16;

    private HostRange() {}

    /** {@link #reserve(Supplier, MethodHandle)} by a host without atomic access to 16 bytes. */
    public static boolean reserve(Supplier<MemorySegment> supplier) {
        return reserve(supplier, null);
    }

    /**
     * Provides the range, once per process; later calls change nothing.
     *
     * @param supplier gives a native segment of the global arena, zeroed, whose size is a multiple
     *     of the page size and whose start is aligned to a page
     * @param exchange16 the host's own compare-and-exchange of 16 aligned bytes, or null: {@code
     *     boolean (long at, MemorySegment expected, long low, long high)}, of which {@code at} is a
     *     native address and {@code expected} two longs in the host's byte order, which receive
     *     what is there if it is something else. It must be atomic against all other accesses, have
     *     the ordering of a volatile read and write also where it fails, and not block
     * @return whether this call's range is the one in use
     * @throws IllegalArgumentException if the range or the type of {@code exchange16} is wrong
     */
    public static boolean reserve(
            Supplier<MemorySegment> supplier, @Nullable MethodHandle exchange16) {
        if (exchange16 != null && !exchange16.type().equals(EXCHANGE_16)) {
            throw new IllegalArgumentException("wrong type: " + exchange16.type());
        }
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
            HostRange.exchange16 = exchange16;
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

    /** For the constants of {@link HostRam}, after {@link #take}. */
    static @Nullable MethodHandle exchange16() {
        return exchange16;
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

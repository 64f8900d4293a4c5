package org.alcazar.hosts.kitten;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/**
 * A binary buddy allocator (Knuth, The Art of Computer Programming, vol. 1, 2.5; Kitten's {@code
 * kernel/mem}). Blocks are powers of two and lie at multiples of their size. A request that is no
 * power of two takes the head of a block; what is left of it stays free, so nothing is wasted. Two
 * free buddies never exist side by side: they are joined at once.
 *
 * <p>The smallest block that will do is taken, of these the one with the lowest address: addresses
 * depend on the sequence of requests alone. Not safe from several threads.
 */
final class BuddyAllocator {
    static final int PAGE_ORDER = 12;
    private static final int ORDERS = 62;

    /** Free blocks of each order by address. */
    private final List<TreeSet<Long>> free = new ArrayList<>();

    /** Order of each region by its address. No block grows beyond its region. */
    private final NavigableMap<Long, Integer> regions = new TreeMap<>();

    private final LongConsumer splits;
    private final LongConsumer merges;
    private long freeBytes;

    /**
     * An allocator without memory.
     *
     * @param splits is told how many blocks were split
     * @param merges is told how many pairs were joined
     */
    BuddyAllocator(LongConsumer splits, LongConsumer merges) {
        this.splits = splits;
        this.merges = merges;
        for (int order = 0; order < ORDERS; order++) {
            free.add(new TreeSet<>());
        }
    }

    /**
     * Adds free memory.
     *
     * @param bytes a power of two of at least a page
     * @param address a multiple of {@code bytes}
     */
    void addRegion(long address, long bytes) {
        if (Long.bitCount(bytes) != 1 || (address & bytes - 1) != 0 || bytes < 1L << PAGE_ORDER) {
            throw new IllegalArgumentException("address=" + address + " bytes=" + bytes);
        }
        int order = Long.numberOfTrailingZeros(bytes);
        regions.put(address, order);
        free.get(order).add(address);
        freeBytes += bytes;
    }

    /**
     * Takes contiguous memory.
     *
     * @param bytes whole pages, at least one
     * @param alignment a power of two
     * @param limit address that the last byte must lie below
     * @return its address; empty if there is none
     */
    OptionalLong allocate(long bytes, long alignment, long limit) {
        int least = orderOf(Math.max(bytes, alignment));
        for (int order = least; order < ORDERS; order++) {
            TreeSet<Long> blocks = free.get(order);
            if (!blocks.isEmpty() && blocks.first() <= limit - bytes) {
                long address = blocks.removeFirst();
                trim(address, order, bytes);
                freeBytes -= bytes;
                return OptionalLong.of(address);
            }
        }
        return OptionalLong.empty();
    }

    /** The order of the smallest block that holds so many bytes; 63 if none does. */
    private static int orderOf(long bytes) {
        return Long.SIZE - Long.numberOfLeadingZeros(bytes - 1);
    }

    /** Splits a block until its first bytes stand alone; all the rest stays free. */
    private void trim(long block, int blockOrder, long wanted) {
        long address = block;
        long bytes = wanted;
        int order = blockOrder;
        while (bytes < 1L << order) {
            order--;
            splits.accept(1);
            long half = 1L << order;
            if (bytes <= half) {
                free.get(order).add(address + half);
            } else {
                address += half;
                bytes -= half;
            }
        }
    }

    /** Gives back what {@link #allocate} has given, whole. */
    void free(long start, long size) {
        long address = start;
        long bytes = size;
        while (bytes > 0) {
            int order =
                    Math.min(
                            Long.numberOfTrailingZeros(address),
                            Long.SIZE - 1 - Long.numberOfLeadingZeros(bytes));
            insert(address, order);
            address += 1L << order;
            bytes -= 1L << order;
        }
        freeBytes += size;
    }

    private void insert(long block, int blockOrder) {
        var region = regions.floorEntry(block);
        if (region == null
                || block + (1L << blockOrder) > region.getKey() + (1L << region.getValue())) {
            throw new IllegalStateException("in no region: " + Long.toHexString(block));
        }
        long address = block;
        int order = blockOrder;
        while (order < region.getValue() && free.get(order).remove(address ^ 1L << order)) {
            merges.accept(1);
            address &= -1L << order + 1;
            order++;
        }
        if (!free.get(order).add(address)) {
            throw new IllegalStateException("free already: " + Long.toHexString(address));
        }
    }

    /** Bytes that are free in all. */
    long freeBytes() {
        return freeBytes;
    }

    /** The largest free block in bytes; 0 if nothing is free. */
    long largestFree() {
        for (int order = ORDERS - 1; order >= PAGE_ORDER; order--) {
            if (!free.get(order).isEmpty()) {
                return 1L << order;
            }
        }
        return 0;
    }

    /** How many free blocks there are. */
    int freeBlocks() {
        return free.stream().mapToInt(TreeSet::size).sum();
    }
}

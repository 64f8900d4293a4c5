package org.alcazar.hosts.kitten;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;

/** Blocks are split, joined, and never wasted. */
class BuddyAllocatorTest {
    private static final long PAGE = 4096;
    private static final long MIB = 1L << 20;
    private static final long BASE = 64 * MIB;
    private static final long NO_LIMIT = Long.MAX_VALUE;

    private long splits;
    private long merges;

    private BuddyAllocator of(long bytes) {
        BuddyAllocator buddies = new BuddyAllocator(n -> splits += n, n -> merges += n);
        buddies.addRegion(BASE, bytes);
        return buddies;
    }

    @Test
    void thePowerOfTwoIsABlockOfItsSize() {
        BuddyAllocator buddies = of(16 * PAGE);
        assertEquals(OptionalLong.of(BASE), buddies.allocate(4 * PAGE, PAGE, NO_LIMIT));
        assertEquals(2, splits);
        assertEquals(OptionalLong.of(BASE + 4 * PAGE), buddies.allocate(4 * PAGE, PAGE, NO_LIMIT));
        assertEquals(2, splits, "there was a block of that size");
        assertEquals(8 * PAGE, buddies.largestFree());
    }

    @Test
    void whatIsNoPowerOfTwoGivesItsTailBack() {
        BuddyAllocator buddies = of(16 * PAGE);
        assertEquals(OptionalLong.of(BASE), buddies.allocate(11 * PAGE, PAGE, NO_LIMIT));
        assertEquals(5 * PAGE, buddies.freeBytes());
        assertEquals(OptionalLong.of(BASE + 11 * PAGE), buddies.allocate(PAGE, PAGE, NO_LIMIT));
        assertEquals(OptionalLong.of(BASE + 12 * PAGE), buddies.allocate(4 * PAGE, PAGE, NO_LIMIT));
        assertEquals(0, buddies.freeBytes());
        buddies.free(BASE + 11 * PAGE, PAGE);
        buddies.free(BASE, 11 * PAGE);
        buddies.free(BASE + 12 * PAGE, 4 * PAGE);
        assertEquals(1, buddies.freeBlocks());
        assertEquals(16 * PAGE, buddies.largestFree());
        assertEquals(splits, merges);
    }

    @Test
    void alignmentCostsNothingElse() {
        BuddyAllocator buddies = of(4 * MIB);
        buddies.allocate(PAGE, PAGE, NO_LIMIT);
        assertEquals(OptionalLong.of(BASE + MIB), buddies.allocate(PAGE, MIB, NO_LIMIT));
        assertEquals(4 * MIB - 2 * PAGE, buddies.freeBytes());
        assertEquals(OptionalLong.empty(), buddies.allocate(PAGE, 8 * MIB, NO_LIMIT));
    }

    @Test
    void nothingReachesBeyondTheLimit() {
        BuddyAllocator buddies = of(4 * MIB);
        assertEquals(OptionalLong.empty(), buddies.allocate(2 * PAGE, PAGE, BASE + PAGE));
        assertEquals(OptionalLong.of(BASE), buddies.allocate(PAGE, PAGE, BASE + PAGE));
        assertEquals(OptionalLong.empty(), buddies.allocate(PAGE, PAGE, BASE + PAGE));
        assertEquals(4 * MIB - PAGE, buddies.freeBytes());
    }

    @Test
    void moreThanThereIsIsNotThere() {
        BuddyAllocator buddies = of(4 * MIB);
        assertEquals(OptionalLong.empty(), buddies.allocate(4 * MIB + PAGE, PAGE, NO_LIMIT));
        assertEquals(
                OptionalLong.empty(), buddies.allocate(Long.MAX_VALUE & -PAGE, PAGE, NO_LIMIT));
    }

    @Test
    void regionsSideBySideStayApart() {
        BuddyAllocator buddies = of(MIB);
        buddies.addRegion(BASE + MIB, MIB);
        OptionalLong first = buddies.allocate(PAGE, PAGE, NO_LIMIT);
        buddies.free(first.orElseThrow(), PAGE);
        assertEquals(2, buddies.freeBlocks());
        assertEquals(OptionalLong.empty(), buddies.allocate(2 * MIB, PAGE, NO_LIMIT));
    }

    @Test
    void freeMemoryCanNotBeFreed() {
        BuddyAllocator buddies = of(MIB);
        assertThrows(IllegalStateException.class, () -> buddies.free(BASE + MIB, PAGE));
        assertThrows(IllegalStateException.class, () -> buddies.free(BASE, MIB));
    }

    /** One extent of the reference model. */
    private record Taken(long page, long pages) {}

    /**
     * The reference is a bit per page. What it says is free in an aligned block the allocator has
     * to find; no two extents share a page; and free memory never lies in two buddies.
     */
    @Test
    void anyWorkloadAgreesWithABitPerPageAndEndsInOneBlock() {
        int pages = 1024;
        for (long seed = 1; seed <= 20; seed++) {
            Random random = new Random(seed);
            BuddyAllocator buddies = of(pages * PAGE);
            BitSet used = new BitSet(pages);
            List<Taken> taken = new ArrayList<>();
            for (int step = 0; step < 1000; step++) {
                if (taken.isEmpty() || random.nextInt(5) < 3) {
                    step(buddies, used, taken, random);
                } else {
                    Taken gone = taken.remove(random.nextInt(taken.size()));
                    used.clear((int) gone.page(), (int) (gone.page() + gone.pages()));
                    buddies.free(BASE + gone.page() * PAGE, gone.pages() * PAGE);
                }
                assertEquals((pages - used.cardinality()) * PAGE, buddies.freeBytes());
                assertEquals(largestAligned(used, pages) * PAGE, buddies.largestFree());
            }
            taken.forEach(t -> buddies.free(BASE + t.page() * PAGE, t.pages() * PAGE));
            assertEquals(1, buddies.freeBlocks());
            assertEquals(pages * PAGE, buddies.largestFree());
        }
    }

    private static void step(
            BuddyAllocator buddies, BitSet used, List<Taken> taken, Random random) {
        int count = 1 + random.nextInt(1 << random.nextInt(9));
        long alignment = PAGE << random.nextInt(4);
        int block = Integer.highestOneBit(2 * count - 1);
        boolean fits = largestAligned(used, 1024) >= Math.max(block, alignment / PAGE);
        OptionalLong at = buddies.allocate(count * PAGE, alignment, NO_LIMIT);
        assertEquals(fits, at.isPresent());
        if (fits) {
            assertEquals(0, at.getAsLong() % alignment);
            int page = (int) ((at.getAsLong() - BASE) / PAGE);
            assertTrue(used.get(page, page + count).isEmpty(), "nobody else has them");
            used.set(page, page + count);
            taken.add(new Taken(page, count));
        }
    }

    /** The largest aligned power of two of pages without a used one. */
    private static int largestAligned(BitSet used, int pages) {
        for (int size = pages; size > 0; size >>= 1) {
            for (int page = 0; page < pages; page += size) {
                int next = used.nextSetBit(page);
                if (next < 0 || next >= page + size) {
                    return size;
                }
            }
        }
        return 0;
    }
}

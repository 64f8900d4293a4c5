package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Pages: how many, where, whose, and that they come back. */
abstract class MemoryTests extends HostSuite {
    private static final long PAGE = HostMemory.PAGE_SIZE;

    /** What guests and their page tables ask for; more is welcome, and may be refused. */
    private static final long NEEDED_ALIGNMENT = 2 * MIB;

    private static final int THREADS = 4;

    private static PageRequest aligned(long pages, long alignment) {
        return new PageRequest("aligned", pages, alignment, PageRequest.ANY_NODE, Long.MAX_VALUE);
    }

    private static PageRequest below(long pages, long limit) {
        return new PageRequest("low", pages, PAGE, PageRequest.ANY_NODE, limit);
    }

    private PageExtent take(String owner, long pages) throws HostRefusal {
        PageExtent extent = memory().allocate(PageRequest.of(owner, pages));
        assertEquals(pages, extent.pages());
        assertEquals(owner, extent.owner());
        return extent;
    }

    private void freeAll(List<PageExtent> extents) {
        extents.forEach(memory()::free);
        extents.clear();
    }

    /** First word of each page. */
    private static void stamp(PageExtent extent, long mark) {
        for (long at = 0; at < extent.bytes(); at += PAGE) {
            HostRam.setLong(extent.address() + at, mark + at);
        }
    }

    private static void assertStamped(PageExtent extent, long mark) {
        for (long at = 0; at < extent.bytes(); at += PAGE) {
            assertEquals(
                    mark + at, HostRam.getLong(extent.address() + at), "somebody else's " + extent);
        }
    }

    private static void assertZero(PageExtent extent) {
        assertEquals(
                -1,
                HostRam.slice(extent.address(), extent.bytes())
                        .mismatch(MemorySegment.ofArray(new byte[(int) extent.bytes()])),
                () -> "not zeroed: " + extent);
    }

    @Test
    void pagesAreZeroedAlignedAndAccountedToTheirOwner() throws HostRefusal {
        PageExtent extent = memory().allocate(aligned(512, 2 * MIB));
        assertEquals(0, extent.address() % (2 * MIB));
        assertEquals(2 * MIB, memory().bytesInUse("aligned"));
        assertEquals(2 * MIB, memory().bytesInUse(""));
        assertEquals(0, memory().bytesInUse("somebody else"));
        assertZero(extent);
        memory().free(extent);
        assertEquals(0, memory().bytesInUse("aligned"));
    }

    @Test
    void freedPagesComeBackAsZeros() throws HostRefusal {
        for (long pages : new long[] {1, 4, 513}) {
            PageExtent first = take("a", pages);
            HostRam.fill(first.address(), first.bytes(), (byte) 0x5a);
            memory().free(first);
            assertZero(first); // a late access
            PageExtent second = take("b", pages);
            assertZero(second);
            memory().free(second);
        }
    }

    @Test
    void sixteenBytesAreExchangedWhole() throws HostRefusal, InterruptedException {
        PageExtent extent = take("a", 1);
        try {
            assumeTrue(HostRam.EXCHANGES_16, "a host may have no such exchange");
            long at = extent.address() + 16;
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                threads.add(Thread.ofPlatform().start(() -> addToPair(at, 10_000)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(20_000, HostRam.getLong(at));
            assertEquals(60_000, HostRam.getLong(at + 8));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> HostRam.compareAndExchange16(at + 8, MemorySegment.NULL, 0, 0));
        } finally {
            memory().free(extent);
        }
    }

    /** A failed exchange tells what is there, and the next one starts from that. */
    private static void addToPair(long at, int times) {
        MemorySegment pair = MemorySegment.ofArray(new long[2]);
        for (int i = 0; i < times; ) {
            long low = pair.get(ValueLayout.JAVA_LONG, 0);
            long high = pair.get(ValueLayout.JAVA_LONG, 8);
            if (HostRam.compareAndExchange16(at, pair, low + 1, high + 3)) {
                i++;
            }
        }
    }

    @Test
    void everyAlignmentThatGuestsNeedIsKeptAndAGreaterOneKeptOrRefused() throws HostRefusal {
        for (int shift = HostMemory.PAGE_SHIFT; shift < 63; shift++) {
            long alignment = 1L << shift;
            PageExtent odd = take("odd", 3); // so that the next free page is aligned to nothing
            try {
                PageExtent extent = memory().allocate(aligned(1, alignment));
                assertEquals(0, extent.address() % alignment, "alignment " + alignment);
                memory().free(extent);
            } catch (HostRefusal e) {
                assertTrue(alignment > NEEDED_ALIGNMENT, () -> "refused: " + e.getMessage());
                oneLine(String.valueOf(e.getMessage()));
                assertEquals(0, memory().bytesInUse("aligned"));
            }
            memory().free(odd);
        }
    }

    @Test
    void anyCountOfPagesIsAccountedToThePage() throws HostRefusal {
        List<PageExtent> extents = new ArrayList<>();
        long sum = 0;
        for (long pages : new long[] {1, 2, 3, 5, 7, 31, 33, 100, 255, 257, 511, 513, 1000}) {
            extents.add(take("odd", pages));
            sum += pages * PAGE;
            assertEquals(sum, memory().bytesInUse("odd"));
            assertEquals(sum, memory().bytesInUse(""));
        }
        assertApart(extents);
        freeAll(extents);
    }

    private static void assertApart(List<PageExtent> extents) {
        for (PageExtent a : extents) {
            assertTrue(a.address() > 0 && a.address() + a.bytes() <= HostRam.SIZE, a::toString);
            assertEquals(0, a.address() % PAGE, a::toString);
            for (PageExtent b : extents) {
                assertTrue(
                        a == b
                                || a.address() + a.bytes() <= b.address()
                                || b.address() + b.bytes() <= a.address(),
                        () -> a + " and " + b);
            }
        }
    }

    @Test
    void anAddressLimitIsKeptOrRefused() throws HostRefusal {
        PageExtent probe = take("probe", 4);
        long end = probe.address() + probe.bytes();
        memory().free(probe);
        PageExtent extent = memory().allocate(below(4, end)); // there is such an extent: the probe
        assertTrue(extent.address() + extent.bytes() <= end, extent::toString);
        memory().free(extent);
        for (long limit : new long[] {0, 1, PAGE, 2 * PAGE - 1}) { // the first page is nobody's
            refused(() -> memory().allocate(below(1, limit)));
        }
        refused(() -> memory().allocate(below(2, 2 * PAGE)));
        assertEquals(0, memory().bytesInUse(""));
    }

    @Test
    void whatCanNeverBeHadIsRefusedInALineAndTakesNothing() {
        long pages = memory().totalBytes() / PAGE + 1;
        for (long greed : new long[] {pages, 2 * pages, 1L << 51, 1L << 52, Long.MAX_VALUE}) {
            refused(() -> memory().allocate(PageRequest.of("greedy", greed)));
            assertEquals(0, memory().bytesInUse("greedy"));
            assertEquals(0, memory().bytesInUse(""));
        }
    }

    /** All pages that there are, in pieces of at most so many; refused at last. */
    private long takeAll(String owner, long most, List<PageExtent> into) {
        long sum = 0;
        for (long piece = most; piece > 0; ) {
            try {
                PageExtent extent = take(owner, piece);
                into.add(extent);
                sum += extent.bytes();
            } catch (HostRefusal e) {
                oneLine(String.valueOf(e.getMessage()));
                piece /= 2;
            }
        }
        return sum;
    }

    @Test
    void allIsHandedOutToTheLastPageThenRefusedAndTheSameAgainAfterwards() throws HostRefusal {
        long total = memory().totalBytes();
        assertEquals(0, total % PAGE);
        List<PageExtent> first = new ArrayList<>();
        assertEquals(total, takeAll("all", total / PAGE / 4, first));
        assertEquals(total, memory().bytesInUse("all"));
        refused(() -> memory().allocate(PageRequest.of("late", 1)));
        assertEquals(0, memory().bytesInUse("late"));
        // One page more, and just one.
        PageExtent last = first.removeLast();
        memory().free(last);
        List<PageExtent> rest = new ArrayList<>();
        assertEquals(last.bytes(), takeAll("late", last.pages(), rest));
        freeAll(rest);
        List<Long> sizes = new ArrayList<>(first.stream().map(PageExtent::pages).toList());
        sizes.add(last.pages());
        freeAll(first);
        List<PageExtent> second = new ArrayList<>();
        assertEquals(total, takeAll("all", total / PAGE / 4, second));
        assertEquals(sizes, second.stream().map(PageExtent::pages).toList(), "in equal pieces");
        freeAll(second);
    }

    @Test
    void severalThreadsShareTheLastPages() throws HostRefusal {
        long total = memory().totalBytes();
        AtomicLong sum = new AtomicLong();
        List<PageExtent> all = new ArrayList<>();
        together(
                THREADS,
                number -> {
                    List<PageExtent> mine = new ArrayList<>();
                    sum.addAndGet(takeAll("t" + number, Math.max(1, total / PAGE / 256), mine));
                    synchronized (all) {
                        all.addAll(mine);
                    }
                });
        assertEquals(total, sum.get());
        synchronized (all) {
            all.sort((a, b) -> Long.compare(a.address(), b.address()));
            for (int i = 1; i < all.size(); i++) {
                PageExtent before = all.get(i - 1);
                PageExtent next = all.get(i);
                assertTrue(
                        before.address() + before.bytes() <= next.address(),
                        () -> before + " and " + next);
            }
            freeAll(all);
        }
    }

    @Test
    void ownersAreAccountedApartWhileSeveralThreadsComeAndGo() throws HostRefusal {
        together(THREADS, this::comeAndGo);
        for (int i = 0; i < THREADS; i++) {
            assertEquals(0, memory().bytesInUse("t" + i));
        }
        assertEquals(0, memory().bytesInUse("shared"));
    }

    private void comeAndGo(int number) throws HostRefusal {
        Random random = new Random(number);
        String owner = "t" + number;
        long mark = (long) number << 48;
        List<PageExtent> held = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < 150; i++) {
            if (held.size() == 12 || !held.isEmpty() && random.nextBoolean()) {
                PageExtent extent = held.remove(random.nextInt(held.size()));
                assertStamped(extent, mark);
                memory().free(extent);
                bytes -= extent.bytes();
            } else {
                PageExtent extent = take(owner, 1 + random.nextInt(9));
                assertEquals(0, HostRam.getLong(extent.address()));
                stamp(extent, mark);
                held.add(extent);
                bytes += extent.bytes();
            }
            assertEquals(bytes, memory().bytesInUse(owner));
            memory().free(take("shared", 1));
        }
        held.forEach(extent -> assertStamped(extent, mark));
        freeAll(held);
    }

    @Test
    void whatIsNotHeldLikeThatCanNotBeFreed() throws HostRefusal {
        PageExtent held = take("a", 4);
        stamp(held, 7);
        for (PageExtent wrong :
                List.of(
                        new PageExtent("b", held.address(), 4), // somebody else's
                        new PageExtent("a", held.address(), 3),
                        new PageExtent("a", held.address(), 5),
                        new PageExtent("a", held.address() + PAGE, 3),
                        new PageExtent("a", held.address() + 1, 4),
                        new PageExtent("a", 0, 4),
                        new PageExtent("a", -PAGE, 4),
                        new PageExtent("a", Long.MAX_VALUE - PAGE + 1, 4))) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> memory().free(wrong),
                    () -> wrong + " is not " + held);
            assertEquals(held.bytes(), memory().bytesInUse("a"));
        }
        assertStamped(held, 7);
        memory().free(held);
        assertThrows(IllegalArgumentException.class, () -> memory().free(held), "twice");
        assertEquals(0, memory().bytesInUse("a"));
    }

    @Test
    void discardedPagesReadAsZeroAndStayTheirOwners() throws HostRefusal {
        PageExtent held = take("a", 1000);
        stamp(held, 7);
        memory().discard(held.address() + PAGE, 998);
        for (long at = held.address() + PAGE; at < held.address() + 999 * PAGE; at += 512) {
            assertEquals(0, HostRam.getLong(at), "byte " + (at - held.address()));
        }
        assertEquals(held.bytes(), memory().bytesInUse("a"));
        assertStamped(new PageExtent("a", held.address(), 1), 7);
        memory().discard(held.address(), 1); // where a large page of the host may begin
        assertEquals(0, HostRam.getLong(held.address()));
        HostRam.setLong(held.address() + 5 * PAGE, 9);
        assertEquals(9, HostRam.getLong(held.address() + 5 * PAGE));
        memory().free(held);
        assertEquals(0, memory().bytesInUse("a"));
    }

    @Test
    void pagesStayAsTheyAreWhileNeighboursComeAndGo() throws HostRefusal {
        List<PageExtent> held = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            PageExtent extent = take("a", 1 + i % 5);
            stamp(extent, i);
            held.add(extent);
        }
        for (int i = 0; i < held.size(); i += 2) {
            memory().free(held.get(i));
        }
        for (int i = 0; i < held.size(); i += 2) {
            held.set(i, take("a", held.get(i).pages()));
            assertZero(held.get(i));
            stamp(held.get(i), i);
        }
        assertApart(held);
        for (int i = 0; i < held.size(); i++) {
            assertStamped(held.get(i), i);
        }
        freeAll(held);
    }

    @Test
    void aWildAccessThrowsAndHarmsNothing() throws HostRefusal {
        memory().free(take("a", 1)); // the range is there
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getLong(HostRam.SIZE - 4));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.setByte(-1, (byte) 1));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getByte(Long.MAX_VALUE));
    }
}

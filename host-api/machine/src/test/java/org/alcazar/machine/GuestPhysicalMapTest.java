package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.util.BitSet;
import java.util.List;

class GuestPhysicalMapTest {
    private static final long PAGE = HostMemory.PAGE_SIZE;
    private static final long HIGH = 0x1_0000_0000L;

    private final GuestPhysicalMap map = new GuestPhysicalMap();
    private long arena;

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, PAGE));
    }

    /** RAM of 8 pages at 0 and of 4 pages at 4 GiB, a device window behind it. */
    @BeforeEach
    void build() throws HostRefusal {
        arena = HostRange.carve(16 * PAGE, PAGE);
        map.add(new Range(HIGH, 4 * PAGE, arena + 8 * PAGE, Rights.ALL, true));
        map.add(new Range(0, 8 * PAGE, arena, Rights.ALL, true));
        map.add(
                new Range(
                        HIGH + 4 * PAGE,
                        PAGE,
                        PhysicalBus.WINDOWS,
                        Rights.READ | Rights.WRITE,
                        false));
    }

    @AfterEach
    void release() {
        map.stopDirtyLog();
        HostRange.release(arena);
    }

    @Test
    void rangesAreAscending() {
        assertEquals(
                List.of(0L, HIGH, HIGH + 4 * PAGE),
                map.ranges().stream().map(Range::start).toList());
    }

    @Test
    void addressesAreFoundToTheLastByte() {
        assertEquals(0, map.find(0));
        assertEquals(0, map.find(8 * PAGE - 1));
        assertEquals(-1, map.find(8 * PAGE));
        assertEquals(-1, map.find(HIGH - 1));
        assertEquals(1, map.find(HIGH));
        assertEquals(2, map.find(HIGH + 4 * PAGE));
        assertEquals(-1, map.find(HIGH + 5 * PAGE));
        assertEquals(-1, map.find(-1));
        assertEquals(HIGH, map.range(map.find(HIGH + 5)).start());
    }

    @Test
    void hostAddressesFollow() {
        assertEquals(arena + 5, map.toHost(5));
        assertEquals(arena + 8 * PAGE + 5, map.toHost(HIGH + 5));
        assertEquals(PhysicalBus.WINDOWS + 5, map.toHost(HIGH + 4 * PAGE + 5));
        assertEquals(-1, map.toHost(8 * PAGE));
    }

    @Test
    void stretchesAreOnlyOfRamInOneRange() {
        assertEquals(arena, map.toHost(0, 8 * PAGE));
        assertEquals(-1, map.toHost(0, 8 * PAGE + 1));
        assertEquals(arena + 8 * PAGE - 1, map.toHost(8 * PAGE - 1, 1));
        assertEquals(-1, map.toHost(8 * PAGE - 1, 2));
        assertEquals(-1, map.toHost(HIGH + 4 * PAGE, 1), "a device's window");
        assertEquals(-1, map.toHost(0, -1));
        assertEquals(-1, map.toHost(0, Long.MAX_VALUE));
    }

    @Test
    void rangesThatAreNoPagesOrOverlapAreRefused() {
        List<Range> wrong =
                List.of(
                        new Range(1, PAGE, 0, Rights.ALL, true),
                        new Range(HIGH * 2, 100, 0, Rights.ALL, true),
                        new Range(HIGH * 2, PAGE, 8, Rights.ALL, true),
                        new Range(HIGH * 2, 0, 0, Rights.ALL, true),
                        new Range(HIGH * 2, -PAGE, 0, Rights.ALL, true),
                        new Range(-PAGE, PAGE, 0, Rights.ALL, true),
                        new Range(Long.MAX_VALUE & -PAGE, 2 * PAGE, 0, Rights.ALL, true),
                        new Range(7 * PAGE, PAGE, 0, Rights.ALL, true),
                        new Range(HIGH - PAGE, 2 * PAGE, 0, Rights.ALL, true),
                        new Range(0, HIGH * 2, 0, Rights.ALL, true));
        for (Range range : wrong) {
            assertThrows(IllegalArgumentException.class, () -> map.add(range), range::toString);
        }
        assertEquals(3, map.ranges().size());
        map.add(new Range(8 * PAGE, PAGE, arena + 12 * PAGE, Rights.READ, true));
    }

    @Test
    void aRangeIsRemovedByItsStart() {
        assertThrows(IllegalArgumentException.class, () -> map.remove(PAGE));
        map.remove(HIGH);
        assertEquals(-1, map.find(HIGH));
        assertThrows(IllegalArgumentException.class, () -> map.remove(HIGH));
        map.add(new Range(HIGH, PAGE, arena + 8 * PAGE, Rights.ALL, true));
    }

    @Test
    void theDirtyLogHasEachWrittenPageOnce() {
        RamPages.setByte(arena, (byte) 1);
        map.startDirtyLog();
        RamPages.setByte(arena + 2 * PAGE, (byte) 1);
        RamPages.setByte(arena + 2 * PAGE + 9, (byte) 1);
        RamPages.setLong(arena + 4 * PAGE - 4, 1);
        RamPages.setByte(arena + 11 * PAGE, (byte) 1);
        RamPages.setByte(arena + 12 * PAGE, (byte) 1);
        assertEquals(pages(2, 3, 4, (HIGH >> 12) + 3), map.drainDirtyLog());
    }

    @Test
    void aDrainedLogStartsAnew() {
        map.startDirtyLog();
        RamPages.setByte(arena, (byte) 1);
        assertEquals(pages(0), map.drainDirtyLog());
        assertEquals(pages(), map.drainDirtyLog());
        RamPages.setByte(arena, (byte) 2);
        RamPages.setByte(arena + PAGE, (byte) 2);
        assertEquals(pages(0, 1), map.drainDirtyLog());
    }

    @Test
    void allPagesOfRamAreWatchedWhileTheLogIsOnAndNoneAfterwards() {
        map.startDirtyLog();
        map.startDirtyLog();
        for (int i = 0; i < 12; i++) {
            assertEquals(RamPages.LOGGED, RamPages.flags(arena + i * PAGE));
        }
        assertEquals(0, RamPages.flags(arena + 12 * PAGE));
        RamPages.setByte(arena, (byte) 1);
        assertEquals(0, RamPages.flags(arena), "a page that is dirty needs no watch");
        map.stopDirtyLog();
        for (int i = 0; i < 12; i++) {
            assertEquals(0, RamPages.flags(arena + i * PAGE));
        }
        RamPages.setByte(arena + PAGE, (byte) 1);
        map.startDirtyLog();
        assertEquals(pages(), map.drainDirtyLog());
    }

    @Test
    void theLogLeavesOtherFlagsAlone() {
        RamPages.mark(arena, RamPages.CODE);
        map.startDirtyLog();
        RamPages.setByte(arena, (byte) 1);
        assertEquals(RamPages.CODE, RamPages.flags(arena));
        map.stopDirtyLog();
        assertEquals(RamPages.CODE, RamPages.flags(arena));
        RamPages.unmark(arena, RamPages.CODE);
    }

    @Test
    void aPageThatIsMappedTwiceIsDirtyTwice() {
        map.add(new Range(HIGH * 2, PAGE, arena + 2 * PAGE, Rights.ALL, true));
        map.startDirtyLog();
        RamPages.setByte(arena + 2 * PAGE, (byte) 1);
        assertEquals(pages(2, HIGH * 2 >> 12), map.drainDirtyLog());
    }

    @Test
    void memoryThatIsGoneIsNotInTheLogAnyMore() {
        map.startDirtyLog();
        RamPages.setByte(arena + PAGE, (byte) 1);
        RamPages.setByte(arena + 9 * PAGE, (byte) 1);
        map.remove(HIGH);
        assertEquals(0, RamPages.flags(arena + 8 * PAGE));
        assertEquals(pages(1), map.drainDirtyLog());
        map.add(new Range(HIGH, 4 * PAGE, arena + 8 * PAGE, Rights.ALL, true));
        assertTrue(map.drainDirtyLog().isEmpty());
        RamPages.setByte(arena + 8 * PAGE, (byte) 1);
        assertEquals(pages(HIGH >> 12), map.drainDirtyLog(), "new memory is logged too");
    }

    private static final long OWN = PageEntry.PRESENT;
    private static final long SHARED = PageEntry.PRESENT | PageEntry.SHARED;

    /** The entry of the page with this number in the arena. */
    private long at(int page, long flags) {
        return arena + page * PAGE | flags;
    }

    @Test
    void aRangeThatIsSplitStaysWhereItIs() {
        map.split(map.find(0));
        assertTrue(map.range(0).paged());
        assertEquals(arena + 5, map.toHost(5));
        assertEquals(arena, map.toHost(0, 8 * PAGE));
        assertEquals(arena + PAGE, map.toHost(PAGE, 7 * PAGE, true));
        assertEquals(-1, map.toHost(0, 8 * PAGE + 1));
        assertEquals(arena + PAGE | Rights.ALL, map.page(PAGE + 7));
        assertEquals(map.uniform(HIGH, PAGE), arena + 8 * PAGE | Rights.ALL);
        assertEquals(at(3, OWN), map.entry(3 * PAGE));
        assertEquals(at(9, OWN), map.entry(HIGH + PAGE), "of a range in one piece");
        assertEquals(-1, map.entry(8 * PAGE));
        assertEquals(-1, map.entry(HIGH + 4 * PAGE), "a device's window");
    }

    @Test
    void theHostAddressOfAPagedRangeIsOfNoUse() {
        map.split(map.find(0));
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> HostRam.setByte(map.range(0).host() + PAGE, (byte) 1));
    }

    @Test
    void pagesThatAreSharedOrProtectedCanBeReadOnly() {
        map.split(map.find(0));
        map.set(PAGE, at(1, SHARED));
        map.set(2 * PAGE, at(2, OWN | PageEntry.PROTECTED));
        assertEquals(arena + PAGE | Rights.READ | Rights.EXECUTE, map.page(PAGE));
        assertEquals(arena + 2 * PAGE | Rights.READ | Rights.EXECUTE, map.page(2 * PAGE));
        assertEquals(arena + PAGE, map.toHost(PAGE, PAGE, false));
        assertEquals(-1, map.toHost(PAGE, PAGE, true), "somebody else's too");
        assertEquals(-1, map.toHost(0, 8 * PAGE, true));
        assertEquals(arena + 2 * PAGE, map.toHost(2 * PAGE, 8, true), "binds the guest alone");
    }

    @Test
    void aPageThatIsNotThereHasNoAddress() {
        map.addPaged(HIGH * 2, 4 * PAGE, Rights.ALL);
        assertEquals(-1, map.page(HIGH * 2));
        assertEquals(-1, map.toHost(HIGH * 2, 1));
        assertEquals(-1, map.toHost(HIGH * 2));
        assertEquals(-1, map.uniform(HIGH * 2, PAGE));
        assertEquals(PageEntry.ABSENT, map.entry(HIGH * 2));
        map.set(HIGH * 2 + PAGE, at(12, OWN));
        assertEquals(arena + 12 * PAGE + 3, map.toHost(HIGH * 2 + PAGE + 3, 1));
        assertEquals(-1, map.toHost(HIGH * 2 + PAGE, PAGE + 1), "its neighbour is not there");
    }

    @Test
    void aLargePageNeedsPagesInARowWithEqualRights() {
        long base = arena + 2 * PAGE - 1 & -2 * PAGE;
        map.addPaged(HIGH * 2, 4 * PAGE, Rights.ALL);
        map.set(HIGH * 2, base | OWN);
        map.set(HIGH * 2 + PAGE, base + PAGE | OWN);
        assertEquals(base | Rights.ALL, map.uniform(HIGH * 2 + PAGE, 2 * PAGE));
        map.set(HIGH * 2 + PAGE, base + PAGE | SHARED);
        assertEquals(-1, map.uniform(HIGH * 2, 2 * PAGE), "other rights");
        map.set(HIGH * 2 + PAGE, base + 2 * PAGE | OWN);
        assertEquals(-1, map.uniform(HIGH * 2, 2 * PAGE), "another place");
        map.set(HIGH * 2 + PAGE, PageEntry.ABSENT);
        assertEquals(-1, map.uniform(HIGH * 2, 2 * PAGE), "not there");
        assertEquals(-1, map.uniform(HIGH * 2, 8 * PAGE), "beyond the range");
    }

    @Test
    void onlySmallPagesCanBeHadIfThatIsWanted() {
        map.smallPages(true);
        assertEquals(-1, map.uniform(0, 2 * PAGE));
        assertEquals(arena | Rights.ALL, map.uniform(0, PAGE));
        map.smallPages(false);
    }

    @Test
    void thePagerIsAskedForWhatCannotBeUsedAndTheMapLooksAgain() throws HostRefusal {
        map.split(map.find(0));
        map.set(0, PageEntry.ABSENT);
        map.set(PAGE, at(1, SHARED));
        map.pager((address, rights) -> {
            map.set(address, at((int) (address / PAGE), OWN));
            return false; // as if another thread had been quicker
        });
        assertEquals(arena | Rights.ALL, map.provide(0, Rights.READ));
        assertEquals(arena + PAGE | Rights.READ | Rights.EXECUTE, map.provide(PAGE, Rights.READ));
        assertEquals(arena + PAGE | Rights.ALL, map.provide(PAGE, Rights.WRITE));
        assertEquals(-1, map.provide(8 * PAGE, Rights.READ), "no range");
    }

    @Test
    void sharedEntriesAreTakenOverByAnotherMap() {
        map.split(map.find(0));
        map.set(3 * PAGE, PageEntry.ABSENT);
        GuestPhysicalMap other = new GuestPhysicalMap();
        other.addPaged(0, 8 * PAGE, Rights.ALL);
        map.share(0, other);
        for (GuestPhysicalMap one : List.of(map, other)) {
            assertEquals(at(1, SHARED), one.entry(PAGE));
            assertEquals(PageEntry.ABSENT, one.entry(3 * PAGE));
        }
        other.set(PAGE, at(12, OWN));
        assertEquals(at(1, SHARED), map.entry(PAGE));
        GuestPhysicalMap less = new GuestPhysicalMap();
        less.addPaged(0, 4 * PAGE, Rights.ALL);
        assertThrows(IllegalArgumentException.class, () -> map.share(0, less));
    }

    @Test
    void theDirtyLogFollowsPages() {
        map.startDirtyLog();
        map.split(map.find(0));
        RamPages.setByte(arena + PAGE, (byte) 1);
        assertEquals(pages(1), map.drainDirtyLog());
        GuestPhysicalMap other = new GuestPhysicalMap();
        other.addPaged(0, 8 * PAGE, Rights.ALL);
        map.share(0, other);
        assertEquals(0, RamPages.flags(arena + PAGE), "another map may get it");
        map.set(PAGE, at(12, OWN)); // the copy
        RamPages.setByte(arena + PAGE, (byte) 1);
        assertEquals(pages(), map.drainDirtyLog(), "that is not this guest's");
        RamPages.setByte(arena + 12 * PAGE, (byte) 1);
        map.set(2 * PAGE, PageEntry.ABSENT);
        map.set(3 * PAGE, 7 * PAGE | PageEntry.SWAPPED);
        assertEquals(pages(1, 2), map.drainDirtyLog(), "a page that is given back reads as zero");
        map.set(3 * PAGE, at(13, OWN));
        assertEquals(pages(), map.drainDirtyLog(), "it came back as it was");
        RamPages.setByte(arena + 13 * PAGE, (byte) 1);
        assertEquals(pages(3), map.drainDirtyLog());
        map.stopDirtyLog();
        assertEquals(0, RamPages.flags(arena + 12 * PAGE) | RamPages.flags(arena + 13 * PAGE));
    }

    private static BitSet pages(long... numbers) {
        BitSet out = new BitSet();
        for (long n : numbers) {
            out.set(Math.toIntExact(n));
        }
        return out;
    }
}

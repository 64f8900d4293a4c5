package org.alcazar.engines.x86.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Rights;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Host addresses of leaves are only numbers here: nobody goes there but the naive walker below. */
class LongModeTablesTest {
    private static final long PAGE = 4096;
    private static final long LARGE = 2L << 20;
    private static final long HUGE = 1L << 30;
    private static final long HOST = 64 * HUGE;

    private final Memory memory = new Memory();

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, PAGE));
    }

    @AfterEach
    void everythingCameBack() {
        assertEquals(0, memory.bytesInUse(""));
    }

    private LongModeTables tables() throws HostRefusal {
        return new LongModeTables(memory, "vm:test");
    }

    private static Range ram(long start, long bytes, long host) {
        return new Range(start, bytes, host, Rights.ALL, true);
    }

    /** Of a map that has this range alone. */
    private static long enter(LongModeTables tables, Range range, long at, int maxLevel)
            throws HostRefusal {
        GuestPhysicalMap map = new GuestPhysicalMap();
        map.add(range);
        return tables.map(map, at, maxLevel);
    }

    private static void mapAll(LongModeTables tables, Range range, int maxLevel)
            throws HostRefusal {
        for (long at = range.start(); at < range.end(); ) {
            at = enter(tables, range, at, maxLevel);
        }
    }

    /**
     * What the processor finds (APM volume 2, 5.3): the host address with the entry's rights in the
     * lowest three bits, or -1.
     */
    private static long walk(LongModeTables tables, long address) {
        long table = tables.root();
        boolean write = true;
        boolean execute = true;
        for (int shift = 39; ; shift -= 9) {
            long entry = HostRam.getLong(table + (address >>> shift & 511) * 8);
            if ((entry & 1) == 0) {
                return -1;
            }
            assertTrue((entry & 4) != 0, "nested walks are user accesses");
            assertTrue(shift < 39 || (entry & 0x80) == 0, "reserved bit");
            write &= (entry & 2) != 0;
            execute &= entry >= 0;
            long target = entry & 0x000f_ffff_ffff_f000L;
            if (shift == 12 || (entry & 0x80) != 0) {
                assertEquals(0, target & (1L << shift) - 1, "bits below a large page are reserved");
                long page = target | address & (1L << shift) - 1 & -PAGE;
                return page | 1 | (write ? 2 : 0) | (execute ? 4 : 0);
            }
            table = target;
        }
    }

    @Test
    void allSizesOfPagesLeadWhereTheRangeSays() throws HostRefusal {
        for (int level = 1; level <= 3; level++) {
            try (LongModeTables tables = tables()) {
                long bytes = LongModeTables.leafBytes(level);
                Range range = ram(bytes * 3, bytes * 2, HOST + bytes);
                assertEquals(bytes * 4, enter(tables, range, bytes * 3 + bytes / 2, level));
                assertEquals(-1, walk(tables, bytes * 3 - 1));
                assertEquals(HOST + bytes | 7, walk(tables, bytes * 3));
                assertEquals(HOST + 2 * bytes - PAGE | 7, walk(tables, bytes * 4 - 1));
                assertEquals(-1, walk(tables, bytes * 4));
            }
        }
        assertEquals(PAGE, LongModeTables.leafBytes(1));
        assertEquals(LARGE, LongModeTables.leafBytes(2));
        assertEquals(HUGE, LongModeTables.leafBytes(3));
    }

    @Test
    void theLargestPageThatFitsIsTaken() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            Range range = ram(LARGE - PAGE, HUGE + LARGE + PAGE, HOST - PAGE);
            assertEquals(LARGE, enter(tables, range, LARGE - PAGE, 3), "at the edge");
            assertEquals(2 * LARGE, enter(tables, range, LARGE + 5, 3));
            Range shifted = ram(2 * HUGE, HUGE, HOST + PAGE);
            assertEquals(2 * HUGE + PAGE, enter(tables, shifted, 2 * HUGE, 3), "unequal offsets");
            Range whole = ram(4 * HUGE, HUGE, HOST);
            assertEquals(5 * HUGE, enter(tables, whole, 5 * HUGE - 1, 3));
            assertEquals(4 * HUGE + LARGE, enter(tables, whole, 4 * HUGE, 2), "as asked for");
        }
    }

    @Test
    void windowsOfDevicesAreMappedPageByPage() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            Range window =
                    new Range(
                            4 * LARGE,
                            LARGE,
                            PhysicalBus.WINDOWS,
                            Rights.READ | Rights.WRITE,
                            false);
            assertEquals(4 * LARGE + PAGE, enter(tables, window, 4 * LARGE, 3));
            assertEquals(PhysicalBus.WINDOWS | 3, walk(tables, 4 * LARGE));
            assertEquals(-1, walk(tables, 4 * LARGE + PAGE));
        }
    }

    @Test
    void rightsAreThoseOfTheRange() throws HostRefusal {
        for (int rights : new int[] {1, 3, 5, 7}) {
            try (LongModeTables tables = tables()) {
                Range range = new Range(LARGE, LARGE, HOST, rights, true);
                enter(tables, range, LARGE, 2);
                assertEquals(HOST | rights, walk(tables, LARGE));
            }
        }
    }

    @Test
    void theWholeOfAnUnevenRangeIsMappedAndNothingBeside() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            Range range = ram(HUGE - 3 * PAGE, HUGE + LARGE + 8 * PAGE, HOST + HUGE - 3 * PAGE);
            mapAll(tables, range, 3);
            assertEquals(-1, walk(tables, range.start() - 1));
            assertEquals(-1, walk(tables, range.end()));
            for (long at = range.start(); at < range.end(); at += 97 * PAGE) {
                assertEquals(HOST + at | 7, walk(tables, at));
            }
            assertEquals(HOST + range.end() - PAGE | 7, walk(tables, range.end() - 1));
        }
    }

    @Test
    void whatIsClearedIsGoneAndItsNeighboursStay() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            Range range = ram(0, 4 * LARGE, HOST);
            mapAll(tables, range, 2);
            tables.clear(LARGE + PAGE, PAGE);
            assertEquals(HOST + LARGE | 7, walk(tables, LARGE));
            assertEquals(-1, walk(tables, LARGE + PAGE));
            assertEquals(HOST + LARGE + 2 * PAGE | 7, walk(tables, LARGE + 2 * PAGE));
            assertEquals(HOST + 2 * LARGE - PAGE | 7, walk(tables, 2 * LARGE - 1));
            tables.clear(2 * LARGE + PAGE, LARGE);
            assertEquals(HOST + 2 * LARGE | 7, walk(tables, 2 * LARGE));
            assertEquals(-1, walk(tables, 3 * LARGE), "its first page only");
            assertEquals(HOST + 3 * LARGE + PAGE | 7, walk(tables, 3 * LARGE + PAGE));
            enter(tables, range, LARGE + PAGE, 1);
            assertEquals(HOST + LARGE + PAGE | 7, walk(tables, LARGE + PAGE));
            tables.clear(0, 1L << 47);
            for (long at = 0; at < range.end(); at += LARGE) {
                assertEquals(-1, walk(tables, at));
            }
        }
    }

    @Test
    void clearingWhatWasNeverMappedMakesNoTables() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            tables.clear(0, 1L << 48);
            assertEquals(1, tables.pages());
        }
    }

    @Test
    void aLargePageGoesWholeWhereTheHostHasNoTableToCutIt() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            mapAll(tables, ram(0, 64 * LARGE, HOST), 2);
            memory.left = 0;
            for (long at = 0; at < 64 * LARGE; at += LARGE) {
                tables.clear(at, PAGE);
                assertEquals(-1, walk(tables, at));
            }
            assertEquals(-1, walk(tables, 63 * LARGE + PAGE));
        }
    }

    @Test
    void aHugePageIsCutTwice() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            mapAll(tables, ram(0, HUGE, 0), 3);
            tables.clear(LARGE + PAGE, PAGE);
            assertEquals(LARGE | 7, walk(tables, LARGE));
            assertEquals(-1, walk(tables, LARGE + PAGE));
            assertEquals(HUGE - PAGE | 7, walk(tables, HUGE - PAGE));
            assertEquals(LARGE - PAGE | 7, walk(tables, LARGE - PAGE));
            tables.clear(0, HUGE);
            assertEquals(-1, walk(tables, HUGE - PAGE));
        }
    }

    @Test
    void usedLeavesAreToldOnce() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            mapAll(tables, ram(0, 2 * LARGE, HOST), 2);
            mapAll(tables, ram(2 * LARGE, 4 * PAGE, HOST), 1);
            use(tables, 5 * PAGE, Bits.PTE_A);
            use(tables, 2 * LARGE + PAGE, Bits.PTE_A | Bits.PTE_D);
            List<String> told = new ArrayList<>();
            tables.drainAccessed((at, bytes, dirty) -> told.add(at + " " + bytes + " " + dirty));
            assertEquals(
                    List.of("0 " + LARGE + " false", 2 * LARGE + PAGE + " " + PAGE + " true"),
                    told);
            told.clear();
            tables.drainAccessed((at, bytes, dirty) -> told.add("again"));
            assertEquals(List.of(), told);
        }
    }

    /** Sets bits of a leaf, as the processor does. */
    private static void use(LongModeTables tables, long address, long bits) {
        long table = tables.root();
        for (int shift = 39; ; shift -= 9) {
            long slot = table + (address >>> shift & 511) * 8;
            long entry = HostRam.getLong(slot);
            if (shift == 12 || (entry & Bits.PTE_PS) != 0) {
                HostRam.setLong(slot, entry | bits);
                return;
            }
            table = entry & 0x000f_ffff_ffff_f000L;
        }
    }

    /** Small RAM ranges, random maps and clears, against a map from page to host page. */
    @Test
    void anyOrderOfMapsAndClearsGivesWhatANaiveTableGives() throws HostRefusal {
        Random random = new Random(3);
        Range range = ram(LARGE, 6 * LARGE, HOST + LARGE);
        try (LongModeTables tables = tables()) {
            Map<Long, Long> naive = new HashMap<>();
            Set<Long> tabled = new HashSet<>();
            for (int i = 0; i < 400; i++) {
                long at = range.start() + (random.nextLong(range.bytes()) & -PAGE);
                if (random.nextInt(3) > 0) {
                    int level = 1 + random.nextInt(2);
                    // As a paging mode does: only what is missing is mapped.
                    if (naive.containsKey(at)) {
                        continue;
                    }
                    long end = enter(tables, range, at, level);
                    // Where a table of small pages is, it stays.
                    boolean small = level == 1 || tabled.contains(at & -LARGE);
                    long bytes = small ? PAGE : LARGE;
                    if (small) {
                        tabled.add(at & -LARGE);
                    }
                    for (long p = end - bytes; p < end; p += PAGE) {
                        naive.put(p, HOST + p);
                    }
                } else {
                    long bytes = PAGE * (1 + random.nextInt(40));
                    tables.clear(at, bytes);
                    for (long p = at; p < at + bytes; p += PAGE) {
                        if (naive.remove(p) != null && !tabled.contains(p & -LARGE)) {
                            tabled.add(p & -LARGE);
                        }
                    }
                }
            }
            for (long p = 0; p < range.end() + LARGE; p += PAGE) {
                Long host = naive.get(p);
                assertEquals(host == null ? -1 : host | 7, walk(tables, p), Long.toHexString(p));
            }
        }
    }

    @Test
    void pagesAreAccountedAndGivenBack() throws HostRefusal {
        LongModeTables tables = tables();
        assertEquals(1, tables.pages());
        enter(tables, ram(0, LARGE, HOST), 0, 1);
        assertEquals(4, tables.pages());
        enter(tables, ram(0, LARGE, HOST), PAGE, 1);
        assertEquals(4, tables.pages());
        enter(tables, ram(HUGE, HUGE, HOST), HUGE, 2);
        assertEquals(5, tables.pages());
        enter(tables, ram(1L << 39, HUGE, HOST), 1L << 39, 3);
        assertEquals(6, tables.pages());
        for (int i = 2; i < 40; i++) {
            enter(tables, ram(i * HUGE, HUGE, HOST), i * HUGE, 1);
        }
        assertEquals(6 + 2 * 38, tables.pages());
        assertTrue(memory.bytesInUse("vm:test") >= tables.pages() * PAGE);
        assertTrue(memory.bytesInUse("vm:test") < (tables.pages() + 64) * PAGE, "not much more");
        tables.close();
        assertEquals(0, memory.bytesInUse("vm:test"));
        tables.close();
    }

    @Test
    void aHostWithoutPagesIsARefusalThatLeavesWhatWasMapped() throws HostRefusal {
        memory.left = 0;
        assertThrows(HostRefusal.class, this::tables);
        memory.left = 1;
        try (LongModeTables tables = tables()) {
            long at = 0;
            HostRefusal refused = null;
            while (refused == null) {
                try {
                    enter(tables, ram(at, HUGE, HOST), at, 1);
                    at += HUGE;
                } catch (HostRefusal e) {
                    refused = e;
                }
            }
            assertTrue(at > 0);
            assertEquals(HOST | 7, walk(tables, 0));
            assertEquals(-1, walk(tables, at));
            memory.left = 1;
            enter(tables, ram(at, HUGE, HOST), at, 1);
            assertEquals(HOST | 7, walk(tables, at));
        }
    }

    @Test
    void addressesThatCanNotBeMappedAreTheCallersMistake() throws HostRefusal {
        try (LongModeTables tables = tables()) {
            Range range = ram(LARGE, LARGE, HOST);
            for (long wrong : new long[] {0, LARGE - 1, 2 * LARGE, -1}) {
                assertThrows(IllegalArgumentException.class, () -> enter(tables, range, wrong, 2));
            }
            Range far = ram(1L << 48, LARGE, HOST);
            assertThrows(IllegalArgumentException.class, () -> enter(tables, far, 1L << 48, 2));
            assertEquals(1, tables.pages());
        }
    }

    /** Pages of the reserved range; refuses when {@link #left} requests were served. */
    private static final class Memory implements HostMemory {
        private final List<PageExtent> extents = new ArrayList<>();
        private int left = Integer.MAX_VALUE;

        @Override
        public long totalBytes() {
            return HostRam.SIZE;
        }

        @Override
        public long bytesInUse(String owner) {
            return extents.stream()
                    .filter(e -> owner.isEmpty() || e.owner().equals(owner))
                    .mapToLong(PageExtent::bytes)
                    .sum();
        }

        @Override
        public PageExtent allocate(PageRequest request) throws HostRefusal {
            if (left-- <= 0) {
                throw new HostRefusal("no pages left");
            }
            long bytes = request.pages() * PAGE;
            long at = HostRange.carve(bytes, request.alignment());
            HostRam.fill(at, bytes, (byte) 0);
            PageExtent extent = new PageExtent(request.owner(), at, request.pages());
            extents.add(extent);
            return extent;
        }

        @Override
        public void free(PageExtent extent) {
            assertTrue(extents.remove(extent), extent::toString);
            HostRange.release(extent.address());
        }
    }
}

package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.Random;

/** Pages come from sigma0 and go recursively. */
class MappingDatabaseTest {
    private static final int PAGE = 12;
    private static final int ALL = Flexpage.ALL;

    @SuppressWarnings("NullAway.Init") // before each test
    private MappingDatabase database;

    private final AddressSpace a = space("a");
    private final AddressSpace b = space("b");
    private final AddressSpace c = space("c");

    private static AddressSpace space(String name) {
        return new AddressSpace(
                name, AddressSpace.Tables.NONE, MappingBudget.unlimited(), Long.MAX_VALUE);
    }

    private static AddressSpace limited(String name, MappingBudget budget) {
        return new AddressSpace(name, AddressSpace.Tables.NONE, budget, Long.MAX_VALUE);
    }

    private void unmap(AddressSpace space, long page, boolean flush, int most) {
        Revocation work = new Revocation(space, page, flush);
        int pieces = 0;
        while (!database.unmap(work, most)) {
            assertTrue(++pieces < 1_000_000, "an unmapping without end");
        }
    }

    @BeforeEach
    void fill() throws HostRefusal {
        database = new MappingDatabase(Primitives.read("l4", L4Primitive.class, ""));
        database.own(Flexpage.of(0x10_0000, 20, ALL));
        assertTrue(database.map(sigma0(), Flexpage.of(0x10_0000, 20, ALL), a, 0x10_0000));
    }

    private AddressSpace sigma0() {
        return database.sigma0();
    }

    private static long at(AddressSpace space, long address) {
        Mapping found = space.find(address);
        return found == null ? -1 : found.physical + (address - found.at);
    }

    private static int rights(AddressSpace space, long address) {
        Mapping found = space.find(address);
        return found == null ? 0 : found.rights;
    }

    @Test
    void aPieceOfAMappingIsMappedOnWithNoMoreRights() {
        database.map(a, Flexpage.of(0x10_4000, 14, Flexpage.READ), b, 0x4000);
        database.map(b, Flexpage.of(0x5000, PAGE, ALL), c, 0x9000);
        assertEquals(0x10_5123, at(c, 0x9123));
        assertEquals(Flexpage.READ, rights(c, 0x9000));
        assertEquals(-1, at(c, 0xa000));
        assertTrue(database.holds(b, Flexpage.of(0x4000, 14, Flexpage.READ)));
        assertFalse(database.holds(b, Flexpage.of(0x4000, 14, ALL)));
        assertFalse(database.holds(b, Flexpage.of(0, 15, Flexpage.READ)));
    }

    @Test
    void unmapTakesWhatWasDerivedAndWithFlushTheOwnToo() {
        database.map(a, Flexpage.of(0x10_0000, 16, ALL), b, 0);
        database.map(b, Flexpage.of(0, 16, ALL), c, 0x10_0000);
        unmap(b, Flexpage.of(0x2000, PAGE, ALL), false, 100);
        assertEquals(0x10_2000, at(b, 0x2000));
        assertEquals(-1, at(c, 0x10_2000));
        assertEquals(0x10_3000, at(c, 0x10_3000));
        unmap(a, Flexpage.of(0x10_0000, 20, ALL), true, 100);
        assertEquals(0, a.size() + b.size() + c.size());
        assertEquals(0x10_0000, at(sigma0(), 0x10_0000));
    }

    @Test
    void someRightsAreTakenAlone() {
        database.map(a, Flexpage.of(0x10_0000, 13, ALL), b, 0);
        database.map(b, Flexpage.of(0, 13, ALL), c, 0);
        unmap(b, Flexpage.of(0, 13, Flexpage.WRITE), false, 100);
        assertEquals(ALL, rights(b, 0));
        assertEquals(Flexpage.READ | Flexpage.EXECUTE, rights(c, 0));
        unmap(b, Flexpage.of(0, 13, Flexpage.READ | Flexpage.EXECUTE), true, 100);
        assertEquals(Flexpage.WRITE, rights(b, 0));
        assertEquals(0, c.size());
    }

    @Test
    void aGrantedPageLeavesItsGranterAndKeepsItsDerived() {
        database.map(a, Flexpage.of(0x10_0000, 14, ALL), b, 0);
        database.map(b, Flexpage.of(0x1000, PAGE, ALL), a, 0x80_0000);
        database.grant(b, Flexpage.of(0x1000, PAGE, ALL), c, 0x7000);
        assertEquals(-1, at(b, 0x1000));
        assertEquals(0x10_0000, at(b, 0));
        assertEquals(0x10_2000, at(b, 0x2000));
        assertEquals(0x10_1000, at(c, 0x7000));
        assertEquals(0x10_1000, at(a, 0x80_0000));
        unmap(c, Flexpage.of(0x7000, PAGE, ALL), false, 100);
        assertEquals(-1, at(a, 0x80_0000));
        unmap(a, Flexpage.of(0x10_0000, 14, ALL), false, 100);
        assertEquals(0, b.size() + c.size());
    }

    @Test
    void aNewMappingTakesThePlaceOfTheOldOne() {
        database.map(a, Flexpage.of(0x10_0000, 14, ALL), b, 0);
        database.map(a, Flexpage.of(0x10_8000, PAGE, ALL), b, 0x1000);
        assertEquals(0x10_0000, at(b, 0));
        assertEquals(0x10_8000, at(b, 0x1000));
        assertEquals(0x10_2000, at(b, 0x2000));
        database.map(a, Flexpage.of(0x10_8000, PAGE, Flexpage.READ), b, 0x1000);
        assertEquals(ALL, rights(b, 0x1000), "the same again takes no rights");
        database.map(a, Flexpage.of(0x10_4000, 14, ALL), b, 0);
        assertEquals(1, b.size());
        database.map(b, Flexpage.of(0, 14, ALL), a, 0x10_0000);
        assertEquals(0x10_0000, at(a, 0x10_0000), "nobody saws off the branch it sits on");
    }

    @Test
    void aFullSpaceTakesNoMore() {
        AddressSpace small = limited("small", new MappingBudget(2));
        assertTrue(database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), small, 0));
        assertTrue(database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), small, 0x1000));
        assertFalse(database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), small, 0x2000));
        assertTrue(database.map(a, Flexpage.of(0x10_1000, PAGE, ALL), small, 0x1000));
    }

    @Test
    void longWorkIsDoneInPieces() {
        for (long page = 0; page < 256; page++) {
            database.map(a, Flexpage.of(0x10_0000 + (page << 12), PAGE, ALL), b, page << 12);
        }
        int rounds = 1;
        Revocation work = new Revocation(sigma0(), Flexpage.of(0x10_0000, 20, ALL), false);
        while (!database.unmap(work, 50)) {
            rounds++;
        }
        assertEquals(6, rounds);
        assertEquals(0, a.size() + b.size());
    }

    @Test
    void spacesOfOneBudgetHaveNoMoreThanItTogether() {
        MappingBudget budget = new MappingBudget(3);
        AddressSpace one = limited("one", budget);
        AddressSpace two = limited("two", budget);
        assertTrue(database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), one, 0));
        assertTrue(database.map(one, Flexpage.of(0, PAGE, ALL), two, 0));
        assertTrue(database.map(one, Flexpage.of(0, PAGE, ALL), two, 0x1000));
        assertFalse(database.map(one, Flexpage.of(0, PAGE, ALL), two, 0x2000));
        assertTrue(database.grant(two, Flexpage.of(0, PAGE, ALL), one, 0x1000), "no one more");
        unmap(two, Flexpage.of(0x1000, PAGE, ALL), true, 100);
        assertTrue(database.map(one, Flexpage.of(0, PAGE, ALL), two, 0x2000));
    }

    @Test
    void someRightsOfManyAreTakenInPiecesWhileOthersChangeWhatIsMapped() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), b, 0);
            for (long i = 1; i < 300; i++) {
                database.map(b, Flexpage.of(random.nextLong(i) << 12, PAGE, ALL), b, i << 12);
            }
            boolean all = round % 2 == 0;
            int revoked = all ? Flexpage.WRITE : Flexpage.READ | Flexpage.EXECUTE;
            Revocation work = new Revocation(a, Flexpage.of(0x10_0000, PAGE, revoked), true);
            int pieces = 1;
            while (!database.unmap(work, 20)) {
                pieces++;
                long from = random.nextLong(300) << 12;
                long to = random.nextLong(600) << 12;
                switch (random.nextInt(4)) {
                    case 0 -> database.map(b, Flexpage.of(from, PAGE, ALL), b, to);
                    case 1 -> database.grant(b, Flexpage.of(from, PAGE, ALL), b, to);
                    case 2 -> database.grant(b, Flexpage.of(from, PAGE, Flexpage.WRITE), c, to);
                    default -> unmap(b, Flexpage.of(from, PAGE, ALL), random.nextBoolean(), 100);
                }
            }
            assertTrue(pieces > 1);
            for (long i = 0; i < 600; i++) {
                assertEquals(0, rights(b, i << 12) & revoked);
                assertEquals(0, rights(c, i << 12) & revoked);
            }
            unmap(sigma0(), Flexpage.of(0x10_0000, 20, ALL), false, 1000);
            assertTrue(database.map(sigma0(), Flexpage.of(0x10_0000, 20, ALL), a, 0x10_0000));
        }
    }

    @Test
    void noPieceOfTakingRightsIsLongerThanAskedFor() {
        int[] looks = {0};
        AddressSpace counted =
                new AddressSpace(
                        "counted",
                        new AddressSpace.Tables() {
                            @Override
                            public void enter(Mapping mapping) {
                                looks[0]++;
                            }

                            @Override
                            public void remove(Mapping mapping) {
                                looks[0]++;
                            }
                        },
                        MappingBudget.unlimited(),
                        Long.MAX_VALUE);
        for (long i = 0; i < 1000; i++) {
            database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), counted, i << 12);
        }
        Revocation work = new Revocation(a, Flexpage.of(0x10_0000, PAGE, Flexpage.WRITE), false);
        looks[0] = 0;
        while (!database.unmap(work, 100)) {
            assertTrue(looks[0] <= 100);
            looks[0] = 0;
        }
        assertEquals(Flexpage.READ | Flexpage.EXECUTE, rights(counted, 999 << 12));
    }

    @Test
    void aLimitedSpaceMapsOverNoMoreThanIsDoneInOneGo() {
        AddressSpace hostile = limited("hostile", new MappingBudget(10_000));
        database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), hostile, 0);
        database.map(a, Flexpage.of(0x10_1000, PAGE, ALL), hostile, 0x1000);
        for (long i = 2; i < MappingDatabase.PATIENCE + 2; i++) {
            assertTrue(database.map(hostile, Flexpage.of(0, PAGE, ALL), hostile, i << 12));
        }
        assertFalse(database.map(hostile, Flexpage.of(0x1000, PAGE, ALL), hostile, 0));
        assertFalse(database.grant(hostile, Flexpage.of(0x1000, PAGE, ALL), hostile, 0));
        assertFalse(database.grant(hostile, Flexpage.of(0, PAGE, Flexpage.READ), b, 0));
        assertEquals(MappingDatabase.PATIENCE + 2, hostile.size());
        unmap(hostile, Flexpage.of(0x2000, PAGE, ALL), true, 100);
        assertTrue(database.map(hostile, Flexpage.of(0x1000, PAGE, ALL), hostile, 0));
        assertEquals(2, hostile.size());
    }

    @Test
    void aLimitedSpaceHasNoDeepTrees() {
        AddressSpace hostile = limited("hostile", new MappingBudget(10_000));
        database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), hostile, 0);
        long deep = 0;
        while (database.map(hostile, Flexpage.of(deep << 12, PAGE, ALL), hostile, deep + 1 << 12)) {
            assertTrue(++deep < 1000);
        }
        assertEquals(MappingDatabase.MOST_DEPTH, deep + 2);
    }

    @Test
    void aDeepChainGoesWithoutRecursion() {
        database.map(a, Flexpage.of(0x10_0000, PAGE, ALL), b, 0);
        for (long i = 0; i < 50_000; i++) {
            database.map(b, Flexpage.of(i << 12, PAGE, ALL), b, i + 1 << 12);
        }
        assertEquals(50_001, b.size());
        unmap(b, Flexpage.of(0, PAGE, Flexpage.WRITE), false, 100);
        assertEquals(ALL & ~Flexpage.WRITE, rights(b, 50_000L << 12));
        unmap(a, Flexpage.of(0x10_0000, PAGE, ALL), false, Integer.MAX_VALUE);
        assertEquals(0, b.size());
    }

    @Test
    void randomOperationsKeepTheTreeInOrder() {
        Random random = new Random(11);
        AddressSpace[] spaces = {a, b, c};
        for (int i = 0; i < 20_000; i++) {
            AddressSpace from = spaces[random.nextInt(3)];
            AddressSpace to = spaces[random.nextInt(3)];
            int shift = PAGE + random.nextInt(4);
            long page = Flexpage.of(pick(random, shift), shift, random.nextInt(8));
            long before = at(from, Flexpage.start(page));
            long target = pick(random, shift);
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> {
                    database.map(from, page, to, target);
                    long now = at(to, target);
                    assertTrue(now == -1 || now >= 0x10_0000 && now < 0x20_0000);
                }
                case 4 -> database.grant(from, page, to, target);
                case 5 -> {
                    unmap(from, page, false, 1_000);
                    assertEquals(before, at(from, Flexpage.start(page)));
                }
                case 6 -> {
                    unmap(from, page, true, 1_000);
                    assertEquals(0, rights(from, Flexpage.start(page)) & Flexpage.rights(page));
                }
                default -> database.map(sigma0(), Flexpage.of(0x10_0000, 20, ALL), a, 0x10_0000);
            }
            if (i % 500 == 0) {
                check(spaces);
            }
        }
        unmap(sigma0(), Flexpage.of(0x10_0000, 20, ALL), false, Integer.MAX_VALUE);
        assertEquals(0, a.size() + b.size() + c.size());
    }

    private static long pick(Random random, int shift) {
        long base = random.nextInt(3) == 0 ? 0 : 0x10_0000;
        return base + (random.nextInt(32) << 12) & -(1L << shift);
    }

    /** Mappings do not overlap, and no child has what its parent has not. */
    private static void check(AddressSpace[] spaces) {
        for (AddressSpace space : spaces) {
            long end = 0;
            Mapping mapping = space.any();
            while (mapping != null) {
                assertTrue(mapping.at >= end);
                end = mapping.at + mapping.bytes();
                Mapping parent = mapping.parent;
                assertTrue(parent != null);
                if (parent != null) {
                    assertTrue(
                            mapping.physical >= parent.physical
                                    && mapping.physical + mapping.bytes()
                                            <= parent.physical + parent.bytes());
                    assertEquals(0, mapping.rights & ~parent.rights);
                    assertTrue(parent.space.find(parent.at) == parent, "the parent is there");
                }
                mapping = space.first(end, Long.MAX_VALUE);
            }
        }
    }
}

package org.alcazar.engines.x86.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What contexts keep of views and of code, and when they must not. */
class SpacesTest {
    private static final long P = Bits.PTE_P, RW = Bits.PTE_RW, US = Bits.PTE_US;
    private static final long PS = Bits.PTE_PS, G = Bits.PTE_G;
    private static final long ALL = P | RW | US;

    private final Guest guest = new Guest();
    private final Mmu mmu = guest.cpu.mmu;

    @AfterEach
    void close() {
        guest.close();
    }

    /** With contexts: code in page 0x40 is global, that in page 0x41 each context's own. */
    private void contexts() {
        guest.cpu.cr4 |= Bits.CR4_PGE | Bits.CR4_PCIDE;
        mmu.modeChanged();
        guest.identity(ALL);
        guest.entry(0x4000, 0x40, 0x40000 | ALL | G);
        mmu.fetch(0x40000);
        mmu.fetch(0x41000);
    }

    private void context(int number, boolean keep) {
        guest.cpu.cr3 = guest.cpu.cr3 & ~0xfffL | number;
        mmu.rootChanged(keep);
    }

    @Test
    void codeIsKnownAgainWhenItsContextComesBack() {
        contexts();
        long global = mmu.know(0, 0x40000);
        long own = mmu.know(0, 0x41000);
        context(5, true);
        assertTrue(guest.cpu.knows(global));
        assertFalse(guest.cpu.knows(own));
        mmu.fetch(0x41000);
        long both = mmu.know(own, 0x41000);
        assertTrue(guest.cpu.knows(both));
        context(0, true);
        assertTrue(guest.cpu.knows(own) && guest.cpu.knows(both));
        context(5, false);
        assertTrue(guest.cpu.knows(global));
        assertFalse(guest.cpu.knows(both));
        context(0, true);
        assertTrue(guest.cpu.knows(both));
        mmu.flush(true);
        assertFalse(guest.cpu.knows(global) || guest.cpu.knows(both));
    }

    @Test
    void codeStaysKnownWhenAPageOfDataIsInvalidated() {
        contexts();
        long global = mmu.know(0, 0x40000);
        long own = mmu.know(0, 0x41000);
        mmu.invalidatePage(0x50000);
        assertTrue(guest.cpu.knows(global) && guest.cpu.knows(own));
        mmu.invalidatePage(0x41000);
        assertFalse(guest.cpu.knows(own));
    }

    @Test
    void moreFlushesAndContextsThanThereIsRoomFor() {
        contexts();
        long own = mmu.know(0, 0x41000);
        for (int i = 1; i < 200; i++) {
            context(i % 20 + 1, i % 3 == 0);
            assertFalse(guest.cpu.knows(own), "context " + i);
        }
        context(0, true);
        assertFalse(guest.cpu.knows(own), "forgotten meanwhile");
    }

    @Test
    void theViewOfAContextIsGoodAgainAndAnInvalidatedPageIsNot() {
        contexts();
        guest.poke64(0x42000, 42);
        mmu.read64(0x43000);
        mmu.read64(0x44000);
        context(5, true);
        guest.entry(0x4000, 0x43, 0x42000 | ALL);
        guest.entry(0x4000, 0x44, 0x42000 | ALL);
        mmu.invalidatePage(0x43000, 0);
        context(0, true);
        assertEquals(42, mmu.read64(0x43000));
        assertEquals(0, mmu.read64(0x44000));
    }

    @Test
    void aWriteAndAFetchGoToTheNewPageOnceAnotherContextHasInvalidatedIt() {
        contexts();
        mmu.write64(0x43000, 1);
        assertEquals(guest.hostOf(0x44000), mmu.fetch(0x44000));
        context(5, true);
        guest.entry(0x4000, 0x43, 0x42000 | ALL);
        guest.entry(0x4000, 0x44, 0x42000 | ALL);
        mmu.invalidatePage(0x43000, 0);
        mmu.invalidatePage(0x44000, 0);
        context(0, true);
        mmu.write64(0x43000, 2);
        assertEquals(1, guest.peek64(0x43000));
        assertEquals(2, guest.peek64(0x42000));
        assertEquals(guest.hostOf(0x42000), mmu.fetch(0x44000));
    }

    @Test
    void aGlobalLargePageIsInvalidatedInAllContexts() {
        contexts();
        guest.entry(0x3000, 1, 0x20_0000 | ALL | PS | G);
        guest.poke64(0x5000, 5);
        for (int number = 0; number < 3; number++) {
            context(number, true);
            assertEquals(0, mmu.read64(0x20_5000));
        }
        guest.entry(0x3000, 1, ALL | PS | G);
        mmu.invalidatePage(0x20_0000);
        for (int number = 0; number < 3; number++) {
            context(number, true);
            assertEquals(5, mmu.read64(0x20_5000), "context " + number);
        }
    }

    @Test
    void whatBecomesCodeIsWrittenToUnseenInNoContext() {
        contexts();
        long page = guest.hostOf(0x43000);
        mmu.write8(0x43000, 1);
        context(5, true);
        RamPages.mark(page, RamPages.CODE);
        try {
            mmu.dropWritable(page);
            context(0, true);
            assertEquals(-1, mmu.directAligned(0x43000, 1));
        } finally {
            RamPages.unmark(page, RamPages.CODE);
        }
    }

    @Test
    void aContextThatIsFlushedWhileItIsTheOneInUseKnowsItsGlobalCodeOnly() {
        contexts();
        long global = mmu.know(0, 0x40000);
        long own = mmu.know(0, 0x41000);
        mmu.flushContext(0);
        assertTrue(guest.cpu.knows(global));
        assertFalse(guest.cpu.knows(own));
    }

    @Test
    void contextsOfBeforeAFlushOfAllAreNotTakenForThoseOfAfterIt() {
        contexts();
        mmu.flush(true);
        for (int number = 1; number < 6; number++) {
            context(number, true);
        }
        mmu.flush(true);
        mmu.fetch(0x41000);
        long own = mmu.know(0, 0x41000);
        assertTrue(guest.cpu.knows(own));
        for (int number = 0; number < 5; number++) {
            context(number, true);
            assertFalse(guest.cpu.knows(own), "context " + number);
        }
    }

    @Test
    void invalidatingAPageThatHadCodeBeforeAFlushForgetsNothing() {
        contexts();
        mmu.know(0, 0x41000);
        mmu.flush(true);
        mmu.fetch(0x40000);
        long global = mmu.know(0, 0x40000);
        mmu.invalidatePage(0x41000);
        assertTrue(guest.cpu.knows(global));
    }

    /** Tags come again after 511 flushes. */
    @Test
    void aViewThatLongNobodyUsedIsEmptyWhenItsTagComesAgain() {
        contexts();
        guest.poke64(0x42000, 42);
        for (int flushes = 505; flushes < 515; flushes++) {
            guest.entry(0x4000, 0x43, 0x43000 | ALL);
            mmu.flush(true);
            assertEquals(0, mmu.read64(0x43000));
            guest.entry(0x4000, 0x43, 0x42000 | ALL);
            for (int i = 0; i < flushes; i++) {
                mmu.flush(true);
            }
            assertEquals(42, mmu.read64(0x43000), flushes + " flushes");
        }
    }

    // ---- sizes of views

    /** Reads two pages in turn that have one entry in a view of the present size. */
    private void displace(int times) {
        long far = (long) mmu.view().length << 10;
        guest.entry(0x3000, far >>> 21, 0x20_0000 | ALL | PS);
        mmu.read8(0x40000);
        for (int i = 0; i < times; i++) {
            mmu.read8(0x40000 + (i % 2 == 0 ? far : 0));
        }
    }

    @Test
    void aViewThatIsTooSmallGrows() {
        guest.identity(ALL);
        int before = mmu.view().length;
        for (int i = 0; i < 40; i++) {
            for (long page = 0x10; page < 0x200; page++) {
                mmu.read8(page << 12);
                mmu.read8(page + 0x200 << 12 & 0x1f_ffff);
            }
        }
        assertEquals(before, mmu.view().length, "nothing displaced");
        displace(before - 1);
        assertEquals(before, mmu.view().length, "not enough yet");
        displace(3);
        assertEquals(2 * before, mmu.view().length);
        displace(2 * before - 1);
        assertEquals(2 * before, mmu.view().length, "counted anew");
        guest.poke64(0x40000, 4);
        assertEquals(4, mmu.read64(0x40000));
    }

    /** Longs, four an entry. */
    @ParameterizedTest
    @CsvSource({"1, 131072", "4, 65536", "8, 32768"})
    void viewsHaveBoundsThatDependOnTheNumberOfCores(int cores, int most) {
        guest.identity(ALL);
        guest.cpu.cores = cores;
        int length = 0;
        while (length != mmu.view().length && length <= most) {
            length = mmu.view().length;
            displace(length + 3);
        }
        assertEquals(most, mmu.view().length);
    }
}

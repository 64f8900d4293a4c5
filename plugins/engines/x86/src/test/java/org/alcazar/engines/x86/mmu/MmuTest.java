package org.alcazar.engines.x86.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.host.HostRam;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import java.util.ArrayList;
import java.util.List;

/** See {@link SpacesTest} for contexts. */
class MmuTest {
    private static final long P = Bits.PTE_P, RW = Bits.PTE_RW, US = Bits.PTE_US, NX = Bits.PTE_NX;
    private static final long A = Bits.PTE_A, D = Bits.PTE_D, PS = Bits.PTE_PS, G = Bits.PTE_G;
    private static final long ALL = P | RW | US;

    private final Guest guest = new Guest();
    private final Mmu mmu = guest.cpu.mmu;

    @AfterEach
    void close() {
        guest.close();
    }

    private int pageFault(Executable access) {
        CpuFault fault = assertThrows(CpuFault.class, access);
        assertEquals(Bits.PFV, fault.vector);
        return fault.errorCode;
    }

    private ExitFrame exit(int reason, Executable access) {
        CpuExit exit = assertThrows(CpuExit.class, access);
        assertEquals(reason, exit.reason);
        return guest.block.frame();
    }

    // ---- no paging, sizes and page crossings

    @Test
    void withoutPagingLinearAddressesAreGuestPhysical() {
        mmu.write64(0x1ff8, 0x1122334455667788L);
        assertEquals(0x1122334455667788L, guest.peek64(0x1ff8));
        assertEquals(0x88, mmu.read8(0x1ff8));
        assertEquals(0x7788, mmu.read16(0x1ff8));
        assertEquals(0x55667788, mmu.read32(0x1ff8));
        assertEquals(0x1122334455667788L, mmu.read64(0x1ff8));
    }

    @Test
    void accessesAcrossPagesReachBoth() {
        mmu.write64(0x2ffd, 0x8877665544332211L);
        assertEquals(0x11, HostRam.getByte(guest.hostOf(0x2ffd)));
        assertEquals(0x33, HostRam.getByte(guest.hostOf(0x2fff)));
        assertEquals(0x44, HostRam.getByte(guest.hostOf(0x3000)));
        assertEquals(0x8877665544332211L, mmu.read64(0x2ffd));
        assertEquals(0x44332211, mmu.read32(0x2ffd));
        assertEquals(0x4433, mmu.read16(0x2fff));
        // Again, with both pages in the views.
        mmu.read8(0x2000);
        mmu.read8(0x3000);
        assertEquals(0x4433, mmu.read16(0x2fff));
    }

    @Test
    void aCrossingWriteWhoseSecondPageFaultsWritesNothing() {
        guest.identity(ALL);
        guest.entry(0x4000, 0x11, 0);
        assertEquals(Bits.PFEC_W, pageFault(() -> mmu.write32(0x10ffe, -1)));
        assertEquals(0x11000, mmu.faultAddress());
        assertEquals(0, guest.peek32(0x10ffc));
    }

    // ---- formats

    @Test
    void fourLevelTablesWithAllPageSizesTranslate() {
        guest.entry(0x1000, 0x1ff, 0x2000 | ALL);
        guest.entry(0x2000, 0x1fe, 0x3000 | ALL);
        guest.entry(0x2000, 0x1fd, 0 | ALL | PS);
        guest.entry(0x3000, 1, 0x20_0000 | ALL | PS);
        guest.entry(0x3000, 2, 0x4000 | ALL);
        guest.entry(0x4000, 3, 0x12000 | ALL);
        guest.longMode(0x1000);
        guest.poke64(0x12008, 11);
        guest.poke64(0x20_5010, 22);
        guest.poke64(0x30_0020, 33);
        long base = 0xffff_ff80_0000_0000L;
        assertEquals(11, mmu.read64(base + (0x1feL << 30) + (2L << 21) + (3 << 12) + 8));
        assertEquals(22, mmu.read64(base + (0x1feL << 30) + (1L << 21) + 0x5010));
        assertEquals(33, mmu.read64(base + (0x1fdL << 30) + 0x30_0020));
        assertEquals(A, guest.peek64(0x1000 + 8 * 0x1ff) & (A | D));
        assertEquals(A, guest.peek64(0x2000 + 8 * 0x1fd) & (A | D));
        mmu.write8(base + (0x1fdL << 30) + 0x30_0020, 1);
        assertEquals(A | D, guest.peek64(0x2000 + 8 * 0x1fd) & (A | D));
    }

    @Test
    void fiveLevelTablesTranslate() {
        guest.entry(0x1000, 0, 0x2000 | ALL);
        guest.entry(0x2000, 0, 0x3000 | ALL);
        guest.entry(0x3000, 0, 0x4000 | ALL);
        guest.entry(0x4000, 0, 0x20_0000 | ALL | PS);
        guest.cpu.cr4 |= Bits.CR4_LA57;
        guest.longMode(0x1000);
        guest.poke64(0x20_0100, 5);
        assertEquals(5, mmu.read64(0x100));
        assertEquals(0, pageFault(() -> mmu.read64(1L << 48)));
    }

    @Test
    void twoLevelTablesTranslateWithBothPageSizes() {
        guest.poke32(0x1000, (int) (0x2000 | ALL));
        guest.poke32(0x1004, (int) (0x0 | ALL | PS));
        guest.poke32(0x2000 + 4 * 5, (int) (0x6000 | ALL));
        guest.protectedMode();
        guest.cpu.cr3 = 0x1000;
        guest.cpu.cr4 = Bits.CR4_PSE;
        guest.cpu.cr0 |= Bits.CR0_PG;
        mmu.modeChanged();
        guest.poke32(0x6010, 66);
        guest.poke32(0x7010, 77);
        assertEquals(66, mmu.read32(0x5010));
        assertEquals(77, mmu.read32(0x40_7010));
        mmu.write32(0x5010, 1);
        assertEquals((int) (0x6000 | ALL | A | D), guest.peek32(0x2000 + 4 * 5));
        // Bits 13 to 20 of a 4 MiB page are physical bits 32 to 39; nothing is there.
        guest.poke32(0x1008, (int) (1 << 13 | ALL | PS));
        assertEquals(1L << 32, exit(Exit.TRANSLATION, () -> mmu.read8(0x80_0000)).address);
        guest.poke32(0x100c, (int) (1 << 21 | ALL | PS));
        assertEquals(Bits.PFEC_P | Bits.PFEC_R, pageFault(() -> mmu.read8(0xc0_0000)));
    }

    @Test
    void paePointersAreTakenWhenCr3IsLoadedAndCheckedThen() {
        guest.entry(0x1000, 3, 0x2000 | P);
        guest.entry(0x2000, 0, 0x3000 | ALL);
        guest.entry(0x2000, 1, 0x20_0000 | ALL | PS);
        guest.entry(0x3000, 0, 0x8000 | ALL);
        guest.protectedMode();
        guest.cpu.cr4 = Bits.CR4_PAE;
        assertTrue(mmu.loadPointers(0x1000));
        guest.cpu.cr3 = 0x1000;
        guest.cpu.cr0 |= Bits.CR0_PG;
        mmu.modeChanged();
        guest.poke32(0x8000, 8);
        guest.poke32(0x21_0000, 21);
        assertEquals(8, mmu.read32(0xc000_0000L));
        assertEquals(21, mmu.read32(0xc021_0000L));
        // The register counts, not what lies in memory now.
        guest.entry(0x1000, 3, 0);
        mmu.flush(true);
        assertEquals(8, mmu.read32(0xc000_0000L));
        guest.entry(0x1000, 3, 0x2000 | P | RW);
        assertFalse(mmu.loadPointers(0x1000));
    }

    // ---- rights and error codes

    @Test
    void errorCodesTellWhatWasWanted() {
        guest.identity(ALL);
        guest.entry(0x4000, 0x20, 0);
        guest.entry(0x4000, 0x21, 0x21000 | P | US);
        guest.entry(0x4000, 0x22, 0x22000 | P | RW);
        guest.entry(0x4000, 0x23, 0x23000 | ALL | NX);
        guest.entry(0x4000, 0x24, 0x24000 | ALL | 1L << 51);
        assertEquals(0, pageFault(() -> mmu.read8(0x20000)));
        assertEquals(0x20000, mmu.faultAddress());
        assertEquals(Bits.PFEC_I, pageFault(() -> mmu.fetch(0x20000)));
        assertEquals(Bits.PFEC_P | Bits.PFEC_W, pageFault(() -> mmu.write8(0x21000, 0)));
        assertEquals(Bits.PFEC_P | Bits.PFEC_I, pageFault(() -> mmu.fetch(0x23000)));
        assertEquals(Bits.PFEC_P | Bits.PFEC_R, pageFault(() -> mmu.read8(0x24000)));
        guest.cpl(3);
        assertEquals(Bits.PFEC_U, pageFault(() -> mmu.read8(0x20000)));
        assertEquals(Bits.PFEC_P | Bits.PFEC_U, pageFault(() -> mmu.read8(0x22000)));
        assertEquals(
                Bits.PFEC_P | Bits.PFEC_U | Bits.PFEC_W, pageFault(() -> mmu.write8(0x21000, 0)));
        assertEquals(0, mmu.readSystem8(0x22000));
    }

    @Test
    void withoutNxeTheNxBitIsReservedAndFetchesAreNotTold() {
        guest.identity(ALL);
        guest.entry(0x4000, 0x23, 0x23000 | ALL | NX);
        guest.entry(0x4000, 0x24, 0);
        guest.cpu.efer &= ~Bits.EFER_NXE;
        mmu.modeChanged();
        assertEquals(Bits.PFEC_P | Bits.PFEC_R, pageFault(() -> mmu.read8(0x23000)));
        assertEquals(0, pageFault(() -> mmu.fetch(0x24000)));
    }

    @Test
    void theSupervisorWritesReadOnlyPagesUnlessWpIsSet() {
        guest.identity(ALL);
        guest.entry(0x4000, 0x21, 0x21000 | P | US);
        guest.cpu.cr0 &= ~Bits.CR0_WP;
        mmu.modeChanged();
        mmu.write8(0x21000, 7);
        assertEquals(7, mmu.read8(0x21000));
        guest.cpu.cr0 |= Bits.CR0_WP;
        mmu.modeChanged();
        assertEquals(Bits.PFEC_P | Bits.PFEC_W, pageFault(() -> mmu.write8(0x21000, 0)));
        // Again with the page in the view for reading.
        assertEquals(7, mmu.read8(0x21000));
        assertEquals(Bits.PFEC_P | Bits.PFEC_W, pageFault(() -> mmu.write8(0x21000, 0)));
    }

    @Test
    void smepAndSmapKeepTheSupervisorFromUserPages() {
        guest.identity(ALL);
        assertEquals(guest.hostOf(0x6000), mmu.fetch(0x6000));
        guest.cpu.cr4 |= Bits.CR4_SMEP | Bits.CR4_SMAP;
        mmu.modeChanged();
        assertEquals(Bits.PFEC_P | Bits.PFEC_I, pageFault(() -> mmu.fetch(0x6000)));
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.read8(0x6000)));
        guest.cpu.flags |= Bits.AC;
        mmu.modeChanged();
        assertEquals(0, mmu.read8(0x6000));
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.readSystem8(0x6000)));
        guest.cpu.flags &= ~Bits.AC;
        mmu.modeChanged();
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.read8(0x6000)));
        guest.cpl(3);
        assertEquals(0, mmu.read8(0x6000));
    }

    @Test
    void nonCanonicalAddressesRaiseGeneralProtection() {
        guest.identity(ALL);
        CpuFault fault = assertThrows(CpuFault.class, () -> mmu.read8(1L << 47));
        assertEquals(Bits.GP, fault.vector);
        assertEquals(0, fault.errorCode);
        assertTrue(mmu.nonCanonical);
        assertThrows(CpuFault.class, () -> mmu.read64((1L << 47) - 4));
    }

    @Test
    void misalignedUserAccessesFaultUnderAlignmentChecking() {
        guest.identity(ALL);
        guest.cpu.cr0 |= Bits.CR0_AM;
        guest.cpu.flags |= Bits.AC;
        guest.cpl(3);
        assertEquals(0, mmu.read32(0x6004));
        CpuFault fault = assertThrows(CpuFault.class, () -> mmu.read32(0x6002));
        assertEquals(Bits.ACV, fault.vector);
        guest.cpl(0);
        assertEquals(0, mmu.read32(0x6002));
    }

    // ---- accessed and dirty bits, invalidation

    @Test
    void accessedAndDirtyBitsAreSetByTheAccessThatNeedsThem() {
        guest.identity(ALL);
        mmu.read8(0x30000);
        assertEquals(A, guest.peek64(0x4000 + 8 * 0x30) & (A | D));
        mmu.write8(0x30000, 1);
        assertEquals(A | D, guest.peek64(0x4000 + 8 * 0x30) & (A | D));
        guest.entry(0x4000, 0x31, 0x31000 | P | US);
        pageFault(() -> mmu.write8(0x31000, 1));
        assertEquals(0, guest.peek64(0x4000 + 8 * 0x31) & (A | D));
    }

    @Test
    void aTranslationStaysUntilItIsInvalidated() {
        guest.identity(ALL);
        guest.poke64(0x40000, 40);
        guest.poke64(0x41000, 41);
        assertEquals(40, mmu.read64(0x40000));
        guest.entry(0x4000, 0x40, 0x41000 | ALL);
        assertEquals(40, mmu.read64(0x40000));
        long word = mmu.know(0, 0x40000);
        assertTrue(guest.cpu.knows(word));
        mmu.invalidatePage(0x40000);
        assertFalse(guest.cpu.knows(word));
        assertEquals(41, mmu.read64(0x40000));
    }

    @Test
    void globalPagesOutliveAWriteOfCr3() {
        guest.cpu.cr4 |= Bits.CR4_PGE;
        guest.identity(ALL);
        guest.entry(0x4000, 0x40, 0x40000 | ALL | G);
        guest.poke64(0x42000, 42);
        mmu.read64(0x40000);
        mmu.read64(0x41000);
        guest.entry(0x4000, 0x40, 0x42000 | ALL | G);
        guest.entry(0x4000, 0x41, 0x42000 | ALL);
        mmu.flush(false);
        assertEquals(0, mmu.read64(0x40000));
        assertEquals(42, mmu.read64(0x41000));
        mmu.flush(true);
        assertEquals(42, mmu.read64(0x40000));
    }

    @Test
    void invalidatingAnyPageOfALargePageDropsAllItsPieces() {
        guest.entry(0x1000, 0, 0x2000 | ALL);
        guest.entry(0x2000, 0, 0x3000 | ALL);
        guest.entry(0x3000, 0, 0x20_0000 | ALL | PS);
        guest.longMode(0x1000);
        guest.poke64(0x5000, 5);
        mmu.read8(0x5000);
        mmu.read8(0x6000);
        guest.entry(0x3000, 0, 0 | ALL | PS);
        mmu.invalidatePage(0x10_0000);
        assertEquals(5, mmu.read64(0x5000));
    }

    @Test
    void thousandsOfFlushesNeverLetAnOldTranslationShine() {
        guest.identity(ALL);
        for (int i = 0; i < 9000; i++) {
            long page = 0x10 + (i & 1);
            guest.entry(0x4000, 0x40, page << 12 | ALL);
            guest.poke64(page << 12, i);
            mmu.flush(false);
            assertEquals(i, mmu.read64(0x40000));
        }
    }

    // ---- nested

    @Test
    void aNestedMissExitsWithTheGuestPhysicalAddressAndGoesOnAfterMapping() {
        guest.identity(ALL);
        guest.nest(0x50000, 0);
        ExitFrame frame = exit(Exit.TRANSLATION, () -> mmu.write32(0x50010, 1));
        assertEquals(0x50010, frame.address);
        assertEquals(Rights.WRITE, frame.code);
        assertEquals(4, frame.size);
        assertEquals(0, guest.peek64(0x4000 + 8 * 0x50) & (A | D));
        guest.nest(0x50000, guest.hostOf(0x50000) | ALL);
        mmu.write32(0x50010, 1);
        assertEquals(1, guest.peek32(0x50010));
    }

    @Test
    void aNestedMissOfAGuestTableExitsToo() {
        guest.identity(ALL);
        guest.nest(0x4000, 0);
        ExitFrame frame = exit(Exit.TRANSLATION, () -> mmu.read8(0x50000));
        assertEquals(0x4000 + 8 * 0x50, frame.address);
        assertEquals(Rights.READ, frame.code);
    }

    @Test
    void nestedRightsHoldForEachAccess() {
        guest.identity(ALL);
        guest.nest(0x50000, guest.hostOf(0x50000) | P | US | NX);
        assertEquals(0, mmu.read8(0x50000));
        assertEquals(Rights.WRITE, exit(Exit.TRANSLATION, () -> mmu.write8(0x50000, 1)).code);
        assertEquals(Rights.EXECUTE, exit(Exit.TRANSLATION, () -> mmu.fetch(0x50000)).code);
        // Without the user bit there is nothing.
        guest.nest(0x51000, guest.hostOf(0x51000) | P | RW);
        exit(Exit.TRANSLATION, () -> mmu.read8(0x51000));
    }

    @Test
    void nestedAccessedAndDirtyBitsAreSet() {
        mmu.read8(0x50000);
        assertEquals(A, HostRam.getLong(guest.nestedEntry(0x50000)) & (A | D));
        mmu.write8(0x50000, 1);
        assertEquals(A | D, HostRam.getLong(guest.nestedEntry(0x50000)) & (A | D));
    }

    @Test
    void invalidateForgetsNestedTranslations() {
        guest.poke64(0x51000, 51);
        assertEquals(0, mmu.read64(0x50000));
        guest.nest(0x50000, guest.hostOf(0x51000) | ALL);
        assertEquals(0, mmu.read64(0x50000));
        mmu.invalidate();
        assertEquals(51, mmu.read64(0x50000));
    }

    // ---- devices

    @Test
    void aDevicePageExitsOnceForTranslationAndThenForEachAccess() {
        guest.nest(0x60000, 0);
        exit(Exit.TRANSLATION, () -> mmu.read32(0x60020));
        mmu.granted.device(0x60020, Rights.READ);
        ExitFrame frame = exit(Exit.ACCESS, () -> mmu.read32(0x60020));
        assertEquals(Space.MEMORY, frame.space);
        assertEquals(0x60020, frame.address);
        assertEquals(4, frame.size);
        assertFalse(frame.write);
        guest.cpu.accesses.complete(99);
        guest.cpu.accesses.rewind();
        assertEquals(99, mmu.read32(0x60020));
        guest.cpu.accesses.clear();
        exit(Exit.ACCESS, () -> mmu.read32(0x60024));
        assertEquals(Rights.WRITE, exit(Exit.TRANSLATION, () -> mmu.write32(0x60024, 1)).code);
    }

    @Test
    void memoryWhoseWritesAreADeviceReadsAsMemory() {
        guest.poke32(0x60000, 60);
        guest.nest(0x60000, guest.hostOf(0x60000) | P | US);
        assertEquals(60, mmu.read32(0x60000));
        exit(Exit.TRANSLATION, () -> mmu.write32(0x60000, 1));
        mmu.granted.device(0x60000, Rights.WRITE);
        ExitFrame frame = exit(Exit.ACCESS, () -> mmu.write32(0x60000, 0x1234));
        assertTrue(frame.write);
        assertEquals(0x1234, frame.value);
        assertEquals(60, mmu.read32(0x60000));
    }

    @Test
    void busWindowsAreReachedWithoutExitInNaturallyAlignedPieces() {
        List<String> log = new ArrayList<>();
        guest.bus.attachMemory(
                PhysicalBus.WINDOWS,
                4096,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        log.add("r" + width.bytes() + "@" + offset);
                        return 0x1111_1111_1111_1111L * (offset + 1);
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        log.add("w" + width.bytes() + "@" + offset + "=" + value);
                    }
                });
        guest.nest(0x60000, PhysicalBus.WINDOWS | ALL);
        assertEquals(0x1111_1111, mmu.read32(0x60000));
        mmu.write32(0x60003, 0x0a0b0c0d);
        mmu.write64(0x60ffc, 0x0000_0001_0000_0002L);
        assertEquals(List.of("r4@0", "w1@3=13", "w2@4=2828", "w1@6=10", "w4@4092=2"), log);
        assertEquals(1, guest.peek32(0x61000));
        assertEquals(-1, mmu.fetch(0x60000));
        assertEquals(0x22, mmu.fetch8(0x60001));
    }

    // ---- watched pages, atomics

    @Test
    void writesToWatchedPagesAreToldAndTheirViewIsDropped() {
        long page = guest.hostOf(0x70000);
        List<Long> told = new ArrayList<>();
        RamPages.Listener listener = (at, flags) -> told.add(at);
        RamPages.addListener(listener);
        try {
            mmu.write8(0x70000, 1);
            assertEquals(page, mmu.directAligned(0x70000, 1));
            RamPages.mark(page, RamPages.CODE);
            mmu.dropWritable(page);
            assertEquals(-1, mmu.directAligned(0x70000, 1));
            assertEquals(page + 8, mmu.directRead(0x70008, 8));
            mmu.write8(0x70000, 2);
            mmu.compareAndExchange(0x70000, 4, 2, 3);
            assertEquals(List.of(page, page), told);
            RamPages.unmark(page, RamPages.CODE);
            mmu.write8(0x70000, 4);
            assertEquals(page, mmu.directAligned(0x70000, 1));
            assertEquals(2, told.size());
        } finally {
            RamPages.unmark(page, RamPages.CODE);
            RamPages.removeListener(listener);
        }
    }

    @Test
    void compareAndExchangeTellsTheOldValueInEverySizeAndAlignment() {
        for (int bytes : new int[] {1, 2, 4, 8}) {
            long mask = Width.of(bytes).mask();
            for (long at = 0x70ff8; at < 0x71002; at++) {
                long value = 0xf1e2d3c4b5a69788L & mask;
                mmu.write64(at, -1);
                assertEquals(mask, mmu.compareAndExchange(at, bytes, 0, value));
                assertEquals(mask, mmu.compareAndExchange(at, bytes, mask, value));
                assertEquals(-1L & ~mask | value, mmu.read64(at));
            }
        }
    }

    @Test
    void sixteenBytesAreExchangedWhole() {
        mmu.write64(0x70000, 1);
        mmu.write64(0x70008, 2);
        assertFalse(mmu.locked.exchange16(0x70000, 1, 3, 8, 9));
        assertEquals(2, mmu.locked.high);
        assertTrue(mmu.locked.exchange16(0x70000, 1, 2, 8, 9));
        assertEquals(8, mmu.read64(0x70000));
        assertEquals(9, mmu.read64(0x70008));
        assertFalse(mmu.locked.plain16(0x70000, 1, 2, 3, 4));
        assertEquals(8, mmu.locked.low);
        assertTrue(mmu.locked.plain16(0x70000, 8, 9, 3, 4));
        assertEquals(3, mmu.read64(0x70000));
        assertEquals(4, mmu.read64(0x70008));
    }

    @Test
    void translateHasNoSideEffects() {
        guest.identity(ALL);
        guest.entry(0x4000, 0x20, 0);
        assertEquals(0x12345, mmu.translate(0x12345, Rights.READ));
        assertEquals(-1, mmu.translate(0x20000, Rights.READ));
        assertEquals(0, guest.peek64(0x4000 + 8 * 0x12) & A);
        assertEquals(guest.hostOf(0x12345), mmu.hostAddress(0x12345));
        assertTrue(mmu.describe(0x20000).getLast().contains("not present"));
    }
}

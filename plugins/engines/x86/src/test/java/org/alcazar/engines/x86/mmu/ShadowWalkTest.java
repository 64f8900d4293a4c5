package org.alcazar.engines.x86.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Shadow tables: the nested ones of {@link Guest}, by linear addresses. */
class ShadowWalkTest {
    private static final long P = Bits.PTE_P, RW = Bits.PTE_RW, US = Bits.PTE_US, NX = Bits.PTE_NX;
    private static final long ALL = P | RW | US;
    private static final int W = Bits.PFEC_W, U = Bits.PFEC_U, I = Bits.PFEC_I;

    private final Guest guest = new Guest();
    private final Mmu mmu = guest.cpu.mmu;

    @BeforeEach
    void shadow() {
        guest.identity(ALL);
        guest.block.translation = Translation.SHADOW;
        guest.block.guestPhysical =
                gpa -> Long.compareUnsigned(gpa, Guest.BYTES) < 0 ? guest.hostOf(gpa) : -1;
        mmu.reset();
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void shadowPage(long linear, long flags) {
        guest.nest(linear, flags == 0 ? 0 : guest.hostOf(linear) | flags);
    }

    private ExitFrame exit(int reason, Executable access) {
        CpuExit exit = assertThrows(CpuExit.class, access);
        assertEquals(reason, exit.reason);
        return guest.block.frame();
    }

    private long fault(Executable access) {
        ExitFrame frame = exit(Exit.FAULT, access);
        assertEquals(Bits.PFV, frame.code);
        assertEquals(ExitFrame.RETRY, frame.reply);
        return frame.value;
    }

    @Test
    void codesTellWhatTheShadowTablesHaveAndWhatWasWanted() {
        shadowPage(0x20000, 0);
        shadowPage(0x21000, P | US);
        shadowPage(0x22000, P | RW);
        shadowPage(0x23000, ALL | NX);
        assertEquals(0, fault(() -> mmu.read16(0x20010)));
        ExitFrame frame = guest.block.frame();
        assertEquals(0x20010, frame.address);
        assertEquals(2, frame.size);
        assertFalse(frame.write);
        assertEquals(W | Bits.PFEC_P, fault(() -> mmu.write8(0x21000, 0)));
        assertTrue(frame.write);
        assertEquals(I, fault(() -> mmu.fetch(0x20000)));
        assertEquals(I | Bits.PFEC_P, fault(() -> mmu.fetch(0x23000)));
        guest.cpl(3);
        assertEquals(U, fault(() -> mmu.read8(0x20000)));
        assertEquals(U | Bits.PFEC_P, fault(() -> mmu.read8(0x22000)));
        assertEquals(U | W | Bits.PFEC_P, fault(() -> mmu.write8(0x21000, 0)));
        assertEquals(0, mmu.readSystem8(0x22000));
    }

    @Test
    void fetchesAreToldToTheVmmAlwaysAndToTheGuestIfItHasNxOrSmep() {
        guest.cpu.efer &= ~Bits.EFER_NXE;
        mmu.modeChanged();
        shadowPage(0x20000, 0);
        long code = fault(() -> mmu.fetch(0x20000));
        assertEquals(I, code);
        assertEquals(0, Granted.errorCode(guest.cpu, code));
        guest.cpu.cr4 |= Bits.CR4_SMEP;
        assertEquals(I, Granted.errorCode(guest.cpu, code));
    }

    @Test
    void accessedAndDirtyBitsAreSet() {
        mmu.read8(0x30000);
        long entry = guest.nestedEntry(0x30000);
        assertEquals(Bits.PTE_A, HostRam.getLong(entry) & (Bits.PTE_A | Bits.PTE_D));
        mmu.write8(0x30000, 1);
        assertEquals(Bits.PTE_D, HostRam.getLong(entry) & Bits.PTE_D);
        // The guest's own table is data.
        assertEquals(0, guest.peek64(0x4000 + 8 * 0x30) & (Bits.PTE_A | Bits.PTE_D));
    }

    @Test
    void theGuestsWpDoesNotOpenReadOnlyEntries() {
        shadowPage(0x21000, P | US);
        guest.cpu.cr0 &= ~Bits.CR0_WP;
        mmu.modeChanged();
        assertEquals(Bits.PFEC_P | W, fault(() -> mmu.write8(0x21000, 7)));
        assertEquals(0, mmu.read8(0x21000));
        // Again with the page in TLB and view.
        assertEquals(Bits.PFEC_P | W, fault(() -> mmu.write8(0x21000, 7)));
    }

    @Test
    void smepAndSmapWorkOnTheShadowsUserBits() {
        guest.cpu.cr4 |= Bits.CR4_SMEP | Bits.CR4_SMAP;
        mmu.modeChanged();
        shadowPage(0x20000, 0);
        assertEquals(Bits.PFEC_P | I, fault(() -> mmu.fetch(0x6000)));
        assertEquals(Bits.PFEC_P, fault(() -> mmu.read8(0x6000)));
        assertEquals(0, fault(() -> mmu.read8(0x20000)));
        guest.cpu.flags |= Bits.AC;
        mmu.modeChanged();
        assertEquals(0, mmu.read8(0x6000));
        assertEquals(Intercept.PF_OPEN, fault(() -> mmu.read8(0x20000)));
        assertEquals(Intercept.PF_OPEN | W, fault(() -> mmu.write8(0x20000, 1)));
        assertEquals(0, fault(() -> mmu.readSystem8(0x20000)));
        assertEquals(I, fault(() -> mmu.fetch(0x20000)));
        guest.cpl(3);
        assertEquals(U, fault(() -> mmu.read8(0x20000)));
    }

    @Test
    void withoutTheGuestsPagingThereIsNoSmap() {
        guest.cpu.cr4 = Bits.CR4_SMEP | Bits.CR4_SMAP;
        guest.cpu.cr0 &= ~Bits.CR0_PG;
        guest.cpu.efer = 0;
        mmu.modeChanged();
        assertEquals(0, mmu.read8(0x6000));
        assertEquals(guest.hostOf(0x6000), mmu.fetch(0x6000));
        assertEquals(0x6000, mmu.translate(0x6000, Rights.READ));
        shadowPage(0x6000, 0);
        mmu.flush(true);
        assertEquals(0, fault(() -> mmu.read8(0x1_0000_6000L)));
        assertEquals(0x6000, guest.block.frame().address);
    }

    @Test
    void protectionKeysLieInTheShadowsEntries() {
        guest.cpu.cr4 |= Bits.CR4_PKE;
        mmu.modeChanged();
        shadowPage(0x20000, ALL | 5L << 59);
        guest.cpl(3);
        mmu.write8(0x20000, 1);
        guest.cpu.extended[X86.PKRU] = 2L << 10;
        mmu.keysChanged();
        assertEquals(1, mmu.read8(0x20000));
        assertEquals(U | W | Bits.PFEC_P | Bits.PFEC_PK, fault(() -> mmu.write8(0x20000, 2)));
        guest.cpl(0);
        guest.cpu.cr0 &= ~Bits.CR0_WP;
        mmu.modeChanged();
        assertEquals(W | Bits.PFEC_P | Bits.PFEC_PK, fault(() -> mmu.write8(0x20000, 2)));
    }

    @Test
    void fiveLevelsWhileTheGuestHasThem() {
        // A fifth level above: entry 1 leads to the four-level root.
        HostRam.fill(guest.hostOf(0x9000), 4096, (byte) 0);
        HostRam.setLong(guest.hostOf(0x9000) + 8, guest.block.translationRoot | ALL);
        guest.block.translationRoot = guest.hostOf(0x9000);
        guest.cpu.cr4 |= Bits.CR4_LA57;
        mmu.modeChanged();
        guest.poke64(0x30008, 77);
        assertEquals(77, mmu.read64((1L << 48) + 0x30008));
        assertEquals(0, fault(() -> mmu.read64(0x30008)));
    }

    @Test
    void invlpgForgetsPiecesOfLargePagesAndOnlyOnePageThatIsWhole() {
        shadowPage(0x30000, ALL | Bits.PTE_WHOLE);
        shadowPage(0x31000, ALL | Bits.PTE_WHOLE);
        mmu.read8(0x30000);
        mmu.read8(0x31000);
        shadowPage(0x30000, 0);
        shadowPage(0x31000, 0);
        mmu.invalidatePage(0x30123);
        assertEquals(0, fault(() -> mmu.read8(0x30000)));
        assertEquals(0, mmu.read8(0x31000));
        shadowPage(0x40000, ALL);
        mmu.read8(0x40000);
        shadowPage(0x40000, 0);
        mmu.invalidatePage(0x50000);
        assertEquals(0, fault(() -> mmu.read8(0x40000)));
    }

    @Test
    void noEntryIsGlobal() {
        guest.cpu.cr4 |= Bits.CR4_PGE;
        mmu.modeChanged();
        shadowPage(0x30000, ALL | Bits.PTE_G);
        mmu.read8(0x30000);
        shadowPage(0x30000, 0);
        mmu.rootChanged(false);
        assertEquals(0, fault(() -> mmu.read8(0x30000)));
    }

    @Test
    void theStateIsToldOnceAChangeAndBeforeTheFirstMiss() {
        guest.block.instructions = 1L << Intercept.PAGING_STATE;
        shadowPage(0x20000, 0);
        ExitFrame frame = exit(Exit.INSTRUCTION, () -> mmu.read8(0x20000));
        assertEquals(Intercept.PAGING_STATE, frame.code);
        assertEquals(guest.cpu.cr3, frame.address);
        assertEquals(0, frame.value);
        assertEquals(ExitFrame.RETRY, frame.reply);
        assertEquals(0, fault(() -> mmu.read8(0x20000)));
        mmu.read8(0x30000);
        guest.cpu.cr4 |= Bits.CR4_PGE | Bits.CR4_PCIDE;
        mmu.modeChanged();
        exit(Exit.INSTRUCTION, () -> mmu.read8(0x30000));
        mmu.read8(0x30000);
        guest.cpu.cr3 |= 1;
        mmu.rootChanged(false);
        exit(Exit.INSTRUCTION, () -> mmu.read8(0x20000));
        mmu.read8(0x31000);
        guest.cpu.cr3 &= ~1;
        mmu.rootChanged(true);
        assertEquals(0, mmu.read8(0x30000)); // kept: nothing is needed
        exit(Exit.INSTRUCTION, () -> mmu.read8(0x31000));
        guest.block.instructions = 0;
        mmu.rootChanged(false);
        mmu.read8(0x30000);
    }

    @Test
    void devicePagesAllowWhatTheGuestsTablesDo() {
        shadowPage(0x20000, 0);
        mmu.granted.device(0x20000, 0xfee0_0000L, Rights.READ | 8, 0);
        assertEquals(0xfee0_0010L, exit(Exit.ACCESS, () -> mmu.read32(0x20010)).address);
        assertEquals(W, fault(() -> mmu.write32(0x20010, 1)));
        assertEquals(I, fault(() -> mmu.fetch(0x20010)));
        guest.cpu.cr0 &= ~Bits.CR0_WP;
        mmu.modeChanged();
        mmu.granted.device(0x20000, 0xfee0_0000L, Rights.READ | 8, 0);
        exit(Exit.ACCESS, () -> mmu.write32(0x20010, 1));
        guest.cpl(3);
        exit(Exit.ACCESS, () -> mmu.read32(0x20010));
        assertEquals(U | W, fault(() -> mmu.write32(0x20010, 1)));
        mmu.granted.device(0x20000, 0xfee0_0000L, Rights.ALL, 0);
        assertEquals(U, fault(() -> mmu.read32(0x20010)));
    }

    @Test
    void sixteenDevicePagesAreKnownUntilSomethingIsDropped() {
        Runnable[] drops = {
            () -> mmu.invalidatePage(0x77000),
            () -> mmu.rootChanged(true),
            () -> mmu.flush(false),
            () -> mmu.flushContext(0),
            mmu::keysChanged,
            mmu::invalidate,
            mmu::reset,
        };
        for (Runnable drop : drops) {
            for (int i = 0; i < 16; i++) {
                shadowPage(0x20000 + 0x1000 * i, 0);
                mmu.granted.device(0x20000 + 0x1000 * i, 0xf000_0000L + 0x1000 * i, 11, 0);
            }
            for (int i = 0; i < 16; i++) {
                long at = 0x20000 + 0x1000 * i;
                ExitFrame frame = exit(Exit.ACCESS, () -> mmu.read8(at + 1));
                assertEquals(0xf000_0001L + 0x1000 * i, frame.address);
            }
            drop.run();
            assertEquals(0, fault(() -> mmu.read8(0x20000)));
        }
    }

    @Test
    void aDeviceOnlyForWritesIsReadFromTheTables() {
        shadowPage(0x20000, P | US);
        guest.poke64(0x20000, 5);
        mmu.granted.device(0x20000, 0xf_0000, Rights.READ | Rights.WRITE, W);
        assertEquals(5, mmu.read8(0x20000));
        assertEquals(0xf_0000, exit(Exit.ACCESS, () -> mmu.write8(0x20000, 1)).address);
    }

    @Test
    void withKeysADeviceIsWrittenOnlyWhenTheVmmWasAskedForAWrite() {
        guest.cpu.cr4 |= Bits.CR4_PKE;
        mmu.modeChanged();
        shadowPage(0x20000, 0);
        guest.cpl(3);
        mmu.granted.device(0x20000, 0xf000_0000L, 11, U);
        exit(Exit.ACCESS, () -> mmu.read8(0x20000));
        assertEquals(U | W, fault(() -> mmu.write8(0x20000, 1)));
        mmu.granted.device(0x20000, 0xf000_0000L, 11, U | W);
        exit(Exit.ACCESS, () -> mmu.read8(0x20000));
        exit(Exit.ACCESS, () -> mmu.write8(0x20000, 1));
    }

    @Test
    void aPageForOneInstructionIsForItsKindOfAccessAndNeverKept() {
        shadowPage(0x20000, P | US);
        long other = guest.hostOf(0x60000);
        mmu.read8(0x20000);
        mmu.granted.once(0x20000, W, other);
        mmu.write8(0x20008, 9);
        assertEquals(9, HostRam.getByte(other + 8));
        assertEquals(0, mmu.read8(0x20008));
        guest.cpl(3);
        assertEquals(U | W | Bits.PFEC_P, fault(() -> mmu.write8(0x20008, 1)));
        guest.cpl(0);
        mmu.write8(0x20008, 10);
        mmu.granted.end();
        assertEquals(W | Bits.PFEC_P, fault(() -> mmu.write8(0x20008, 1)));
        mmu.granted.once(0x20000, W, other);
        mmu.invalidate();
        assertEquals(W | Bits.PFEC_P, fault(() -> mmu.write8(0x20008, 1)));
    }

    @Test
    void underNestedTablesAPageForOneInstructionIsNeverKept() {
        guest.block.translation = Translation.NESTED;
        mmu.reset();
        shadowPage(0x20000, P | US);
        long other = guest.hostOf(0x60000);
        mmu.read8(0x20000);
        assertEquals(0x20001, exit(Exit.TRANSLATION, () -> mmu.write8(0x20001, 1)).address);
        mmu.granted.once(0x20000, Rights.WRITE, other);
        mmu.write8(0x20001, 1);
        assertEquals(1, HostRam.getByte(other + 1));
        assertEquals(0, mmu.read8(0x20001));
        mmu.granted.end();
        exit(Exit.TRANSLATION, () -> mmu.write8(0x20001, 1));
    }

    @Test
    void theGuestsOwnTablesAreLookedAtForPeople() {
        guest.entry(0x4000, 0x20, 0x31000 | P);
        assertEquals(0x31010, mmu.translate(0x20010, Rights.READ));
        assertEquals(-1, mmu.translate(0x20010, Rights.WRITE));
        assertEquals(guest.hostOf(0x31010), mmu.hostAddress(0x31010));
        assertEquals(-1, mmu.hostAddress(1L << 40));
        assertTrue(mmu.describe(0x20010).getLast().contains("31001 present"));
        assertEquals(4, mmu.describe(0x20010).size());
    }

    @Test
    void paesPointersComeFromTheGuestsMemory() {
        guest.protectedMode();
        guest.cpu.cr4 = Bits.CR4_PAE;
        guest.entry(0xa000, 0, 0x2000 | P);
        assertTrue(mmu.loadPointers(0xa000));
        guest.entry(0xa000, 0, 0x2000 | P | RW);
        assertFalse(mmu.loadPointers(0xa000));
        assertTrue(mmu.loadPointers(0x4000_0000L)); // no memory: not to be known
    }
}

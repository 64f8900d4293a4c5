package org.alcazar.paging.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.alcazar.testkit.paging.PagingStage;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a core with four-level tables at guest-physical 0x1000 on sees of the shadow tables. */
class ShadowPagingTest {
    private static final long PAGE = 4096;
    private static final long LARGE = ModelMachine.LARGE;
    private static final long ALL = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US;
    private static final long CR0 = Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP;
    private static final long EFER = Bits.EFER_LMA | Bits.EFER_LME | Bits.EFER_NXE;
    private static final int WRITE = ModelCore.WRITE;

    /** Guest tables: root, then one for each level; and one more of the lowest. */
    private static final long L4 = PAGE, L3 = 2 * PAGE, L2 = 3 * PAGE, L1 = 4 * PAGE;

    /** Linear addresses of page n by the lowest table. */
    private static final long DATA = 16 * PAGE;

    private final ModelMachine machine = new ModelMachine(2);
    private final ModelCore core = machine.cores.getFirst();
    private final List<PageExtent> extents = new ArrayList<>();
    private long ram;
    private long big;

    @BeforeAll
    static void reserve() {
        ModelMachine.reserve();
    }

    @BeforeEach
    void build() throws HostRefusal {
        ram = take(64, PAGE);
        big = take(2 * LARGE / PAGE, LARGE);
        machine.stage.map().add(new Range(0, 63 * PAGE, ram, Rights.ALL, true));
        long rom = 63 * PAGE;
        machine.stage.map().add(new Range(rom, PAGE, ram + rom, Rights.READ, true));
        machine.stage.map().add(new Range(2 * LARGE, 2 * LARGE, big, Rights.ALL, true));
        put(L4, 0, L3 | ALL);
        put(L3, 0, L2 | ALL);
        put(L2, 0, L1 | ALL);
        for (int i = 0; i < 64; i++) {
            put(L1, i, i * PAGE | ALL);
        }
        core.load(CR0, L4, Bits.CR4_PAE, EFER);
    }

    @AfterEach
    void nothingIsLeft() {
        for (PageExtent extent : extents) {
            for (long at = 0; at < extent.bytes(); at += PAGE) {
                assertEquals(0, RamPages.flags(extent.address() + at), "a mark was left");
            }
            machine.stage.free(extent);
        }
        assertEquals(0, machine.stage.bytesInUse(""));
    }

    private long take(long pages, long alignment) throws HostRefusal {
        PageExtent extent =
                machine.stage.allocate(
                        new PageRequest("ram", pages, alignment, -1, Long.MAX_VALUE));
        extents.add(extent);
        return extent.address();
    }

    /** A device writes an entry: whoever has to hears of it. */
    private void put(long table, int index, long entry) {
        machine.write(table + 8L * index, 8, entry);
    }

    private ShadowPaging mode(Strategy strategy) throws HostRefusal {
        return mode(strategy, 1000);
    }

    private ShadowPaging mode(Strategy strategy, int tables) throws HostRefusal {
        ShadowPaging mode = new ShadowPaging(machine, strategy, tables);
        machine.cores.forEach(each -> mode.enter(each.index(), each.block()));
        return mode;
    }

    private static long count(ShadowPaging mode, String name) {
        return mode.counters().getOrDefault(name, -1L);
    }

    @Test
    void anEngineWithoutShadowTablesIsRefusedInOneLine() {
        PagingStage nested = new PagingStage(X86.ARCHITECTURE);
        ShadowPagingComponent type = new ShadowPagingComponent();
        assertEquals("shadow", type.name());
        assertFalse(type.description().isEmpty());
        String message =
                assertThrows(
                                ConfigurationException.class,
                                () ->
                                        type.create(
                                                nested,
                                                Settings.check("", type.configuration(), Map.of())))
                        .getMessage();
        assertEquals(
                "paging shadow: the engine of architecture x86 takes no shadow tables", message);
    }

    @Test
    void theBlockGetsAnEmptyRootAndTheGuestsMemory() throws Exception {
        ShadowPagingComponent type = new ShadowPagingComponent();
        Settings settings =
                Settings.check("", type.configuration(), Map.of("strategy", "sync", "tables", 70));
        try (var mode = type.create(machine, settings)) {
            mode.enter(0, core.block());
            assertSame(Translation.SHADOW, core.block().translation);
            assertEquals(0, HostRam.getLong(core.block().translationRoot));
            assertEquals(ram + 5, core.block().guestPhysical.host(5));
            assertEquals(-1, core.block().guestPhysical.host(1L << 40));
            assertEquals(
                    1L << Intercept.INVLPG | 1L << Intercept.INVPCID | 1L << Intercept.PAGING_STATE,
                    mode.intercepts());
            assertThrows(IllegalStateException.class, () -> mode.translation(core));
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutPagingAddressesAreGuestPhysical(Strategy strategy) throws HostRefusal {
        core.load(Bits.CR0_PE, 0, 0, 0);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ram + DATA, core.access(mode, DATA, WRITE));
            assertEquals(big + LARGE, core.access(mode, 3 * LARGE, ModelCore.FETCH));
            assertEquals(1, count(mode, "large-fills"));
            assertEquals(ModelCore.DEVICE | 0xfee0_0000L, core.access(mode, 0xfee0_0000L, WRITE));
            assertEquals(3 | 4 | 8, core.block().frame().code, "all rights, users too");
            assertEquals(63 * PAGE | ModelCore.DEVICE, core.access(mode, 63 * PAGE, WRITE));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheGuestsTablesRefuseIsItsOwnFault(Strategy strategy) throws HostRefusal {
        put(L1, 20, DATA | Bits.PTE_P | Bits.PTE_NX);
        put(L1, 21, DATA | ALL | 1L << 50);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ModelCore.FAULT | 3, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(ModelCore.FAULT | 5, core.access(mode, 20 * PAGE, ModelCore.USER));
            assertEquals(ModelCore.FAULT | 17, core.access(mode, 20 * PAGE, ModelCore.FETCH));
            assertEquals(ModelCore.FAULT | 9, core.access(mode, 21 * PAGE, 0));
            assertEquals(ModelCore.FAULT | 6, core.access(mode, 1L << 30, WRITE | ModelCore.USER));
            assertEquals(5, count(mode, "guest-faults"));
            assertEquals(0, count(mode, "fills"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void accessesSetAccessedAndDirtyBitsWhenTheyAreMade(Strategy strategy) throws HostRefusal {
        try (ShadowPaging mode = mode(strategy)) {
            long entry = L1 + 8 * 16;
            core.access(mode, DATA, 0);
            assertEquals(Bits.PTE_A, machine.read(entry, 8) & (Bits.PTE_A | Bits.PTE_D));
            assertEquals(Bits.PTE_A, machine.read(L4, 8) & Bits.PTE_A);
            core.access(mode, DATA, WRITE);
            assertNotEquals(0, machine.read(entry, 8) & Bits.PTE_D);
            assertEquals(2, count(mode, "fills"));
            core.forget();
            core.access(mode, DATA, WRITE);
            assertEquals(2, count(mode, "faults"), "the entry is there");
        }
    }

    @ParameterizedTest
    @EnumSource
    void supervisorsWriteToReadOnlyPagesOneByOneWithoutWriteProtection(Strategy strategy)
            throws HostRefusal {
        put(L1, 20, DATA | Bits.PTE_P | Bits.PTE_US);
        core.load(CR0 & ~Bits.CR0_WP, L4, Bits.CR4_PAE, EFER);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ram + DATA, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(ram + DATA, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(2, core.onces);
            assertEquals(ModelCore.FAULT | 7, core.access(mode, 20 * PAGE, WRITE | ModelCore.USER));
        }
    }

    @ParameterizedTest
    @EnumSource
    void protectionKeysRefuseByTheCoresRegister(Strategy strategy) throws HostRefusal {
        put(L1, 20, DATA | ALL | 5L << 59);
        core.load(CR0, L4, Bits.CR4_PAE | Bits.CR4_PKE, EFER);
        long[] extended = core.block().group(X86.EXTENDED);
        try (ShadowPaging mode = mode(strategy)) {
            extended[X86.PKRU] = 1L << 10;
            assertEquals(ModelCore.FAULT | 33, core.access(mode, 20 * PAGE, 0));
            extended[X86.PKRU] = 2L << 10;
            assertEquals(ModelCore.FAULT | 35, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(ram + DATA, core.access(mode, 20 * PAGE, 0));
            assertEquals(5, entry(20 * PAGE) >>> 59 & 15, "the key is the shadow's, too");
        }
    }

    /** The entry of a page in the tables that core 0 walks, or 0. */
    private long entry(long linear) {
        long table = core.block().translationRoot;
        for (int level = core.mode.top; ; level--) {
            long entry = HostRam.getLong(table + 8L * Tables.index(linear, level));
            if (level == 0 || (entry & Bits.PTE_P) == 0 || (entry & Bits.PTE_PS) != 0) {
                return entry;
            }
            table = entry & 0x000f_ffff_ffff_f000L;
        }
    }

    @Test
    void aVirtualTlbKeepsWhatTheGuestHasNotFlushed() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.VTLB)) {
            core.access(mode, DATA, 0);
            core.access(mode, 17 * PAGE, 0);
            put(L1, 16, 0);
            assertEquals(ram + DATA, core.access(mode, DATA, 0));
            core.invlpg(mode, DATA);
            assertEquals(ModelCore.FAULT, core.access(mode, DATA, 0));
            assertNotEquals(0, entry(17 * PAGE));
            core.load(CR0, L4, Bits.CR4_PAE, EFER);
            core.state(mode);
            assertEquals(0, entry(17 * PAGE));
        }
    }

    @Test
    void invlpgDropsAllPiecesOfALargePageFromAVirtualTlb() throws HostRefusal {
        put(L2, 1, Bits.PTE_PS | ALL); // guest page 0 to 2 MiB, which RAM has but a part of
        try (ShadowPaging mode = mode(Strategy.VTLB)) {
            core.access(mode, LARGE + DATA, 0);
            core.access(mode, LARGE + 17 * PAGE, 0);
            assertEquals(0, entry(LARGE + DATA) & Bits.PTE_WHOLE, "a piece is told from a whole");
            core.invlpg(mode, LARGE + 30 * PAGE);
            assertEquals(0, entry(LARGE + DATA));
            assertEquals(0, entry(LARGE + 17 * PAGE));
        }
    }

    @Test
    void cachedTablesHearOfEveryWriteAndStayOverSwitches() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            core.access(mode, DATA, 0);
            core.access(mode, 17 * PAGE, 0);
            assertEquals(RamPages.TABLE, RamPages.flags(machine.host(L1)));
            core.load(CR0, L4, Bits.CR4_PAE, EFER);
            core.state(mode);
            assertNotEquals(0, entry(DATA));
            assertEquals(1, count(mode, "roots-reused"));
            put(L1, 16, 0);
            assertEquals(0, entry(DATA), "dropped at once");
            assertNotEquals(0, entry(17 * PAGE));
            long host = core.access(mode, 4 * PAGE, WRITE);
            assertEquals(machine.host(L1), host);
            assertEquals(1, core.onces, "the table is protected");
            core.store(4 * PAGE, host + 8 * 17, 8, 0);
            assertEquals(0, entry(17 * PAGE));
        }
    }

    @Test
    void aPageThatBecomesATableIsWritableNowhereAnyMore() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            long other = 30 * PAGE;
            long host = core.access(mode, other, WRITE);
            put(L2, 2, other | ALL);
            core.store(other, host, 8, DATA | ALL);
            int before = machine.invalidations;
            core.access(mode, 2 * LARGE, 0);
            assertTrue(machine.invalidations > before, "a TLB had it as writable");
            assertEquals(0, entry(other) & Bits.PTE_RW);
            core.access(mode, other, WRITE);
            core.store(other, host, 8, 0);
            assertEquals(0, entry(2 * LARGE));
        }
    }

    @Test
    void aTableThatIsWrittenOverAndOverIsNoneAnyMore() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            put(L2, 2, 30 * PAGE | ALL);
            put(30 * PAGE, 0, DATA | ALL);
            core.access(mode, DATA, 0);
            core.access(mode, 2 * LARGE, 0);
            long tables = mode.counters().get("tables");
            for (int i = 0; i < 50; i++) {
                core.access(mode, 30 * PAGE, WRITE);
            }
            assertEquals(1, count(mode, "unshadowed"));
            assertTrue(count(mode, "table-writes") < 8);
            assertEquals(0, RamPages.flags(machine.host(30 * PAGE)));
            assertNotEquals(0, entry(30 * PAGE) & Bits.PTE_RW);
            mode.changed(DATA, PAGE);
            assertTrue(mode.counters().get("tables") < tables);
            assertTrue(mode.tablePages() >= tables, "kept for others");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "CACHE,0,8,4096,false", "SYNC,0,8,4096,false", "CACHE,1,1,0,false", "CACHE,4,8,0,false",
        "CACHE,0,16,0,false", "CACHE,0,2,0,false", "CACHE,0,8,0,true", "SYNC,0,8,0,true",
    })
    void writesThatNoKernelMakesToTablesEndOneAtOnce(
            Strategy strategy, int offset, int size, int run, boolean user) throws HostRefusal {
        try (ShadowPaging mode = mode(strategy)) {
            otherTable(mode);
            core.size = size;
            core.run = run;
            int access = WRITE | (user ? ModelCore.USER : 0);
            core.access(mode, 30 * PAGE + offset, access);
            assertEquals(0, core.onces);
            assertEquals(1, count(mode, "unshadowed"));
            assertNotEquals(0, entry(30 * PAGE) & Bits.PTE_RW);
        }
    }

    @ParameterizedTest
    @CsvSource({"0,8,0", "4,4,0", "8,1,0", "0,8,16"})
    void writesOfEntriesDoNot(int offset, int size, int run) throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            otherTable(mode);
            core.size = size;
            core.run = run;
            core.access(mode, 30 * PAGE + offset, WRITE);
            assertEquals(1, core.onces);
            assertEquals(0, count(mode, "unshadowed"));
        }
    }

    @Test
    void aTableThatLeadsToItselfStaysOneHoweverItIsWritten() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            core.run = 4096;
            for (int i = 0; i < 20; i++) {
                assertEquals(ram + L1, core.access(mode, L1, WRITE));
            }
            assertEquals(20, core.onces);
            assertEquals(0, count(mode, "unshadowed"));
        }
    }

    @Test
    void aTableIsNotUsedAgainBeforeTheEngineHasForgottenIt() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            otherTable(mode);
            long given = tableOf(2 * LARGE);
            core.run = 4096;
            core.access(mode, 30 * PAGE, WRITE);
            assertEquals(1, count(mode, "unshadowed"));
            put(L2, 4, 31 * PAGE | ALL);
            put(31 * PAGE, 0, DATA | ALL);
            int before = machine.invalidations;
            core.access(mode, 4 * LARGE, 0);
            assertEquals(before, machine.invalidations);
            assertNotEquals(given, tableOf(4 * LARGE));
        }
    }

    /** The shadow of the lowest level on the way to an address. */
    private long tableOf(long linear) {
        long table = core.block().translationRoot;
        for (int level = 3; level > 0; level--) {
            long entry = HostRam.getLong(table + 8L * Tables.index(linear, level));
            table = entry & TableFormat.ADDRESS;
        }
        return table;
    }

    @ParameterizedTest
    @EnumSource(names = {"CACHE", "SYNC"})
    void anEntryThatIsWrittenDuringAWalkIsReadAgain(Strategy strategy) throws HostRefusal {
        long marked = ALL | Bits.PTE_A | Bits.PTE_D;
        put(L1, 20, DATA | marked);
        core.load(CR0, L4, Bits.CR4_PAE | Bits.CR4_PKE, EFER);
        // Another core does it by its TLB, from before anybody was to be told.
        core.inWalk = () -> HostRam.setLong(ram + L1 + 8 * 20, 21 * PAGE | marked);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ram + 21 * PAGE, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(2, count(mode, "walks"));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CACHE", "SYNC"})
    void aTableInAPageOf1GiBThatIsGoneIsWritableInNoTlb(Strategy strategy) throws HostRefusal {
        long huge = 1L << 30;
        long host = HostRange.carve(huge, huge);
        machine.stage.map().add(new Range(huge, huge, host, Rights.ALL, true));
        put(L3, 1, huge | ALL | Bits.PTE_PS);
        long table = huge + 5 * PAGE;
        put(L2, 3, table | ALL);
        put(table, 0, DATA | ALL);
        ModelCore other = machine.cores.getLast();
        other.load(CR0, L4, Bits.CR4_PAE, EFER);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(host + 5 * PAGE, core.access(mode, table, WRITE));
            assertEquals(1, count(mode, "large-fills"));
            put(L3, 1, 0);
            int before = machine.invalidations;
            assertEquals(ram + DATA, other.access(mode, 3 * LARGE, 0));
            assertEquals(before + 1, machine.invalidations);
        }
        HostRange.release(host);
    }

    /** One more of the lowest tables, that can be written. */
    private void otherTable(ShadowPaging mode) throws HostRefusal {
        put(L2, 2, 30 * PAGE | ALL);
        put(30 * PAGE, 0, DATA | ALL);
        core.access(mode, DATA, 0);
        core.access(mode, 2 * LARGE, 0);
        assertEquals(RamPages.TABLE, RamPages.flags(machine.host(30 * PAGE)));
    }

    @Test
    void tablesOutOfStepAreCompareddAtFlushesAndProtectedWhenTheyAreQuiet() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.SYNC)) {
            core.access(mode, DATA, 0);
            core.access(mode, 17 * PAGE, 0);
            long host = core.access(mode, 4 * PAGE, WRITE);
            assertEquals(0, core.onces, "the guest may write there");
            assertEquals(0, RamPages.flags(machine.host(L1)));
            core.store(4 * PAGE, host + 8 * 16, 8, 0);
            core.store(4 * PAGE, host + 8 * 17, 8, 0);
            assertNotEquals(0, entry(DATA));
            core.invlpg(mode, DATA);
            assertEquals(0, entry(DATA));
            core.store(4 * PAGE, host + 8 * 18, 8, 18 * PAGE | ALL);
            for (int i = 0; i < 5; i++) {
                core.load(CR0, L4, Bits.CR4_PAE, EFER);
                core.state(mode);
            }
            assertEquals(RamPages.TABLE, RamPages.flags(machine.host(L1)));
            assertEquals(0, entry(4 * PAGE) & Bits.PTE_RW);
        }
    }

    @ParameterizedTest
    @EnumSource
    void largePagesAreLargeWhereTheHostAllowsAndNoTableLiesIn(Strategy strategy)
            throws HostRefusal {
        put(L2, 2, 2 * LARGE | Bits.PTE_PS | ALL);
        put(L2, 3, 3 * LARGE | Bits.PTE_PS | ALL);
        put(3 * LARGE, 7, DATA | ALL);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(big + 5, core.access(mode, 2 * LARGE + 5, WRITE));
            assertEquals(big + PAGE, core.access(mode, 2 * LARGE + PAGE, WRITE));
            assertEquals(1, count(mode, "fills"));
            assertNotEquals(0, entry(2 * LARGE) & Bits.PTE_PS);
            core.access(mode, 3 * LARGE, WRITE);
            put(L2, 4, 3 * LARGE | ALL);
            assertEquals(ram + DATA, core.access(mode, 4 * LARGE + 7 * PAGE, 0));
            core.forget();
            core.access(mode, 3 * LARGE + PAGE, WRITE);
            boolean pieces = strategy != Strategy.VTLB;
            assertEquals(pieces, (entry(3 * LARGE + PAGE) & Bits.PTE_PS) == 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aChangeOfTheMapDropsWhatWasMadeFromIt(Strategy strategy) throws HostRefusal {
        try (ShadowPaging mode = mode(strategy)) {
            core.access(mode, DATA, WRITE);
            machine.stage.map().remove(0);
            machine.stage.map().add(new Range(0, 16 * PAGE, ram, Rights.ALL, true));
            int before = machine.invalidations;
            mode.changed(16 * PAGE, 47 * PAGE);
            assertEquals(before + 1, machine.invalidations);
            assertEquals(0, entry(DATA));
            assertEquals(ModelCore.DEVICE | DATA, core.access(mode, DATA, 0));
            machine.stage.map().remove(0);
            machine.stage.map().add(new Range(0, 63 * PAGE, ram, Rights.ALL, true));
            mode.changed(0, 1L << 46);
            assertEquals(ram + DATA, core.access(mode, DATA, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CACHE", "SYNC"})
    void aChangeOfWhatTheEngineCanNotKnowLeavesItAlone(Strategy strategy) throws HostRefusal {
        put(L1, 40, 0xfee0_0000L | ALL);
        try (ShadowPaging mode = mode(strategy)) {
            core.access(mode, DATA, 0);
            core.access(mode, 17 * PAGE, 0);
            int before = machine.invalidations;
            mode.changed(20 * PAGE, PAGE);
            mode.changed(0xfee0_0000L, PAGE);
            assertEquals(before, machine.invalidations, "nothing was made from these");
            put(L1, 17, 0);
            mode.changed(17 * PAGE, PAGE);
            assertEquals(before + 1, machine.invalidations, "a TLB may have it yet");
            mode.changed(17 * PAGE, PAGE);
            assertEquals(before + 1, machine.invalidations);
            core.access(mode, 40 * PAGE, 0);
            mode.changed(0xfee0_0000L, PAGE);
            assertEquals(before + 2, machine.invalidations, "the engine knows a device there");
        }
    }

    @ParameterizedTest
    @EnumSource
    void windowsOfTheBusAreMapped(Strategy strategy) throws HostRefusal {
        int rights = Rights.READ | Rights.WRITE;
        machine.stage.map().add(new Range(1L << 32, PAGE, PhysicalBus.WINDOWS, rights, false));
        put(L1, 20, 1L << 32 | ALL);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(PhysicalBus.WINDOWS, core.access(mode, 20 * PAGE, WRITE));
            assertEquals(
                    ModelCore.DEVICE | 1L << 32, core.access(mode, 20 * PAGE, ModelCore.FETCH));
        }
    }

    @ParameterizedTest
    @EnumSource
    void tablesOnADeviceMakeAVirtualTlb(Strategy strategy) throws HostRefusal {
        put(L3, 1, ModelMachine.DEVICE | ALL);
        machine.device[3] = L1 | ALL;
        try (ShadowPaging mode = mode(strategy)) {
            long linear = (1L << 30) + 3 * LARGE + DATA;
            assertEquals(ram + DATA, core.access(mode, linear, WRITE));
            assertNotEquals(0, machine.device[3] & Bits.PTE_A, "accessed bits are set there");
            machine.device[3] = 0;
            assertNotEquals(0, entry(linear));
            core.invlpg(mode, linear);
            assertEquals(ModelCore.FAULT, core.access(mode, linear, 0));
            core.load(CR0, L4, Bits.CR4_PAE, EFER);
            core.state(mode);
            assertFalse(mode.core(0).untracked);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRootThatIsNoMemoryReadsAsAllOnes(Strategy strategy) throws HostRefusal {
        core.load(CR0, 1L << 40, Bits.CR4_PAE, EFER);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ModelCore.FAULT | 9, core.access(mode, 0, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTableThatPointsToItselfIsTheGuestsAffair(Strategy strategy) throws HostRefusal {
        put(L4, 511, L4 | ALL);
        try (ShadowPaging mode = mode(strategy)) {
            // The root as a page: its own entry 511 four times.
            long root = -1L << 12;
            assertEquals(machine.host(L4), core.access(mode, root, 0));
            long host = core.access(mode, root, WRITE);
            core.store(root, host, 8, 0);
            core.invlpg(mode, DATA);
            core.load(CR0, L4, Bits.CR4_PAE, EFER);
            assertEquals(ModelCore.FAULT, core.access(mode, DATA, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whenTablesRunOutSomeAreGivenUp(Strategy strategy) throws HostRefusal {
        try (ShadowPaging mode = mode(strategy, 64)) {
            for (int i = 1; i < 300; i++) {
                // Each a way of its own through the same guest table of the lowest level, or many.
                put(L4, i & 255, L3 | ALL);
                put(L3, i & 511, L2 | ALL);
                core.load(CR0, L4, Bits.CR4_PAE | (i % 2) * Bits.CR4_SMEP, EFER);
                long linear = (long) (i & 127) << 39 | (long) (i & 511) << 30 | DATA;
                assertEquals(ram + DATA, core.access(mode, linear, 0));
                put(L2, i & 511, (i % 40 + 20) * PAGE | ALL);
                core.access(mode, linear + ((long) (i & 511) << 21), 0);
                assertTrue(mode.tablePages() <= 64);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHostWithoutPagesIsARefusalOnceNothingIsLeftToGiveUp(Strategy strategy)
            throws HostRefusal {
        machine.stage.left = 0;
        assertThrows(HostRefusal.class, () -> mode(strategy));
        machine.stage.left = 1;
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(ram + DATA, core.access(mode, DATA, 0));
            for (int i = 0; i < 40; i++) {
                put(L2, 1 + i, (20 + i) * PAGE | ALL);
                put((20 + i) * PAGE, 0, DATA | ALL);
                assertEquals(ram + DATA, core.access(mode, (1 + i) * LARGE, 0));
            }
            assertTrue(count(mode, "reclaimed") > 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void drainsTellWhatWasAccessedAndWritten(Strategy strategy) throws HostRefusal {
        try (ShadowPaging mode = mode(strategy)) {
            mode.drainAccessed((address, bytes, written) -> {});
            core.access(mode, DATA, 0);
            core.access(mode, 17 * PAGE, WRITE);
            assertEquals(List.of("10000 4096 false", "11000 4096 true"), drain(mode));
            core.forget();
            assertEquals(List.of(), drain(mode));
            core.access(mode, 17 * PAGE, 0);
            core.load(CR0, L4, Bits.CR4_PAE, EFER);
            core.state(mode);
            assertEquals(List.of("11000 4096 false"), drain(mode), "flushed or not");
        }
    }

    private static List<String> drain(ShadowPaging mode) {
        List<String> all = new ArrayList<>();
        mode.drainAccessed((address, bytes, written) ->
                all.add(Long.toHexString(address) + " " + bytes + " " + written));
        all.sort(null);
        return all;
    }

    @Test
    void paesPointersAreThoseOfTheLoadOfCr3() throws HostRefusal {
        put(40 * PAGE, 0, L2 | Bits.PTE_P);
        core.load(CR0, 40 * PAGE, Bits.CR4_PAE, 0);
        try (ShadowPaging mode = mode(Strategy.CACHE)) {
            assertEquals(ram + DATA, core.access(mode, DATA, 0));
            put(40 * PAGE, 0, 0);
            core.forget();
            assertEquals(ram + DATA, core.access(mode, DATA, 0));
            assertEquals(ram + 17 * PAGE, core.access(mode, 17 * PAGE, 0));
            core.load(CR0, 40 * PAGE, Bits.CR4_PAE, 0);
            assertEquals(ModelCore.FAULT, core.access(mode, DATA, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void fourMegabytePagesAreTwoLargeOnes(Strategy strategy) throws HostRefusal {
        machine.write(L4, 4, 2 * LARGE | Bits.PTE_PS | ALL);
        core.load(CR0, L4, Bits.CR4_PSE, 0);
        try (ShadowPaging mode = mode(strategy)) {
            assertEquals(big + DATA, core.access(mode, DATA, WRITE));
            assertEquals(big + LARGE + DATA, core.access(mode, LARGE + DATA, WRITE));
            assertEquals(2, count(mode, "large-fills"));
            assertEquals(0, entry(DATA) & Bits.PTE_WHOLE);
            machine.write(L4, 4, 0);
            core.invlpg(mode, DATA);
            assertEquals(0, entry(LARGE + DATA));
        }
    }

    @Test
    void otherFaultsAndInstructionsAreLeftToTheEngine() throws HostRefusal {
        try (ShadowPaging mode = mode(Strategy.SYNC)) {
            core.exit(mode, Exit.FAULT, Bits.GP, 0);
            assertEquals(ExitFrame.PROCEED, core.block().frame().reply);
            core.exit(mode, Exit.INSTRUCTION, Intercept.INVPCID, 0);
            assertEquals(ExitFrame.PROCEED, core.block().frame().reply);
        }
    }
}

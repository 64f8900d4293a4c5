package org.alcazar.paging.nested;

import static org.alcazar.testkit.paging.PagingStage.LARGE;
import static org.alcazar.testkit.paging.PagingStage.PAGE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.alcazar.testkit.paging.PagingStage;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;

/** Host addresses of RAM are only numbers here: nobody goes there. */
class NestedPagingTest {
    private static final long HOST = 1L << 36;
    private static final long WINDOW = 0x8000_0000L;
    private static final long ROM = 0x4000_0000L;
    private static final long DOORBELL = 0x9000_0000L;

    private final PagingStage stage = new PagingStage(X86.ARCHITECTURE);
    private final GuestPhysicalMap map = stage.map();
    private final ControlBlock block = stage.block();

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, PAGE));
    }

    /** RAM without and beyond a hole, read-only memory, and two windows of the bus. */
    @BeforeEach
    void build() {
        map.add(new Range(0, 160 * PAGE, HOST, Rights.ALL, true));
        map.add(new Range(LARGE, 4 * LARGE, HOST + LARGE, Rights.ALL, true));
        map.add(new Range(ROM, LARGE, HOST + 64 * LARGE, Rights.READ | Rights.EXECUTE, true));
        map.add(new Range(WINDOW, PAGE, PhysicalBus.WINDOWS, Rights.READ | Rights.WRITE, false));
        map.add(new Range(DOORBELL, PAGE, PhysicalBus.WINDOWS + PAGE, Rights.WRITE, false));
    }

    @AfterEach
    void allMemoryCameBack() {
        assertEquals(0, stage.bytesInUse(""));
    }

    private PagingMode mode() throws ConfigurationException, HostRefusal {
        PagingMode mode =
                new NestedPagingComponent()
                        .create(stage, Settings.check("", Schema.EMPTY, Map.of()));
        mode.enter(0, block);
        return mode;
    }

    private int miss(PagingMode mode, long address, int rights) throws HostRefusal {
        ExitFrame frame = block.frame();
        frame.address = address;
        frame.code = rights;
        frame.reply = -1;
        mode.translation(stage);
        return frame.reply;
    }

    private long walk(long address) {
        return PagingStage.walk(block, address);
    }

    @Test
    void theBlockGetsTheRoot() throws Exception {
        try (PagingMode mode = mode()) {
            assertSame(Translation.NESTED, block.translation);
            assertTrue(block.translationRoot > 0);
            assertTrue(mode.tablePages() >= 1);
            assertTrue(stage.bytesInUse("vm:a") >= mode.tablePages() * PAGE, "charged to the VM");
        }
    }

    @Test
    void anEngineWithoutASecondLevelIsRefusedInOneLine() {
        stage.takes = Translation.SLOTS;
        String message = assertThrows(ConfigurationException.class, this::mode).getMessage();
        assertEquals(
                "paging nested: the engine of architecture x86 has no second level of translation",
                message);
    }

    @Test
    void whatTheMapHasIsTriedAgain() throws Exception {
        try (PagingMode mode = mode()) {
            assertEquals(ExitFrame.RETRY, miss(mode, 5 * PAGE + 7, Rights.WRITE));
            assertEquals(HOST + 5 * PAGE | 7, walk(5 * PAGE));
            assertEquals(ExitFrame.RETRY, miss(mode, ROM, Rights.EXECUTE));
            assertEquals(HOST + 64 * LARGE | 5, walk(ROM));
            assertEquals(ExitFrame.RETRY, miss(mode, WINDOW + 4, Rights.WRITE));
            assertEquals(PhysicalBus.WINDOWS | 3, walk(WINDOW));
        }
    }

    @Test
    void pagesAreAsLargeAsTheMapAllows() throws Exception {
        long huge = 1L << 30;
        map.add(new Range(4 * huge, huge, 66 * huge, Rights.ALL, true));
        map.add(new Range(8 * huge, huge, 67 * huge + LARGE, Rights.ALL, true));
        try (PagingMode mode = mode()) {
            assertEquals(ExitFrame.RETRY, miss(mode, 4 * huge + 5, Rights.READ));
            assertEquals(67 * huge - PAGE | 7, walk(5 * huge - PAGE), "1 GiB");
            assertEquals(ExitFrame.RETRY, miss(mode, 8 * huge, Rights.READ));
            assertEquals(67 * huge + 2 * LARGE - PAGE | 7, walk(8 * huge + LARGE - PAGE), "2 MiB");
            assertEquals(-1, walk(8 * huge + LARGE), "1 GiB is not aligned on the host");
        }
    }

    @Test
    void whatTheMapLacksBecomesAnAccess() throws Exception {
        try (PagingMode mode = mode()) {
            for (long hole : new long[] {160 * PAGE, LARGE - 1, 0xfee0_0000L, 1L << 50, -1}) {
                assertEquals(ExitFrame.AS_ACCESS, miss(mode, hole, Rights.READ));
            }
            assertEquals(-1, walk(160 * PAGE));
        }
    }

    @Test
    void aMissingRightBecomesAnAccessToo() throws Exception {
        try (PagingMode mode = mode()) {
            assertEquals(ExitFrame.AS_ACCESS, miss(mode, ROM, Rights.WRITE));
            assertEquals(ExitFrame.AS_ACCESS, miss(mode, WINDOW, Rights.EXECUTE));
            assertEquals(
                    ExitFrame.AS_ACCESS,
                    miss(mode, DOORBELL, Rights.WRITE),
                    "an entry that is present could be read as well");
            assertEquals(-1, walk(DOORBELL));
        }
    }

    @Test
    void changedRangesAreDroppedAndTheEngineHears() throws Exception {
        try (PagingMode mode = mode()) {
            miss(mode, LARGE, Rights.READ);
            miss(mode, 2 * LARGE, Rights.READ);
            map.remove(LARGE);
            map.add(new Range(LARGE, LARGE, HOST + 32 * LARGE, Rights.ALL, true));
            mode.changed(LARGE, 4 * LARGE);
            assertEquals(List.of("GUEST_PHYSICAL 0x200000 8388608"), stage.invalidations);
            assertEquals(-1, walk(LARGE));
            assertEquals(-1, walk(2 * LARGE));
            assertEquals(ExitFrame.RETRY, miss(mode, LARGE + PAGE, Rights.READ));
            assertEquals(HOST + 32 * LARGE + PAGE | 7, walk(LARGE + PAGE));
            assertEquals(ExitFrame.AS_ACCESS, miss(mode, 2 * LARGE, Rights.READ));
        }
    }

    @Test
    void closingGivesTheTablesBack() throws Exception {
        PagingMode mode = mode();
        for (Range range : map.ranges()) {
            miss(mode, range.start(), Rights.READ);
        }
        assertTrue(stage.bytesInUse("vm:a") > 0);
        mode.close();
        assertEquals(0, stage.bytesInUse("vm:a"));
    }

    @Test
    void entriesAreMadeAtTheFirstMissOfTheirPage() throws Exception {
        try (PagingMode mode = mode()) {
            assertEquals(1, mode.tablePages());
            assertEquals(-1, walk(0));
            miss(mode, 0, Rights.READ);
            assertEquals(HOST | 7, walk(0));
            assertEquals(-1, walk(PAGE), "too small a range for a large page");
            assertEquals(4, mode.tablePages());
            miss(mode, LARGE + 5, Rights.READ);
            assertEquals(HOST + LARGE + 7 * PAGE | 7, walk(LARGE + 7 * PAGE), "a large page");
            assertEquals(-1, walk(2 * LARGE));
            assertEquals(4, mode.tablePages());
        }
    }

    @Test
    void aHostWithoutPagesIsARefusal() throws Exception {
        stage.left = 0;
        assertThrows(HostRefusal.class, this::mode);
        stage.left = 1;
        try (PagingMode mode = mode()) {
            // Unequal offsets: pages of 4 KiB only, so each GiB takes two tables more.
            map.add(new Range(1L << 33, 1L << 34, PAGE, Rights.ALL, true));
            assertThrows(
                    HostRefusal.class,
                    () -> {
                        for (long at = 1L << 33; at < 1L << 34; at += 1L << 30) {
                            miss(mode, at, Rights.READ);
                        }
                    });
            assertEquals(PAGE | 7, walk(1L << 33), "what was mapped stays");
        }
    }

    @Test
    void namesItself() {
        NestedPagingComponent type = new NestedPagingComponent();
        assertEquals("nested", type.name());
        assertTrue(type.configuration().keys().isEmpty());
        assertTrue(!type.description().isEmpty());
    }
}

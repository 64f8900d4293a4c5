package org.alcazar.paging.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A guest that writes what it likes into its tables, flushes when it likes, on two cores, in every
 * format, while the map changes: no entry ever gives more than the guest's tables.
 */
class RandomGuestTest {
    private static final long PAGE = 4096;
    private static final long LARGE = ModelMachine.LARGE;
    private static final long CR0 = Bits.CR0_PE | Bits.CR0_PG;
    private static final int PAGES = 24;
    private static final int TABLES = 10;

    /** Where a large page can lie, tables in it too. */
    private static final long BIG = 2 * LARGE;

    /** RAM that a page of 1 GiB can map, with a table in it. */
    private static final long HUGE = 1L << 30;

    private static final int STEPS = 2000;

    private final Random random = new Random(20_26);
    private final ModelMachine machine = new ModelMachine(2);
    private final List<PageExtent> extents = new ArrayList<>();
    private String format = "";
    private int entryBytes = 8;

    /** Host address of what is at {@link #HUGE}, 0 for nothing. */
    private long huge;

    /** Pages stop being tables, and become some again, while TLBs know them. */
    private boolean churn;

    @BeforeAll
    static void reserve() {
        ModelMachine.reserve();
    }

    @ParameterizedTest
    @CsvSource({
        "VTLB,long,200",
        "VTLB,five,4000",
        "VTLB,pae,4000",
        "VTLB,pse,4000",
        "VTLB,legacy,300",
        "CACHE,long,4000",
        "CACHE,five,200",
        "CACHE,pae,4000",
        "CACHE,pse,4000",
        "CACHE,legacy,150",
        "CACHE,mixed,200",
        "CACHE,churn,4000",
        "SYNC,churn,4000",
        "VTLB,huge,4000",
        "CACHE,huge,4000",
        "SYNC,huge,300",
        "SYNC,long,4000",
        "SYNC,five,4000",
        "SYNC,pae,200",
        "SYNC,pse,4000",
        "SYNC,mixed,200",
        "VTLB,mixed,4000",
    })
    void noEntryGivesMoreThanTheGuestsTables(Strategy strategy, String kind, int tables)
            throws HostRefusal {
        memory();
        format = List.of("mixed", "huge", "churn").contains(kind) ? "long" : kind;
        churn = kind.equals("churn");
        huge = kind.equals("huge") ? HostRange.carve(HUGE, HUGE) : 0;
        if (huge != 0) {
            add(HUGE, huge, HUGE, Rights.ALL);
        }
        fillTables();
        int listeners = RamPages.listeners();
        try (ShadowPaging mode = new ShadowPaging(machine, strategy, tables)) {
            run(mode, strategy, kind);
        }
        assertEquals(listeners, RamPages.listeners());
        machine.stage
                .map()
                .ranges()
                .forEach(r -> {
                    for (long p = r.host(); p < r.host() + r.bytes(); p += PAGE) {
                        assertEquals(0, RamPages.flags(p), "a mark was left");
                    }
                });
        extents.forEach(machine.stage::free);
        if (huge != 0) {
            HostRange.release(huge);
        }
        assertEquals(0, machine.stage.bytesInUse(""), "tables were left");
    }

    private void run(ShadowPaging mode, Strategy strategy, String kind) throws HostRefusal {
        long[] universe = universe(kind.equals("mixed"));
        ShadowChecker checker = new ShadowChecker(machine, universe);
        for (ModelCore core : machine.cores) {
            mode.enter(core.index(), core.block());
            load(core, checker);
        }
        for (int step = 0; step < STEPS; step++) {
            ModelCore core = machine.cores.get(random.nextInt(2));
            core.size = random.nextInt(20) == 0 ? 16 : entryBytes;
            core.run = random.nextInt(churn ? 2 : 20) == 0 ? 4096 : 0;
            int dice = random.nextInt(churn ? 88 : 100);
            if (dice < 50) {
                access(mode, core, checker, universe[random.nextInt(universe.length)]);
            } else if (dice < 85) {
                writeEntry(mode, core, checker, universe);
            } else if (dice < 91) {
                long linear = universe[random.nextInt(universe.length)];
                core.invlpg(mode, linear);
                checker.flushed(core.index(), linear);
            } else if (dice < 97) {
                if (kind.equals("mixed")) {
                    format = List.of("long", "pae", "pse", "legacy").get(random.nextInt(4));
                }
                load(core, checker);
                core.state(mode);
                core.keys(random.nextInt(3) == 0 ? random.nextInt() : 0);
            } else {
                changeMap(mode, checker);
            }
            checker.note();
            for (ModelCore each : machine.cores) {
                CoreState state = mode.core(each.index());
                checker.checkTlb(each);
                checker.check(each, strategy == Strategy.CACHE && !state.untracked);
                if (!state.untracked) {
                    checker.checkTables(each);
                }
            }
        }
        assertTrue(huge == 0 || checker.huge > 100, () -> "of 1 GiB: " + checker.huge);
        assertTrue(checker.checked > 300, () -> "entries: " + checker.checked);
        assertTrue(mode.counters().getOrDefault("fills", 0L) > 50);
    }

    // ---- the guest

    private void memory() throws HostRefusal {
        PageExtent small = take(PAGES + 1, PAGE);
        for (int i = 0; i < PAGES; i++) {
            // In the other order, so that nothing is in one piece by chance.
            add(i * PAGE, small.address() + (PAGES - i) * PAGE, PAGE, Rights.ALL);
        }
        add(PAGES * PAGE, small.address(), PAGE, Rights.READ | Rights.EXECUTE);
        PageExtent big = take(2 * LARGE / PAGE, LARGE);
        add(BIG, big.address(), 2 * LARGE, Rights.ALL);
    }

    private PageExtent take(long pages, long alignment) throws HostRefusal {
        PageExtent extent =
                machine.stage.allocate(
                        new PageRequest("vm:a", pages, alignment, -1, Long.MAX_VALUE));
        extents.add(extent);
        return extent;
    }

    private void add(long gpa, long host, long bytes, int rights) {
        machine.stage.map().add(new Range(gpa, bytes, host, rights, true));
    }

    private long tablePage(int i) {
        if (i == TABLES) {
            return ModelMachine.DEVICE;
        }
        if (i == TABLES - 3 && huge != 0) {
            return HUGE + LARGE;
        }
        return i >= TABLES - 2 ? BIG + (i - TABLES + 5) * PAGE : i * PAGE;
    }

    private void fillTables() {
        entryBytes = format.equals("pse") || format.equals("legacy") ? 4 : 8;
        for (int t = 0; t < TABLES + 1; t++) {
            for (int i : indexes()) {
                machine.write(tablePage(t) + (long) i * entryBytes, entryBytes, entry(t));
            }
        }
    }

    private int[] indexes() {
        return entryBytes == 8 ? new int[] {0, 1, 511} : new int[] {0, 1, 512, 1023};
    }

    /** What a guest writes into table t: mostly that of the next layer, now and then anything. */
    private long entry(int t) {
        int dice = random.nextInt(40);
        if (dice == 0) {
            return 0;
        }
        long target = tablePage(next(t));
        if (dice == 1) {
            target = tablePage(TABLES);
        } else if (dice == 2) {
            target = 0x9000_0000L;
        } else if (dice < 6 || lowest(t) && dice < 25) {
            target = random.nextInt(PAGES + 1) * PAGE;
        } else if (dice < 9 || lowest(t) && dice < 28) {
            target = BIG | Bits.PTE_PS;
        } else if (huge != 0 && t % 4 == 1 && dice < 20) {
            target = HUGE | Bits.PTE_PS;
        }
        long flags = Bits.PTE_P;
        flags |= random.nextInt(6) != 0 ? Bits.PTE_RW : 0;
        flags |= random.nextInt(6) != 0 ? Bits.PTE_US : 0;
        flags |= random.nextInt(3) == 0 ? Bits.PTE_A | Bits.PTE_D : 0;
        flags |= entryBytes == 8 && random.nextInt(8) == 0 ? Bits.PTE_NX : 0;
        flags |= entryBytes == 8 && random.nextInt(60) == 0 ? 1L << 50 : 0;
        flags |= layers() >= 4 && random.nextInt(4) == 0 ? random.nextLong(16) << 59 : 0;
        return target | flags;
    }

    private int layers() {
        return format.equals("five") ? 5 : entryBytes == 4 ? 2 : format.equals("pae") ? 3 : 4;
    }

    private boolean lowest(int t) {
        return t % layers() == layers() - 1;
    }

    /** A table of the layer below; below the lowest any. */
    private int next(int t) {
        int layers = layers();
        if (t % layers == layers - 1 || random.nextInt(10) == 0) {
            return random.nextInt(TABLES);
        }
        int below = t % layers + 1;
        return below + layers * random.nextInt((TABLES - 1 - below) / layers + 1);
    }

    private long[] universe(boolean mixed) {
        List<Long> all = new ArrayList<>();
        int levels = format.equals("five") ? 5 : entryBytes == 8 ? 4 : 2;
        for (int i = 0; i < 72; i++) {
            long linear = 0;
            for (int level = 0; level < levels; level++) {
                int[] choice = indexes();
                long index = choice[random.nextInt(choice.length)];
                linear |= index << 12 + level * (entryBytes == 8 ? 9 : 10);
            }
            if (format.equals("pae")) {
                linear &= 0xffff_ffffL;
            } else if (mixed) {
                linear &= 0x7fff_ffffL;
            } else if (entryBytes == 8) {
                int unused = 64 - 12 - 9 * levels;
                linear = linear << unused >> unused;
            }
            all.add(linear);
        }
        return all.stream().distinct().mapToLong(l -> l).toArray();
    }

    private void load(ModelCore core, ShadowChecker checker) {
        long root = tablePage(random.nextInt(12) == 0 ? TABLES : layers() * random.nextInt(2));
        long cr0 = CR0 | (random.nextInt(3) != 0 ? Bits.CR0_WP : 0);
        long cr4 =
                (random.nextInt(4) == 0 ? Bits.CR4_SMEP : 0)
                        | (random.nextInt(4) == 0 ? Bits.CR4_SMAP : 0)
                        | (random.nextInt(2) == 0 ? Bits.CR4_PKE : 0);
        long efer = random.nextInt(8) != 0 ? Bits.EFER_NXE : 0;
        if (random.nextInt(12) == 0) {
            cr0 &= ~Bits.CR0_PG;
        } else {
            switch (format) {
                case "long" -> efer |= Bits.EFER_LMA | Bits.EFER_LME;
                case "five" -> {
                    efer |= Bits.EFER_LMA | Bits.EFER_LME;
                    cr4 |= Bits.CR4_LA57;
                }
                case "pse" -> cr4 |= Bits.CR4_PSE;
                default -> {}
            }
            boolean wide = !format.equals("pse") && !format.equals("legacy");
            cr4 |= wide ? Bits.CR4_PAE : 0;
        }
        core.load(cr0, root, cr4, efer);
        checker.flushed(core.index());
    }

    private void access(ShadowPaging mode, ModelCore core, ShadowChecker checker, long linear)
            throws HostRefusal {
        int access =
                switch (random.nextInt(4)) {
                    case 0, 1 -> ModelCore.WRITE;
                    case 2 -> ModelCore.FETCH;
                    default -> 0;
                };
        boolean data = access != ModelCore.FETCH;
        access |= random.nextBoolean() ? ModelCore.USER : data ? random.nextInt(2) << 30 : 0;
        core.state(mode);
        long expected = checker.expected(core, linear, access);
        long seen = core.access(mode, linear, access);
        if ((seen & ModelCore.FAULT) != 0) {
            assertEquals(
                    Long.toHexString(expected),
                    Long.toHexString(seen & ~ModelCore.FAULT),
                    () ->
                            "a fault that the guest's tables do not give, at "
                                    + Long.toHexString(linear));
        }
    }

    /** By a device or a core, through its TLB or not. */
    private void writeEntry(
            ShadowPaging mode, ModelCore core, ShadowChecker checker, long[] universe)
            throws HostRefusal {
        if (random.nextInt(3) == 0) {
            int[] choice = indexes();
            int t = random.nextInt(TABLES + 1);
            long at = tablePage(t);
            long index = choice[random.nextInt(choice.length)];
            machine.write(at + index * entryBytes, entryBytes, entry(t));
            return;
        }
        long linear = 0;
        long host = ModelCore.FAULT;
        for (int i = 0; i < 8 && (host & (ModelCore.FAULT | ModelCore.DEVICE)) != 0; i++) {
            linear = universe[random.nextInt(universe.length)];
            host = core.access(mode, linear, ModelCore.WRITE);
        }
        if ((host & (ModelCore.FAULT | ModelCore.DEVICE)) == 0) {
            // The store may be to the very tables that allowed it.
            checker.note();
            int[] choice = indexes();
            long index = choice[random.nextInt(choice.length)];
            if (churn && core.mode.paging) {
                // The page goes away, and a TLB has it yet when it is a table again.
                long at = checker.entryAt(core.mode, linear);
                machine.write(at, 8, entry(layers() - 1));
                return;
            }
            core.store(
                    linear, host + index * entryBytes, entryBytes, entry(random.nextInt(TABLES)));
        }
    }

    private void changeMap(ShadowPaging mode, ShadowChecker checker) {
        long gpa = random.nextInt(PAGES) * PAGE;
        Range old =
                machine.stage.map().ranges().stream()
                        .filter(r -> r.start() == gpa)
                        .findFirst()
                        .orElseThrow();
        machine.stage.map().remove(gpa);
        int rights = random.nextInt(3) == 0 ? Rights.READ : Rights.ALL;
        // Two guest pages change places now and then.
        add(gpa, old.host(), PAGE, rights);
        mode.changed(gpa, PAGE);
        checker.changed(gpa);
    }
}

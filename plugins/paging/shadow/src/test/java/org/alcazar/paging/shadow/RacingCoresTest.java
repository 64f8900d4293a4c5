package org.alcazar.paging.shadow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Two cores, each on a thread of its own, use the same tables, write to them through the tables
 * themselves, and change the map: no access is ever allowed that no state of the guest's tables
 * since the core's last flush has allowed. Each entry has one core that writes it, which takes down
 * from when to when each value can be seen.
 */
class RacingCoresTest {
    private static final long PAGE = 4096;
    private static final long ALL = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US;

    /** Table 0 is of level 1, the others are of the lowest; above are two that do not change. */
    private static final int TABLES = 4;

    private static final int ENTRIES = 4;
    private static final int PAGES = 12;

    /** Its rights in the map change. */
    private static final int GUARDED = PAGES - 1;

    private static final long L4 = 14 * PAGE, L3 = 15 * PAGE;
    private static final int STEPS = 6000;
    private static final int MEETING = 500;
    private static final int PATIENCE = 100_000;

    /** A value that can be seen from one moment to another. */
    private static final class Seen {
        final long value;
        final long from;
        volatile long to = Long.MAX_VALUE;

        Seen(long value, long from) {
            this.value = value;
            this.from = from;
        }
    }

    /** What was somewhere, the newest first. */
    private static final class Past {
        private final Deque<Seen> all = new ArrayDeque<>();

        synchronized void put(Seen seen) {
            all.addFirst(seen);
        }

        synchronized Seen newest() {
            return all.getFirst();
        }

        /** What can have been seen in a time. */
        synchronized List<Long> during(long from, long to) {
            List<Long> found = new ArrayList<>();
            Iterator<Seen> each = all.iterator();
            while (each.hasNext()) {
                Seen seen = each.next();
                if (seen.to < from) {
                    break;
                }
                if (seen.from <= to) {
                    found.add(seen.value);
                }
            }
            return found;
        }
    }

    private final ModelMachine machine = new ModelMachine(2);
    private final AtomicLong clock = new AtomicLong();
    private final Past[][] past = new Past[TABLES][ENTRIES];
    private final Past guarded = new Past();
    private final AtomicLong accesses = new AtomicLong();

    /** When each core last flushed what it knew of a page, from before that on. */
    private final long[][] flushed = new long[2][ENTRIES * ENTRIES];

    private long ram;

    @BeforeAll
    static void reserve() {
        ModelMachine.reserve();
    }

    @ParameterizedTest
    @EnumSource
    void noAccessIsAllowedThatNoStateOfTheTablesSinceTheFlushAllowed(Strategy strategy)
            throws Exception {
        PageExtent extent = machine.stage.allocate(PageRequest.of("ram", 16));
        ram = extent.address();
        machine.stage.map().add(new Range(0, GUARDED * PAGE, ram, Rights.ALL, true));
        machine.stage.map().add(guardedRange(Rights.ALL));
        long rest = (GUARDED + 1) * PAGE;
        machine.stage.map().add(new Range(rest, 16 * PAGE - rest, ram + rest, Rights.ALL, true));
        fillTables();
        try (ShadowPaging mode = new ShadowPaging(machine, strategy, 100);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (ModelCore core : machine.cores) {
                core.patience = PATIENCE;
                core.slow = true;
                mode.enter(core.index(), core.block());
                load(core);
            }
            CyclicBarrier meeting =
                    new CyclicBarrier(2, () -> check(mode, strategy == Strategy.CACHE));
            List<Future<?>> runs = new ArrayList<>();
            for (ModelCore core : machine.cores) {
                runs.add(threads.submit(() -> run(mode, core, meeting)));
            }
            end(runs);
        }
        assertTrue(accesses.get() > STEPS / 4, () -> "accesses: " + accesses);
        machine.stage.free(extent);
        assertEquals(0, machine.stage.bytesInUse(""), "tables were left");
    }

    /** What one has found, not that the other no longer met it. */
    private static void end(List<Future<?>> runs) throws Exception {
        List<Exception> found = new ArrayList<>();
        for (Future<?> run : runs) {
            try {
                run.get();
            } catch (ExecutionException e) {
                boolean other = e.getCause() instanceof BrokenBarrierException;
                found.add(other ? found.size() : 0, e);
            }
        }
        if (!found.isEmpty()) {
            throw found.getFirst();
        }
    }

    private Range guardedRange(int rights) {
        return new Range(GUARDED * PAGE, PAGE, ram + GUARDED * PAGE, rights, true);
    }

    private void fillTables() {
        Random random = new Random(7);
        machine.write(L4, 8, L3 | ALL);
        machine.write(L3, 8, 0 | ALL);
        for (int t = 0; t < TABLES; t++) {
            for (int i = 0; i < ENTRIES; i++) {
                long value = entry(random, t);
                past[t][i] = new Past();
                past[t][i].put(new Seen(value, 0));
                machine.write(t * PAGE + 8L * i, 8, value);
            }
        }
        guarded.put(new Seen(Rights.ALL, 0));
    }

    private static long entry(Random random, int t) {
        if (random.nextInt(8) == 0) {
            return 0;
        }
        long page =
                t == 0
                        ? 1 + random.nextInt(TABLES - 1)
                        : random.nextInt(3) == 0 ? random.nextInt(TABLES) : random.nextInt(PAGES);
        return page * PAGE
                | Bits.PTE_P
                | (random.nextInt(4) != 0 ? Bits.PTE_RW : 0)
                | (random.nextInt(4) != 0 ? Bits.PTE_US : 0);
    }

    private void load(ModelCore core) {
        long now = clock.incrementAndGet();
        core.load(
                Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP,
                L4,
                Bits.CR4_PAE,
                Bits.EFER_LMA | Bits.EFER_LME | Bits.EFER_NXE);
        Arrays.fill(flushed[core.index()], now);
    }

    // ---- a core

    private Void run(ShadowPaging mode, ModelCore core, CyclicBarrier meeting)
            throws InterruptedException, BrokenBarrierException, HostRefusal {
        Random random = new Random(core.index());
        boolean done = false;
        try {
            for (int step = 1; step <= STEPS; step++) {
                step(mode, core, random);
                if (step % MEETING == 0) {
                    meeting.await();
                }
            }
            done = true;
        } finally {
            if (!done) {
                leave(meeting);
            }
        }
        return null;
    }

    /** Breaks it for good: the other one may come only later. */
    private static void leave(CyclicBarrier meeting) {
        Thread.currentThread().interrupt();
        try {
            meeting.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            // as it was meant
        }
    }

    private void step(ShadowPaging mode, ModelCore core, Random random) throws HostRefusal {
        int dice = random.nextInt(100);
        int page = random.nextInt(ENTRIES * ENTRIES);
        if (dice < 60) {
            access(mode, core, random, page);
        } else if (dice < 85) {
            int t = random.nextInt(TABLES);
            int i = own(core, random);
            write(t, i, entry(random, t), false);
        } else if (dice < 92) {
            long now = clock.incrementAndGet();
            core.invlpg(mode, linear(page));
            flushed[core.index()][page] = now;
        } else if (dice < 97) {
            load(core);
            core.state(mode);
        } else if (dice < 98) {
            mode.drainAccessed((address, bytes, written) -> {});
            mode.changed(random.nextInt(PAGES) * PAGE, PAGE);
        } else if (core.index() == 0) {
            guard(mode, random.nextBoolean() ? Rights.ALL : Rights.READ);
        }
    }

    private static long linear(int page) {
        return ((long) page / ENTRIES << 21) + (long) page % ENTRIES * PAGE;
    }

    private static int own(ModelCore core, Random random) {
        return 2 * random.nextInt(ENTRIES / 2) + core.index();
    }

    /** The entry's own core stores to it. */
    private void write(int t, int i, long value, boolean silent) {
        Past here = past[t][i];
        Seen before = here.newest();
        here.put(new Seen(value, clock.incrementAndGet()));
        long host = ram + t * PAGE + 8L * i;
        if (silent) {
            HostRam.setLong(host, value);
        } else {
            RamPages.setLong(host, value);
        }
        before.to = clock.incrementAndGet();
    }

    private void guard(ShadowPaging mode, int rights) {
        Seen before = guarded.newest();
        guarded.put(new Seen(rights, clock.incrementAndGet()));
        machine.stage.map().remove(GUARDED * PAGE);
        machine.stage.map().add(guardedRange(rights));
        mode.changed(GUARDED * PAGE, PAGE);
        before.to = clock.incrementAndGet();
    }

    private void access(ShadowPaging mode, ModelCore core, Random random, int page)
            throws HostRefusal {
        int access = random.nextBoolean() ? ModelCore.WRITE : 0;
        access |= random.nextBoolean() ? ModelCore.USER : 0;
        boolean write = (access & ModelCore.WRITE) != 0;
        core.run = random.nextInt(6) == 0 ? 4096 : 0;
        int i = own(core, random);
        long begin = clock.incrementAndGet();
        long seen =
                core.access(
                        mode,
                        linear(page),
                        access,
                        (host, silent) -> {
                            int t = (int) ((host - ram) / PAGE);
                            if (write && t < TABLES) {
                                write(t, i, entry(random, t), silent);
                            }
                        });
        long end = clock.incrementAndGet();
        if ((seen & ModelCore.FAULT) != 0) {
            assertTrue(
                    isPossible(page, begin, begin, end, -1, access),
                    () -> "a fault that no state gave, at page " + page);
        } else if ((seen & ModelCore.DEVICE) == 0) {
            accesses.incrementAndGet();
            long since = flushed[core.index()][page];
            long host = seen & -PAGE;
            int wanted = access;
            assertTrue(
                    isPossible(page, since, begin, end, host, access),
                    () ->
                            "core %d, page %d, access %x: at %x, no access that was allowed since"
                                    .formatted(core.index(), page, wanted, host - ram));
        }
    }

    /**
     * Whether some state since a flush has an access lead to a host page, or refuses it (-1). What
     * the map gives must be so at the time of the access.
     */
    private boolean isPossible(int page, long since, long begin, long end, long host, int access) {
        long needed = Bits.PTE_P;
        needed |= (access & ModelCore.WRITE) != 0 ? Bits.PTE_RW : 0;
        needed |= (access & ModelCore.USER) != 0 ? Bits.PTE_US : 0;
        for (long upper : past[0][page / ENTRIES].during(since, end)) {
            if ((upper & needed) != needed) {
                if (host < 0) {
                    return true;
                }
                continue;
            }
            int t = (int) ((upper & TableFormat.ADDRESS) / PAGE);
            for (long lower : past[t][page % ENTRIES].during(since, end)) {
                if ((lower & needed) != needed) {
                    if (host < 0) {
                        return true;
                    }
                } else if (host == ram + (lower & TableFormat.ADDRESS)
                        && mapAllows(lower & TableFormat.ADDRESS, begin, end, access)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean mapAllows(long gpa, long begin, long end, int access) {
        return gpa != GUARDED * PAGE
                || (access & ModelCore.WRITE) == 0
                || guarded.during(begin, end).stream().anyMatch(r -> (r & Rights.WRITE) != 0);
    }

    // ---- while both stand

    private void check(ShadowPaging mode, boolean exact) {
        long now = clock.incrementAndGet();
        // Whatever is on the list of written pages is worked off.
        mode.tablePages();
        ShadowChecker checker = new ShadowChecker(machine, new long[0]);
        for (ModelCore core : machine.cores) {
            core.tlb.forEach((linear, entry) -> {
                int page = (int) (linear >>> 21) * ENTRIES + (int) (linear >>> 12 & 511);
                int access = entry.write() ? ModelCore.WRITE : 0;
                access |= entry.user() ? ModelCore.USER : 0;
                long since = flushed[core.index()][page];
                assertTrue(
                        isPossible(page, since, now, now, entry.host(), access),
                        () -> "core %d, page %d: %s".formatted(core.index(), page, entry));
                boolean table = (RamPages.flags(entry.host()) & RamPages.TABLE) != 0;
                assertTrue(
                        !table || !entry.write() || !entry.fast(),
                        () -> "core %d may write to a table: %s".formatted(core.index(), entry));
            });
            if (exact) {
                checker.check(core, true);
            }
        }
    }
}

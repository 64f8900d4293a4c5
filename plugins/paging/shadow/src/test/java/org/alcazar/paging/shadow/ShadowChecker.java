package org.alcazar.paging.shadow;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.host.HostRam;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares every entry of the shadow tables with a fresh walk of the guest's: they may give less,
 * never more. Strategies that wait for flushes may give what the guest's gave at any time since the
 * last one.
 */
final class ShadowChecker {
    private static final long PAGE = 4096;

    /** What the guest's tables and the map give at a linear page. */
    private record Grant(
            long gpa, long host, boolean write, boolean user, boolean execute, int key) {
        boolean covers(Grant other) {
            return host == other.host
                    && (!other.user || key == other.key)
                    && (write || !other.write)
                    && (user || !other.user)
                    && (execute || !other.execute);
        }
    }

    private final ModelMachine machine;
    private final long[] universe;
    private final List<Map<Long, List<Grant>>> since = new ArrayList<>();
    int checked;

    /** Pages of 1 GiB among them. */
    int huge;

    /**
     * @param universe linear pages that the test ever accesses
     */
    ShadowChecker(ModelMachine machine, long[] universe) {
        this.machine = machine;
        this.universe = universe;
        machine.cores.forEach(core -> since.add(new HashMap<>()));
    }

    /** A core flushes all it knows. */
    void flushed(int core) {
        since.get(core).clear();
    }

    /** A core flushes a page. */
    void flushed(int core, long linear) {
        since.get(core).remove(linear & -PAGE);
    }

    /** The map has changed: no grant of before holds. */
    void changed(long gpa) {
        for (Map<Long, List<Grant>> each : since) {
            each.values().forEach(list -> list.removeIf(g -> (g.gpa & -PAGE) == gpa));
        }
    }

    /** Takes down what holds now; after each step, before {@link #check}. */
    void note() {
        for (ModelCore core : machine.cores) {
            Map<Long, List<Grant>> mine = since.get(core.index());
            for (long linear : universe) {
                Grant grant = grant(core.mode, linear);
                if (grant != null) {
                    List<Grant> list = mine.computeIfAbsent(linear, l -> new ArrayList<>());
                    if (!list.contains(grant)) {
                        list.add(grant);
                    }
                }
            }
        }
    }

    /**
     * @param exact what a core's tables give must hold now
     */
    void check(ModelCore core, boolean exact) {
        check(
                core,
                core.block().translationRoot,
                core.mode.top,
                0,
                new boolean[] {true, true, true},
                exact);
    }

    /** A page whose writes the pager must hear of is writable nowhere. */
    void checkTables(ModelCore core) {
        for (long linear : universe) {
            ModelCore.Entry entry = core.look(linear);
            assertTrue(
                    entry == null
                            || !entry.write()
                            || (RamPages.flags(entry.host()) & RamPages.TABLE) == 0,
                    () -> "core %d, %x: a table is writable".formatted(core.index(), linear));
        }
    }

    /**
     * What a core's TLB holds the guest's tables have given since its last flush, and no store goes
     * by without a word to a page whose writes the pager must hear of.
     */
    void checkTlb(ModelCore core) {
        core.tlb.forEach((linear, entry) -> {
            assertTrue(
                    !entry.write()
                            || !entry.fast()
                            || (RamPages.flags(entry.host()) & RamPages.TABLE) == 0,
                    () -> "core %d, %x: may write to a table".formatted(core.index(), linear));
            Grant given =
                    new Grant(
                            0,
                            entry.host(),
                            entry.write(),
                            entry.user(),
                            entry.execute(),
                            entry.key());
            since(core, linear, given, "TLB");
        });
    }

    private void check(
            ModelCore core, long table, int level, long start, boolean[] rights, boolean exact) {
        for (int i = 0; i < 512; i++) {
            long entry = HostRam.getLong(table + 8 * i);
            if ((entry & Bits.PTE_P) == 0) {
                assertTrue(entry == 0, "bits in an entry that is not present");
                continue;
            }
            int shift = Tables.shift(level);
            long linear = start + ((long) i << shift);
            boolean[] here = {
                rights[0] && (entry & Bits.PTE_RW) != 0,
                rights[1] && (entry & Bits.PTE_US) != 0,
                rights[2] && entry >= 0
            };
            if (level > 0 && (entry & Bits.PTE_PS) == 0) {
                check(core, entry & TableFormat.ADDRESS, level - 1, linear, here, exact);
                continue;
            }
            long host = entry & TableFormat.ADDRESS;
            int key = (int) (entry >>> 59) & 15;
            huge += level == 2 ? 1 : 0;
            if (level == 0) {
                page(core, linear, new Grant(0, host, here[0], here[1], here[2], key), exact);
            } else {
                for (long known : universe) {
                    if ((known & -(1L << shift)) == canonical(core, linear)) {
                        long piece = host | known & (1L << shift) - 1;
                        page(
                                core,
                                known,
                                new Grant(0, piece, here[0], here[1], here[2], key),
                                exact);
                    }
                }
            }
        }
    }

    private static long canonical(ModelCore core, long linear) {
        int unused = 64 - Tables.shift(core.mode.top + 1);
        return linear << unused >> unused;
    }

    private void page(ModelCore core, long at, Grant given, boolean exact) {
        checked++;
        long linear = canonical(core, at);
        if (exact) {
            Grant now = grant(core.mode, linear);
            assertTrue(
                    now != null && now.covers(given),
                    () ->
                            "core %d, %x: %s, but the guest's tables give %s"
                                    .formatted(core.index(), linear, given, now));
        } else if (Arrays.stream(universe).anyMatch(known -> known == linear)) {
            // Elsewhere a table shows that the guest uses twice, and nobody has taken notes.
            since(core, linear, given, "tables");
        }
    }

    private void since(ModelCore core, long linear, Grant given, String where) {
        List<Grant> list = since.get(core.index()).getOrDefault(linear, List.of());
        assertTrue(
                list.stream().anyMatch(grant -> grant.covers(given)),
                () ->
                        "core %d, %x, %s: %s, but since the flush there was %s"
                                .formatted(core.index(), linear, where, given, list));
    }

    /** Walks afresh; null where nothing may be kept. */
    private @Nullable Grant grant(GuestMode mode, long linear) {
        if (!mode.paging) {
            return grant(linear & 0xffff_ffffL, true, true, true, 0);
        }
        TableFormat format = mode.format;
        long table = mode.root;
        if (mode.legacyPae) {
            long pointer = mode.pointers[(int) (linear >>> 30) & 3];
            if ((pointer & Bits.PTE_P) == 0) {
                return null;
            }
            table = pointer & TableFormat.ADDRESS;
        }
        boolean write = true;
        boolean user = true;
        boolean execute = true;
        for (int level = format.levels() - 1; ; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            long entry = machine.read(table + index * format.entryBytes(), format.entryBytes());
            if ((entry & (Bits.PTE_P | Bits.PTE_A)) != (Bits.PTE_P | Bits.PTE_A)
                    || format.reserved(level, entry) != 0) {
                return null;
            }
            write &= (entry & Bits.PTE_RW) != 0;
            user &= (entry & Bits.PTE_US) != 0;
            execute &= format.entryBytes() == 4 || entry >= 0;
            if (level == 0 || format.isLarge(level, entry)) {
                long offset = linear & (1L << format.shift(level)) - 1;
                write &= (entry & Bits.PTE_D) != 0;
                int key = mode.longMode ? (int) (entry >>> 59) & 15 : 0;
                return grant(format.target(level, entry) + offset, write, user, execute, key);
            }
            table = format.target(level, entry);
        }
    }

    /** Where the entry of a page lies that the guest's tables map, by entries of 64 bits. */
    long entryAt(GuestMode mode, long linear) {
        TableFormat format = mode.format;
        long table = mode.root;
        for (int level = format.levels() - 1; ; level--) {
            long at = table + 8 * (linear >>> format.shift(level) & 511);
            long entry = machine.read(at, 8);
            if (level == 0 || format.isLarge(level, entry)) {
                return at;
            }
            table = format.target(level, entry);
        }
    }

    private @Nullable Grant grant(long gpa, boolean write, boolean user, boolean execute, int key) {
        long page = machine.stage.map().page(gpa);
        if (page < 0) {
            return null;
        }
        assertTrue(PhysicalBus.isRam(page));
        return new Grant(
                gpa,
                page & -PAGE,
                write && (page & Rights.WRITE) != 0,
                user,
                execute && (page & Rights.EXECUTE) != 0,
                key);
    }

    /** What the processor would say to an access now: a fault's error code, or -1 for none. */
    long expected(ModelCore core, long linear, int wanted) {
        GuestMode mode = core.mode;
        int access = wanted & ~ModelCore.OPEN;
        if (!mode.paging) {
            return -1;
        }
        TableFormat format = mode.format;
        boolean byUser = (access & ModelCore.USER) != 0;
        long table = mode.root;
        if (mode.legacyPae) {
            long pointer = mode.pointers[(int) (linear >>> 30) & 3];
            if ((pointer & Bits.PTE_P) == 0) {
                return access;
            }
            table = pointer & TableFormat.ADDRESS;
        }
        long all = -1;
        long any = 0;
        long last;
        for (int level = format.levels() - 1; ; level--) {
            long index = linear >>> format.shift(level) & (1 << format.indexBits()) - 1;
            long entry = machine.read(table + index * format.entryBytes(), format.entryBytes());
            if ((entry & Bits.PTE_P) == 0) {
                return access;
            }
            if (format.reserved(level, entry) != 0) {
                return access | Bits.PFEC_P | Bits.PFEC_R;
            }
            all &= entry;
            any |= entry;
            last = entry;
            if (level == 0 || format.isLarge(level, entry)) {
                break;
            }
            table = format.target(level, entry);
        }
        boolean user = (all & Bits.PTE_US) != 0;
        boolean denied = byUser && !user;
        if ((access & ModelCore.FETCH) != 0) {
            denied |= format.entryBytes() == 8 && any < 0 || !byUser && user && mode.smep;
        } else {
            boolean write = (access & ModelCore.WRITE) != 0;
            denied |= write && (all & Bits.PTE_RW) == 0 && (byUser || mode.writeProtect);
            denied |= !byUser && user && mode.smap && (wanted & ModelCore.OPEN) == 0;
            int rights = user && mode.keyed ? core.rights((int) (last >>> 59) & 15) : 0;
            if ((rights & 1) != 0 || (rights & 2) != 0 && write && (byUser || mode.writeProtect)) {
                return access | Bits.PFEC_P | Bits.PFEC_PK;
            }
        }
        return denied ? access | Bits.PFEC_P : -1;
    }
}

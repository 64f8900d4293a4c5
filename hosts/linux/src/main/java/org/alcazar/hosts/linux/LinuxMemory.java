package org.alcazar.hosts.linux;

import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.NativeRange;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.RangeMemory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Guest memory by mmap: huge pages, locked pages, pages of a chosen memory node. Whatever can't be
 * had is told once and done without.
 */
final class LinuxMemory extends RangeMemory {
    private static final Logger LOG = LoggerFactory.getLogger(LinuxMemory.class);

    /** PROT_READ | PROT_WRITE. */
    private static final int PROTECTION = 3;

    /** MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS. */
    private static final int FIXED = 0x02 | 0x10 | 0x20;

    private static final int NORESERVE = 0x4000;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_NOHUGEPAGE = 15;
    private static final int MADV_POPULATE_WRITE = 23;
    private static final int MLOCK_ONFAULT = 1;
    private static final int MPOL_PREFERRED = 1;

    private final SystemTree tree;
    private final Privileges privileges;
    private final Primitives<LinuxPrimitive> primitives;
    private final Notes notes;
    private final HugePages wished;
    private final String lock;
    private final Set<Integer> nodes;

    /** What differs from plain pages, by address of the extent. Guarded by this. */
    private final TreeMap<Long, Treatment> treated = new TreeMap<>();

    /**
     * What an extent got.
     *
     * @param pooledBytes in pages of the pool
     */
    private record Treatment(long pooledBytes, long lockedBytes) {}

    LinuxMemory(
            HostOptions options,
            SystemTree tree,
            Privileges privileges,
            Cgroups cgroups,
            Primitives<LinuxPrimitive> primitives,
            Notes notes)
            throws HostRefusal {
        super("linux", limit(options, cgroups));
        this.tree = tree;
        this.privileges = privileges;
        this.primitives = primitives;
        this.notes = notes;
        wished = HugePages.of(options.text("huge-pages"));
        lock = options.text("lock");
        nodes =
                tree.numbered("/sys/devices/system/node", "node").stream()
                        .collect(Collectors.toSet());
        notes.state(this::describe);
    }

    private static long limit(HostOptions options, Cgroups cgroups) {
        long allowed = cgroups.memory() == Long.MAX_VALUE ? 0 : cgroups.memory() & -PAGE_SIZE;
        long wanted = options.number("memory");
        return wanted == 0 ? allowed : allowed == 0 ? wanted : Math.min(wanted, allowed);
    }

    private synchronized String describe() {
        long pooled = treated.values().stream().mapToLong(Treatment::pooledBytes).sum();
        long locked = treated.values().stream().mapToLong(Treatment::lockedBytes).sum();
        String pages =
                switch (wished) {
                    case OFF -> "pages of 4K alone";
                    case THP -> transparent();
                    case TWO_MIB, ONE_GIB ->
                            "%d MiB in pages of %s, the rest: %s"
                                    .formatted(pooled >> 20, wished.option(), transparent());
                };
        return "memory: %d MiB for guests, %d MiB in use, %d MiB of it locked; %s"
                .formatted(totalBytes() >> 20, bytesInUse("") >> 20, locked >> 20, pages);
    }

    private String transparent() {
        return HugePages.transparent(tree)
                ? "transparent huge pages where the kernel has some"
                : "pages of 4K: this kernel makes no transparent huge pages";
    }

    @Override
    protected long alignment(long bytes) {
        return bytes < wished.bytes() ? PAGE_SIZE : wished.bytes();
    }

    @Override
    protected void taken(PageExtent extent, int numaNode) {
        primitives.count(LinuxPrimitive.PAGE_ALLOCATION);
        primitives.count(LinuxPrimitive.PAGE, extent.pages());
        MemorySegment pages = HostRam.slice(extent.address(), extent.bytes());
        treated.put(extent.address(), new Treatment(0, 0)); // should anything fail from here on
        long pooled = wished.pooled() ? pool(pages) : 0;
        if (wished == HugePages.OFF) {
            advise(pages, MADV_NOHUGEPAGE);
        }
        boolean bound = numaNode != PageRequest.ANY_NODE && prefer(pages, numaNode);
        if (pooled > 0 && !filled(pages.asSlice(0, pooled))) {
            plain(pages);
            pooled = 0;
            bound = bound && prefer(pages, numaNode);
        }
        long locked = lock.equals("false") || !lock(pages) ? 0 : pages.byteSize();
        if (pooled > 0 || locked > 0 || bound || wished == HugePages.OFF) {
            treated.put(extent.address(), new Treatment(pooled, locked));
            LOG.info(
                    "host linux: {} has {} KiB, {} KiB of it in pages of the pool, {} KiB locked",
                    extent.owner(),
                    extent.bytes() >> 10,
                    pooled >> 10,
                    locked >> 10);
        } else {
            treated.remove(extent.address());
        }
    }

    @Override
    protected void dropped(PageExtent extent) {
        primitives.count(LinuxPrimitive.PAGE_FREE);
        MemorySegment pages = HostRam.slice(extent.address(), extent.bytes());
        if (treated.remove(extent.address()) == null) {
            NativeRange.discard(pages);
        } else {
            plain(pages); // at once without lock, policy and huge pages, and zero
        }
    }

    /** A page of the pool is not given back in pieces: parts of it may be in use. */
    @Override
    public void discard(long address, long pages) {
        boolean pooled;
        synchronized (this) {
            Map.Entry<Long, Treatment> extent = treated.floorEntry(address);
            pooled = extent != null && address - extent.getKey() < extent.getValue().pooledBytes;
        }
        if (pooled) {
            HostRam.fill(address, pages << PAGE_SHIFT, (byte) 0);
        } else {
            super.discard(address, pages);
        }
    }

    /**
     * Puts pages of the pool beneath as much of an extent as whole ones fit into. Nobody knows the
     * extent yet, so nobody sees that a refused mmap leaves a hole for a moment.
     *
     * @return for how many bytes
     */
    private long pool(MemorySegment pages) {
        long bytes = pages.byteSize() & -wished.bytes();
        if (bytes == 0 || pages.address() % wished.bytes() != 0) {
            return 0;
        }
        long wanted = bytes / wished.bytes();
        long free = wished.free(tree);
        long result = -1;
        if (free >= wanted) {
            result = map(pages.asSlice(0, bytes), wished.flags());
            if (result >= 0) {
                primitives.count(LinuxPrimitive.HUGE_PAGE, wanted);
                return bytes;
            }
            plain(pages);
        }
        notes.shortOf(
                "huge-pages=" + wished.option(),
                "%d pages wanted, %d free in the pool%s; instead there are %s; %s"
                        .formatted(
                                wanted,
                                free,
                                free >= wanted ? " but refused: " + Errno.text(result) : "",
                                transparent(),
                                wished.remedy(tree, wanted)));
        return 0;
    }

    /** Has all of it there now: a huge page that lacks later would kill the process. */
    private boolean filled(MemorySegment pages) {
        long result =
                Syscall.MADVISE.call(pages.address(), pages.byteSize(), MADV_POPULATE_WRITE, 0);
        if (result >= 0 || Errno.EINVAL.is(result)) { // before Linux 5.14 mmap's promise must do
            return true;
        }
        notes.shortOf(
                "huge-pages=" + wished.option(),
                "the pool's pages can't be used (%s), perhaps for a control group's limit; instead there are %s"
                        .formatted(Errno.text(result), transparent()));
        return false;
    }

    private static long map(MemorySegment pages, int flags) {
        return Syscall.MMAP.call(
                pages.address(), pages.byteSize(), PROTECTION, FIXED | flags, -1, 0);
    }

    /** Makes it what {@link NativeRange} has made the whole range: fresh, ordinary, not used. */
    private static void plain(MemorySegment pages) {
        long result = map(pages, NORESERVE);
        if (result < 0) {
            throw new IllegalStateException("mmap: " + Errno.text(result));
        }
        advise(pages, MADV_HUGEPAGE);
    }

    private static void advise(MemorySegment pages, int advice) {
        // A kernel without transparent huge pages refuses, and needs no telling.
        Syscall.MADVISE.call(pages.address(), pages.byteSize(), advice, 0);
    }

    private boolean prefer(MemorySegment pages, int node) {
        if (nodes.contains(node)) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment mask = arena.allocate(128, Long.BYTES);
                long word = node / 64 * 8L;
                mask.set(ValueLayout.JAVA_LONG, word, 1L << node % 64);
                long result =
                        Syscall.MBIND.call(
                                pages.address(),
                                pages.byteSize(),
                                MPOL_PREFERRED,
                                mask.address(),
                                1024,
                                0);
                if (result >= 0) {
                    return true;
                }
                notes.shortOf(
                        "memory nodes",
                        "mbind is refused (%s): pages come from any node"
                                .formatted(Errno.text(result)));
            }
        }
        primitives.count(LinuxPrimitive.NUMA_FALLBACK);
        return false;
    }

    private boolean lock(MemorySegment pages) {
        long result =
                lock.equals("on-fault")
                        ? Syscall.MLOCK2.call(pages.address(), pages.byteSize(), MLOCK_ONFAULT, 0)
                        : Syscall.MLOCK.call(pages.address(), pages.byteSize());
        if (result >= 0) {
            return true;
        }
        Syscall.MUNLOCK.call(pages.address(), pages.byteSize()); // of what it got to
        notes.shortOf(
                "lock=" + lock,
                "%d MiB can't be locked (%s): %s; guests run, their memory may be swapped out;"
                                .formatted(
                                        pages.byteSize() >> 20,
                                        Errno.text(result),
                                        privileges.aboutLocking())
                        + " right would be CAP_IPC_LOCK or a higher `ulimit -l`");
        return false;
    }
}

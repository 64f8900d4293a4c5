package org.alcazar.testkit.paging;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;
import org.alcazar.vmm.plugin.PagingModeType.PagingContext;

import java.util.ArrayList;
import java.util.List;

/**
 * What a paging mode stands on, for tests of it alone: an empty map, a host's memory that can run
 * out, an engine that only listens, and one core that never runs.
 */
public final class PagingStage implements HostMemory, Engine, PagingContext, PagedCore {
    public static final long PAGE = HostMemory.PAGE_SIZE;
    public static final long LARGE = 2L << 20;

    private final List<PageExtent> extents = new ArrayList<>();
    private final GuestPhysicalMap map = new GuestPhysicalMap();
    private final Architecture architecture;
    private final ControlBlock block;

    /** Requests for memory that are still served. */
    public int left = Integer.MAX_VALUE;

    /** What the engine takes. */
    public Translation takes = Translation.NESTED;

    /** Invalidations, in order. */
    public final List<String> invalidations = new ArrayList<>();

    public PagingStage(Architecture architecture) {
        this.architecture = architecture;
        block = new ControlBlock(architecture);
    }

    /**
     * What the nested walk by a block finds (long-mode tables): the host page with R, W, X in the
     * lowest bits, or -1.
     */
    public static long walk(ControlBlock block, long address) {
        long table = block.translationRoot;
        long rights = 7;
        for (int shift = 39; ; shift -= 9) {
            long entry = HostRam.getLong(table + (address >>> shift & 511) * 8);
            if ((entry & 1) == 0) {
                return -1;
            }
            rights &= (entry & 2) != 0 ? 7 : 5;
            rights &= entry >= 0 ? 7 : 3;
            long target = entry & 0x000f_ffff_ffff_f000L;
            if (shift == 12 || (entry & 0x80) != 0) {
                return target | address & (1L << shift) - 1 & -PAGE | rights;
            }
            table = target;
        }
    }

    @Override
    public GuestPhysicalMap map() {
        return map;
    }

    @Override
    public HostMemory memory() {
        return this;
    }

    @Override
    public String owner() {
        return "vm:a";
    }

    @Override
    public Engine engine() {
        return this;
    }

    @Override
    public int cores() {
        return 1;
    }

    @Override
    public int index() {
        return 0;
    }

    @Override
    public ControlBlock block() {
        return block;
    }

    /** The test has put the registers into the block. */
    @Override
    public void fetch(long groups) {}

    /** There are no devices. */
    @Override
    public long read(long address, int bytes) {
        return -1L >>> 64 - 8 * bytes;
    }

    @Override
    public void write(long address, int bytes, long value) {}

    @Override
    public long totalBytes() {
        return HostRam.SIZE;
    }

    @Override
    public long bytesInUse(String owner) {
        return extents.stream()
                .filter(e -> owner.isEmpty() || e.owner().equals(owner))
                .mapToLong(PageExtent::bytes)
                .sum();
    }

    @Override
    public PageExtent allocate(PageRequest request) throws HostRefusal {
        if (left-- <= 0) {
            throw new HostRefusal("no pages left");
        }
        long bytes = request.pages() * PAGE;
        long at = HostRange.carve(bytes, request.alignment());
        HostRam.fill(at, bytes, (byte) 0);
        PageExtent extent = new PageExtent(request.owner(), at, request.pages());
        extents.add(extent);
        return extent;
    }

    @Override
    public void free(PageExtent extent) {
        if (!extents.remove(extent)) {
            throw new IllegalArgumentException("not in use: " + extent);
        }
        HostRange.release(extent.address());
    }

    @Override
    public Architecture architecture() {
        return architecture;
    }

    @Override
    public boolean takes(Translation translation) {
        return translation == takes;
    }

    @Override
    public VirtualCore newCore(int index, ControlBlock block) {
        throw new UnsupportedOperationException("no cores here");
    }

    @Override
    public void invalidate(Scope scope, long start, long bytes) {
        invalidations.add(scope + " 0x" + Long.toHexString(start) + " " + bytes);
    }

    @Override
    public void close() {}
}

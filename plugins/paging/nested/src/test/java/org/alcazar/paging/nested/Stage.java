package org.alcazar.paging.nested;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;

import java.util.ArrayList;
import java.util.List;

/**
 * What a paging mode stands on: a host's memory that can run out, and an engine that only listens.
 */
final class Stage implements HostMemory, Engine {
    static final long PAGE = HostMemory.PAGE_SIZE;
    static final long LARGE = 2L << 20;

    private final List<PageExtent> extents = new ArrayList<>();

    /** Requests for memory that are still served. */
    int left = Integer.MAX_VALUE;

    /** What the engine takes. */
    Translation takes = Translation.NESTED;

    /** Invalidations, in order. */
    final List<String> invalidations = new ArrayList<>();

    /** What the nested walk finds: the host page with R, W, X in the lowest bits, or -1. */
    static long walk(ControlBlock block, long address) {
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
        return X86.ARCHITECTURE;
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

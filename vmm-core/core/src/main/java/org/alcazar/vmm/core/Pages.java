package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.GuestPhysicalMap.Range;
import org.alcazar.machine.PageEntry;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A VM's RAM: takes it from the {@link Frames}, and serves what {@link GuestPhysicalMap} asks for
 * once it is paged. Its lock comes before those of the paging mode, the map and the frames.
 *
 * <p>A host page that this VM uses no more is given back in its next barrier only: who has looked
 * it up before, to read, never sees what another VM puts there.
 */
final class Pages implements GuestPhysicalMap.Pager {
    static final long PAGE = HostMemory.PAGE_SIZE;

    /** Pages to give back that are worth a barrier of their own. */
    private static final int MANY = 4096;

    private final GuestPhysicalMap map;
    private final Frames frames;
    private final String owner;
    private final Changed changed;
    private final Runnable barrierWanted;

    /** By the start of the range in one piece that they are. */
    private final Map<Long, PageExtent> whole = new HashMap<>();

    private final Deque<Long> leaving = new ArrayDeque<>();
    private long copied;
    private long filled;

    /** Told of entries that say less than before, or something else. */
    interface Changed {
        void of(long start, long bytes);
    }

    /**
     * @param barrierWanted asks for a pause barrier soon
     */
    Pages(
            GuestPhysicalMap map,
            Frames frames,
            String owner,
            Changed changed,
            Runnable barrierWanted) {
        this.map = map;
        this.frames = frames;
        this.owner = owner;
        this.changed = changed;
        this.barrierWanted = barrierWanted;
        map.pager(this);
    }

    /** Adds RAM in one piece. */
    synchronized long add(long start, PageRequest request) throws HostRefusal {
        PageExtent extent = frames.take(request);
        whole.put(start, extent);
        map.add(new Range(start, extent.bytes(), extent.address(), Rights.ALL, true));
        return extent.bytes();
    }

    /** Adds ranges of RAM that all lie in one piece of the host's. */
    synchronized void add(List<MemoryRange> ram, long[] offsets, PageRequest request)
            throws HostRefusal {
        long[] bytes = ram.stream().mapToLong(MemoryRange::bytes).toArray();
        List<PageExtent> extents = frames.take(request, offsets, bytes);
        for (int i = 0; i < bytes.length; i++) {
            PageExtent extent = extents.get(i);
            whole.put(ram.get(i).start(), extent);
            map.add(new Range(ram.get(i).start(), bytes[i], extent.address(), Rights.ALL, true));
        }
    }

    /** Adds RAM whose pages come when they are needed. */
    synchronized void addPaged(long start, long bytes) {
        map.addPaged(start, bytes, Rights.ALL);
    }

    /** Has an entry for each page from now on. The guest may run. */
    synchronized void split() {
        for (Range range : map.ranges()) {
            if (range.ram() && !range.paged()) {
                map.split(map.find(range.start()));
                frames.count(there(range));
            }
        }
    }

    private PageExtent there(Range range) {
        return Machine.there(whole.remove(range.start()));
    }

    @Override
    public boolean provide(long address, int rights) throws HostRefusal {
        boolean done;
        boolean many;
        synchronized (this) {
            long before = leaving.size();
            done = provideHere(address, rights);
            many = leaving.size() > before && leaving.size() % MANY == 0;
        }
        if (many) {
            barrierWanted.run(); // not under the lock: the barrier takes it in its turn
        }
        return done;
    }

    private boolean provideHere(long address, int rights) throws HostRefusal {
        int at = map.find(address);
        if (at < 0 || !map.range(at).paged()) {
            return false;
        }
        long old = map.entry(address);
        long entry = PageEntry.isPresent(old) ? old : fetched(old);
        if ((rights & Rights.WRITE) != 0 && (entry & PageEntry.SHARED) != 0) {
            entry = owned(entry);
        }
        if (entry == old) {
            return false;
        }
        map.set(address, entry);
        if (PageEntry.isPresent(old) && PageEntry.host(old) != PageEntry.host(entry)) {
            changed.of(address & -PAGE, PAGE);
            leaving.add(PageEntry.host(old));
        }
        return true;
    }

    /** The entry of a page that has come. */
    private long fetched(long old) throws HostRefusal {
        long frame = frames.take(owner);
        RamPages.fill(frame, PAGE, (byte) 0);
        filled++;
        return frame | PageEntry.PRESENT | old & PageEntry.PROTECTED;
    }

    /** The entry of a page that is this VM's alone. */
    private long owned(long entry) throws HostRefusal {
        long from = PageEntry.host(entry);
        if (frames.users(from) == 1) {
            return entry & ~PageEntry.SHARED;
        }
        long to = frames.take(owner);
        HostRam.copy(from, to, PAGE);
        RamPages.written(to, PAGE);
        copied++;
        return to | entry & PAGE - 1 & ~PageEntry.SHARED;
    }

    /** Nobody looks at guest memory. In the barrier. */
    synchronized void standing() {
        leaving.forEach(frames::release);
        leaving.clear();
    }

    /**
     * Has another VM use the same pages: both copy what they write. In this VM's barrier; both are
     * paged, and the other has the same ranges and nothing in them.
     */
    synchronized void shareWith(Pages other) {
        for (Range range : map.ranges()) {
            if (range.paged()) {
                frames.share(map.share(map.find(range.start()), other.map));
                changed.of(range.start(), range.bytes());
            }
        }
    }

    /** What there is of each kind, in pages. */
    synchronized Counts counts() {
        Counts out = new Counts();
        out.copied = copied;
        out.filled = filled;
        for (Range range : map.ranges()) {
            for (long at = range.start(); range.ram() && at < range.end(); at += PAGE) {
                long entry = map.entry(at);
                out.ram++;
                if (!PageEntry.isPresent(entry)) {
                    out.swapped += (entry & PageEntry.SWAPPED) != 0 ? 1 : 0;
                    out.ballooned += (entry & PageEntry.BALLOONED) != 0 ? 1 : 0;
                } else if (range.paged() && frames.users(PageEntry.host(entry)) > 1) {
                    out.shared++;
                } else {
                    out.alone++;
                }
            }
        }
        return out;
    }

    /** Pages by what they are. */
    static final class Counts {
        long ram;
        long shared;
        long alone;
        long swapped;
        long ballooned;
        long copied;
        long filled;
    }

    /** Gives all back. Nobody uses the VM's memory any more. */
    synchronized void close() {
        standing();
        map.change((address, entry) -> {
            if (PageEntry.isPresent(entry)) {
                frames.release(PageEntry.host(entry));
            }
            return PageEntry.ABSENT;
        });
        whole.values().forEach(frames::release);
        whole.clear();
    }
}

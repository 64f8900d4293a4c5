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
import org.alcazar.vmm.plugin.SwapPolicyType.SwapPolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/**
 * A VM's RAM: takes it from the {@link Frames}, and serves what {@link GuestPhysicalMap} asks for
 * once it is paged. Its lock comes before those of the paging mode, the map and the frames.
 *
 * <p>A host page that this VM uses no more is given back in its next barrier only: who has looked
 * it up before, to read, never sees what another VM puts there.
 */
final class Pages implements GuestPhysicalMap.Pager {
    static final long PAGE = HostMemory.PAGE_SIZE;

    /** Pages that go beyond the need, so that not each new one needs a barrier. */
    private static final int BATCH = 1024;

    /** So often, and so many pages, that what swaps is compiled. */
    private static final int REHEARSALS = 12;

    private static final int REHEARSED = 128;

    private static final MemorySegment ZERO = Arena.global().allocate(PAGE);

    /** Pages to give back that are worth a barrier of their own. */
    private static final int MANY = 4096;

    /** The same where giving back is what it is for: a balloon's guest hands over 1 MiB at once. */
    private static final int WORTH_A_BARRIER = 256;

    /** Pages that are given back in a pause. */
    private static final int AT_ONCE = 64;

    private static final Logger LOG = LoggerFactory.getLogger(Pages.class);

    private final GuestPhysicalMap map;
    private final Frames frames;
    private final String owner;
    private final Changed changed;
    private final Runnable barrierWanted;
    private final Consumer<Runnable> later;

    /** By the start of the range in one piece that they are. */
    private final Map<Long, PageExtent> whole = new HashMap<>();

    private final Accesses accesses;
    private final Accesses.Watcher seen = new Accesses.Watcher();
    private Optional<Swap> swap = Optional.empty();

    /** Counted from the start of swapping on. */
    private long present;

    /** A barrier was asked for, in which pages go. */
    private boolean evicting;

    /** By core: what it was kept from writing. */
    private final Map<Integer, Long> scratch = new HashMap<>();

    private long[] leaving = new long[AT_ONCE];

    private int leavingCount;

    /** Nobody uses these any more; they are on the way to the frames. */
    private final Deque<long[]> parting = new ArrayDeque<>();

    /** Of the pages that were shared in this pause. */
    private long firstTouched = Long.MAX_VALUE;

    private long lastTouched = Long.MIN_VALUE;
    private long copied;
    private long filled;

    /** Told of entries that say less than before, or something else. */
    interface Changed {
        void of(long start, long bytes);
    }

    /**
     * @param barrierWanted asks for a pause barrier soon
     * @param later runs something outside of the barrier, if the VM lives that long
     */
    Pages(
            GuestPhysicalMap map,
            Frames frames,
            String owner,
            Changed changed,
            Runnable barrierWanted,
            Consumer<Runnable> later,
            Accesses accesses) {
        this.map = map;
        this.frames = frames;
        this.owner = owner;
        this.changed = changed;
        this.barrierWanted = barrierWanted;
        this.later = later;
        this.accesses = accesses;
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
        boolean held = Thread.holdsLock(this);
        synchronized (this) {
            int before = leavingCount;
            done = provideHere(address, rights);
            many = leavingCount > before && leavingCount % MANY == 0;
            if (!held && isOverLimit() && !evicting) {
                evicting = true;
                many = true;
            }
        }
        if (many && !held) {
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
            leave(PageEntry.host(old));
        }
        return true;
    }

    /** The entry of a page that has come. */
    private long fetched(long old) throws HostRefusal {
        try {
            if (swap.isPresent()) {
                swap.get().write();
            }
            boolean was = (old & PageEntry.BALLOONED) != 0;
            long frame = was ? frames.take(owner, PageEntry.host(old)) : frames.take(owner);
            if ((old & PageEntry.SWAPPED) == 0) {
                RamPages.fill(frame, PAGE, (byte) 0);
                filled++;
            } else {
                swapIn(old, frame);
            }
            present++;
            return frame | PageEntry.PRESENT | PageEntry.USED | old & PageEntry.PROTECTED;
        } catch (IOException e) {
            throw new HostRefusal(String.valueOf(e.getMessage()), e);
        }
    }

    // Swapping

    /** Has at most so many pages of RAM in the host's memory, but for moments. Once. */
    synchronized void swap(Swap file) {
        swap = Optional.of(file);
        accesses.add(seen);
        map.smallPages(true);
        split();
        present = 0;
        map.change((address, entry) -> {
            present += PageEntry.isPresent(entry) ? 1 : 0;
            return entry;
        });
    }

    Frames frames() {
        return frames;
    }

    synchronized Optional<Swap> swap() {
        return swap;
    }

    private boolean isOverLimit() {
        return swap.isPresent() && present > swap.get().limit();
    }

    private void swapIn(long entry, long frame) throws IOException {
        Swap from = Machine.there(swap.orElse(null));
        int place = number(PageEntry.host(entry));
        try {
            from.read(place, HostRam.slice(frame, PAGE).asByteBuffer());
        } catch (IOException e) {
            frames.release(frame);
            throw e;
        }
        RamPages.written(frame, PAGE);
        from.free(place);
        from.in++;
    }

    /** What a page holds, whether it is here or not. */
    synchronized MemorySegment contents(long address) throws IOException {
        long entry = map.entry(address);
        if (PageEntry.isPresent(entry)) {
            return HostRam.slice(PageEntry.host(entry), PAGE);
        }
        if (PageEntry.isForgotten(entry)) {
            return ZERO;
        }
        byte[] bytes = new byte[(int) PAGE];
        int place = (int) (PageEntry.host(entry) >> HostMemory.PAGE_SHIFT);
        swap.orElseThrow().read(place, ByteBuffer.wrap(bytes));
        return MemorySegment.ofArray(bytes);
    }

    /** Brings RAM down below the limit, and some more. In the barrier. */
    private void evict() {
        Swap to = swap.orElseThrow();
        int count = (int) (present - to.limit() + Math.min(BATCH, to.limit() / 8));
        Look look = new Look();
        map.change(look);
        List<Range> ranges = map.ranges().stream().filter(Range::paged).toList();
        accesses.look(seen, (used, written) -> look.add(ranges, used));
        BitSet chosen = to.choose(look.here, look.used, Math.min(count, look.here.cardinality()));
        int base = 0;
        for (Range range : ranges) {
            int end = base + number(range.bytes());
            for (int i = chosen.nextSetBit(base); i >= 0 && i < end; ) {
                evict(to, range.start() + (long) (i - base) * PAGE);
                i = chosen.nextSetBit(i + 1);
            }
            base = end;
        }
        ranges.forEach(range -> changed.of(range.start(), range.bytes()));
        giveBack(); // all stand, and no table leads there any more
    }

    /**
     * Has pages come and go before there is anything in them: what is done in a pause is compiled
     * then.
     *
     * @param policy another one than the VM's
     * @throws HostRefusal if the host has no memory, or the file can't be written
     */
    synchronized void rehearse(SwapPolicy policy) throws HostRefusal {
        Swap real = swap.orElseThrow();
        swap = Optional.of(new Swap(real.file(), policy, 0));
        try {
            Range range =
                    map.ranges().stream()
                            .filter(Range::paged)
                            .max(Comparator.comparingLong(Range::bytes))
                            .orElseThrow();
            long end = range.start() + Math.min(REHEARSED * PAGE, range.bytes());
            for (int round = 0; round < REHEARSALS; round++) {
                for (long at = range.start(); at < end; at += PAGE) {
                    provideHere(at, Rights.ALL);
                    HostRam.setLong(PageEntry.host(map.entry(at)), at + 1);
                }
                evict();
            }
        } finally {
            dropAll();
            swap = Optional.of(real);
            filled = 0;
        }
    }

    /** All pages are as if they had never been touched, and watched as before. Nobody uses them. */
    synchronized void dropAll() {
        map.change((address, entry) -> {
            if (PageEntry.isPresent(entry)) {
                leave(PageEntry.host(entry));
            } else if ((entry & PageEntry.SWAPPED) != 0) {
                swap.orElseThrow().free(number(PageEntry.host(entry)));
            }
            return entry & PageEntry.PROTECTED;
        });
        giveBack();
        present = 0;
    }

    private static int number(long address) {
        return (int) (address >>> HostMemory.PAGE_SHIFT);
    }

    /** What is there and was used, by the number of the page in all paged ranges. */
    private static final class Look implements GuestPhysicalMap.EntryChange {
        final BitSet here = new BitSet();
        final BitSet used = new BitSet();
        private int next;

        @Override
        public long apply(long address, long entry) {
            if (PageEntry.isPresent(entry)) {
                here.set(next);
                used.set(next, (entry & PageEntry.USED) != 0);
            }
            next++;
            return entry & ~PageEntry.USED;
        }

        /**
         * @param pages by their guest-physical numbers
         */
        void add(List<Range> ranges, BitSet pages) {
            int base = 0;
            for (Range range : ranges) {
                int first = number(range.start());
                int end = number(range.end());
                for (int i = pages.nextSetBit(first); i >= 0 && i < end; ) {
                    used.set(base + i - first);
                    i = pages.nextSetBit(i + 1);
                }
                base += end - first;
            }
        }
    }

    /** Nobody can know these pages any more. Many are given back only when the guest runs again. */
    private void giveBack() {
        if (leavingCount <= AT_ONCE) {
            frames.release(leaving, leavingCount);
        } else {
            parting.add(Arrays.copyOf(leaving, leavingCount));
            later.accept(this::part);
        }
        leavingCount = 0;
    }

    private void leave(long frame) {
        if (leavingCount == leaving.length) {
            leaving = Arrays.copyOf(leaving, 2 * leavingCount);
        }
        leaving[leavingCount++] = frame;
    }

    private void part() {
        for (long[] gone = nextParting(); gone.length > 0; gone = nextParting()) {
            frames.release(gone, gone.length);
        }
    }

    /** A part of them, so that nobody waits long for the frames' lock; empty if there are none. */
    private synchronized long[] nextParting() {
        if (parting.isEmpty()) {
            return new long[0];
        }
        long[] all = parting.removeFirst();
        int count = Math.min(all.length, BATCH);
        if (all.length > count) {
            parting.addFirst(Arrays.copyOfRange(all, count, all.length));
        }
        return Arrays.copyOf(all, count);
    }

    private void evict(Swap to, long address) {
        long entry = map.entry(address);
        long host = PageEntry.host(entry);
        long kept = entry & PageEntry.PROTECTED;
        present--;
        if (HostRam.slice(host, PAGE).mismatch(ZERO) < 0) {
            map.set(address, kept);
            leave(host);
        } else {
            long place = (long) to.keep(host) << HostMemory.PAGE_SHIFT;
            map.set(address, place | PageEntry.SWAPPED | kept);
        }
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
        giveBack();
        evicting = false;
        if (isOverLimit()) {
            evict();
        }
    }

    /**
     * Has another VM use the same pages: both copy what they write. In this VM's barrier; both are
     * paged, and the other has the same ranges, nothing in them, and the same swap file if any.
     */
    synchronized void shareWith(Pages other) {
        for (Range range : map.ranges()) {
            if (range.paged()) {
                long[] entries = map.share(map.find(range.start()), other.map);
                frames.share(entries);
                swap.ifPresent(both -> both.file().share(entries));
                changed.of(range.start(), range.bytes());
            }
        }
        synchronized (other) { // made after this one: its lock comes later
            other.present = present;
        }
    }

    /**
     * Forgets pages of one range: they read as zero when they are touched next. The guest may run.
     *
     * @return how many were there, or on the swap file
     */
    long forget(long start, long bytes) {
        long gone;
        boolean enough;
        boolean held = Thread.holdsLock(this);
        synchronized (this) {
            int before = leavingCount;
            gone = forgetHere(start, bytes);
            enough = !held && before / WORTH_A_BARRIER < leavingCount / WORTH_A_BARRIER;
        }
        if (enough) {
            barrierWanted.run(); // as in provide
        }
        return gone;
    }

    private long forgetHere(long start, long bytes) {
        if (!whole.isEmpty()) {
            split();
        }
        long gone = 0;
        for (long at = start; at < start + bytes; at += PAGE) {
            long entry = map.entry(at);
            long kept = PageEntry.BALLOONED | entry & PageEntry.PROTECTED;
            if (PageEntry.isPresent(entry)) {
                leave(PageEntry.host(entry));
                present--;
                kept |= PageEntry.host(entry); // where it is to come back
            } else if ((entry & PageEntry.SWAPPED) != 0) {
                swap.orElseThrow().free(number(PageEntry.host(entry)));
            } else {
                map.set(at, entry | PageEntry.BALLOONED);
                continue;
            }
            map.set(at, kept);
            gone++;
        }
        if (gone > 0) {
            changed.of(start, bytes);
        }
        return gone;
    }

    /**
     * Has pages lie in other memory of the host, in one piece. Pages that others use too stay. In
     * the barrier.
     *
     * @return how many have moved
     */
    synchronized long move(long start, long bytes, int node) throws HostRefusal {
        split();
        List<Long> moving = new ArrayList<>();
        for (long at = start; at < start + bytes; at += PAGE) {
            if (PageEntry.isOwned(map.entry(at))) {
                moving.add(at);
            }
        }
        if (moving.isEmpty()) {
            return 0;
        }
        long large = 2L << 20;
        long alignment = moving.size() * PAGE >= large ? large : PAGE;
        PageExtent to =
                frames.take(new PageRequest(owner, moving.size(), alignment, node, Long.MAX_VALUE));
        long next = to.address();
        for (long at : moving) {
            long entry = map.entry(at);
            HostRam.copy(PageEntry.host(entry), next, PAGE);
            RamPages.written(next, PAGE);
            map.set(at, next | entry & PAGE - 1);
            leave(PageEntry.host(entry));
            next += PAGE;
        }
        changed.of(start, bytes);
        giveBack();
        return moving.size();
    }

    /**
     * Takes the right to write from pages that are watched, and gives it back to others. The guest
     * may run: what it does afterwards goes by what is watched now.
     */
    synchronized void protect(long start, long bytes, LongPredicate watched) {
        split();
        for (long at = start; at < start + bytes; at += PAGE) {
            long entry = map.entry(at) & ~PageEntry.PROTECTED;
            map.set(at, watched.test(at) ? entry | PageEntry.PROTECTED : entry);
        }
        changed.of(start, bytes);
    }

    /**
     * Where one instruction of a core may write what a watched page's contents are to be.
     *
     * @param let whether to the page itself; else to a copy that nobody reads
     * @return host address; -1 if the page has gone meanwhile
     * @throws HostRefusal if the host has no memory for it
     */
    long writtenOnce(int core, long page, boolean let) throws HostRefusal {
        map.provide(page, let ? Rights.READ | Rights.WRITE : Rights.READ);
        synchronized (this) {
            long from = map.toHost(page, PAGE, let);
            if (let || from < 0) {
                return from;
            }
            Long to = scratch.get(core);
            if (to == null) {
                to = frames.take(owner);
                scratch.put(core, to);
            }
            HostRam.copy(from, to, PAGE);
            RamPages.written(to, PAGE);
            return to;
        }
    }

    // Sharing equal pages

    private static final long HASH_PRIME = 0x9e37_79b9_7f4a_7c15L;

    /** Told of pages that are there. */
    interface Hashes {
        void page(long address, long hash);
    }

    /** Hashes of all pages that are there, once they are apart. The guest may run. */
    void hashes(Hashes sink) {
        for (Range range : map.ranges()) {
            for (long at = range.start(); range.paged() && at < range.end(); at += PAGE) {
                long hash;
                synchronized (this) { // that it does not go away meanwhile
                    long frame = frame(at);
                    if (frame < 0) {
                        continue;
                    }
                    hash = hash(frame);
                }
                sink.page(at, hash);
            }
        }
    }

    private static long hash(long frame) {
        long hash = HASH_PRIME;
        for (long at = frame; at < frame + PAGE; at += Long.BYTES) {
            hash = Long.rotateLeft((hash ^ HostRam.getLong(at)) * HASH_PRIME, 29);
        }
        return hash;
    }

    static boolean isEqual(long frame, long other) {
        return HostRam.slice(frame, PAGE).mismatch(HostRam.slice(other, PAGE)) < 0;
    }

    /** The host page of a page that is there, or -1. */
    long frame(long address) {
        long entry = map.entry(address);
        return entry != -1 && PageEntry.isPresent(entry) ? PageEntry.host(entry) : -1;
    }

    /** Others use a page, too, from now on. In the barrier, which ends with {@link #shared}. */
    synchronized void sharing(long address) {
        map.set(address, map.entry(address) | PageEntry.SHARED);
        touched(address);
    }

    private void touched(long address) {
        firstTouched = Math.min(firstTouched, address);
        lastTouched = Math.max(lastTouched, address);
    }

    /** Has a page lie in one that is counted for it already. In the barrier, as above. */
    synchronized void replace(long address, long frame) {
        long entry = map.entry(address);
        leave(PageEntry.host(entry));
        map.set(address, frame | entry & PAGE - 1 | PageEntry.SHARED);
        touched(address);
    }

    /** In the barrier, after pages were shared. */
    synchronized void shared() {
        for (Range range : map.ranges()) {
            long start = Math.max(range.start(), firstTouched);
            long end = Math.min(range.end(), lastTouched + PAGE);
            if (range.paged() && start < end) {
                changed.of(start, end - start);
            }
        }
        firstTouched = Long.MAX_VALUE;
        lastTouched = Long.MIN_VALUE;
        giveBack();
    }

    /** Counts a use of each page and takes it back: for code that is to be warm later. */
    synchronized void rehearse() {
        for (Range range : map.ranges()) {
            if (range.paged()) {
                long[] entries = map.entries(map.find(range.start()));
                frames.share(entries);
                for (long entry : entries) {
                    if (PageEntry.isPresent(entry)) {
                        frames.release(PageEntry.host(entry));
                    }
                }
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
    void close() {
        closeHere();
        part();
    }

    private synchronized void closeHere() {
        dropAll();
        swap.ifPresent(file -> {
            try {
                file.close();
            } catch (IOException e) {
                LOG.warn("{}: {}", owner, e.getMessage());
            }
        });
        swap = Optional.empty();
        accesses.remove(seen);
        evicting = false;
        scratch.values().forEach(frames::release);
        scratch.clear();
        whole.values().forEach(frames::release);
        whole.clear();
    }
}

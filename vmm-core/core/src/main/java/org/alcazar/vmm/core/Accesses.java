package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.vmm.plugin.PagingModeType;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * What the accessed bits of the paging mode's tables say, for all who want to know: a look clears
 * the bits, and what it finds is kept for every watcher until that one looks. Its lock comes after
 * that of {@link Pages} and before the paging mode's.
 */
final class Accesses {
    /** Pages used and written since a watcher has looked, by number; guarded by the accesses. */
    static final class Watcher {
        private final BitSet used = new BitSet();
        private final BitSet written = new BitSet();
    }

    /** Drains what the paging mode knows of uses. */
    interface Drain {
        void drain(PagingModeType.AccessSink sink);
    }

    private final Drain drain;
    private final List<Watcher> watchers = new ArrayList<>();

    Accesses(Drain drain) {
        this.drain = drain;
    }

    synchronized void add(Watcher watcher) {
        watchers.add(watcher);
    }

    synchronized void remove(Watcher watcher) {
        watchers.remove(watcher);
    }

    /**
     * Tells a watcher what was used and written since it looked last. In the barrier; the caller
     * has the engine forget its translations, which set no bits.
     *
     * @param sink gets page numbers of guest-physical memory
     */
    synchronized void look(Watcher watcher, BiConsumer<BitSet, BitSet> sink) {
        drain.drain(this::used);
        sink.accept(watcher.used, watcher.written);
        watcher.used.clear();
        watcher.written.clear();
    }

    private void used(long address, long bytes, boolean write) {
        int from = (int) (address >>> HostMemory.PAGE_SHIFT);
        int to = (int) (address + bytes >>> HostMemory.PAGE_SHIFT);
        for (Watcher watcher : watchers) {
            watcher.used.set(from, to);
            if (write) {
                watcher.written.set(from, to);
            }
        }
    }
}

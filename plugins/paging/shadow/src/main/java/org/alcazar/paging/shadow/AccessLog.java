package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;

/**
 * Pages whose entries went away with the accessed bit set, so that a drain finds them yet. Starts
 * at the first drain; bounded by the guest's memory. With the lock held.
 */
final class AccessLog {
    private final LongIntMap pages = new LongIntMap();
    private boolean on;

    /**
     * An entry goes away.
     *
     * @param page guest-physical
     */
    void note(long page, int level, long entry) {
        if (on && (entry & Bits.PTE_A) != 0) {
            long key = page | level;
            int written = (entry & Bits.PTE_D) != 0 ? 1 : 0;
            pages.put(key, written | Math.max(0, pages.get(key)));
        }
    }

    boolean isOn() {
        return on;
    }

    void drain(AccessSink sink) {
        on = true;
        pages.forEach((key, written) ->
                sink.accessed(
                        Shadows.pageOf(key), 1L << Tables.shift((int) key & 3), written != 0));
        pages.clear();
    }
}

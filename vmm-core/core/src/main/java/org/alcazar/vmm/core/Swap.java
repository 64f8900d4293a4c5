package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.SwapPolicyType.SwapPolicy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** What one VM has to do with its swap file. Guarded by its {@link Pages}. */
final class Swap implements AutoCloseable {
    /**
     * Pages that are written for each that comes. More than one, so what goes in one pause has been
     * written before the next.
     */
    private static final int WRITTEN = 4;

    private final SwapFile file;
    private final SwapPolicy policy;

    /** Pages of RAM that may be in the host's memory. */
    private long limit;

    long out;
    long in;

    /**
     * @param file which this VM has joined
     */
    Swap(SwapFile file, SwapPolicy policy, long limit) {
        this.file = file;
        this.policy = policy;
        this.limit = limit;
    }

    SwapFile file() {
        return file;
    }

    long limit() {
        return limit;
    }

    void limit(long pages) {
        limit = pages;
    }

    /** What goes, {@code count} pages of those that are present. */
    BitSet choose(BitSet present, BitSet used, int count) {
        BitSet chosen = policy.choose(present, used, count);
        chosen.and(present);
        int missing = count - chosen.cardinality();
        for (int page = present.nextSetBit(0); missing > 0; page = present.nextSetBit(page + 1)) {
            missing -= chosen.get(page) ? 0 : 1;
            chosen.set(page);
        }
        return chosen;
    }

    /** See {@link SwapFile#keep}. */
    int keep(long frame) {
        out++;
        return file.keep(frame);
    }

    /** A page comes: others that have gone are written now. */
    void write() throws IOException {
        file.write(WRITTEN);
    }

    void read(int place, ByteBuffer into) throws IOException {
        file.read(place, into);
    }

    void free(int place) {
        file.free(place);
    }

    /** The VM has no page there any more. */
    @Override
    public void close() throws IOException {
        file.leave();
    }
}

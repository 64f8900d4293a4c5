package org.alcazar.vmm.core;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.vmm.plugin.SwapPolicyType.SwapPolicy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** Pages of one VM on a file of the host, which goes with the VM. Guarded by its {@link Pages}. */
final class Swap implements AutoCloseable {
    private static final int PAGE = (int) HostMemory.PAGE_SIZE;

    private final HostFiles.Scratch file;
    private final String path;
    private final SwapPolicy policy;
    private final BitSet taken = new BitSet();

    /** Pages of RAM that may be in the host's memory. */
    private long limit;

    long out;
    long in;

    Swap(HostFiles.Scratch file, String path, SwapPolicy policy, long limit) {
        this.file = file;
        this.path = path;
        this.policy = policy;
        this.limit = limit;
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

    /**
     * Keeps a page.
     *
     * @return its place, from 0
     */
    int write(long host) throws IOException {
        int place = taken.nextClearBit(0);
        try {
            file.write((long) place * PAGE, HostRam.slice(host, PAGE).asByteBuffer());
        } catch (IOException e) {
            throw new IOException("swap file " + path + ": " + GuestBoot.reason(e), e);
        }
        taken.set(place);
        out++;
        return place;
    }

    /** What a place has; it stays there. */
    void read(int place, ByteBuffer into) throws IOException {
        try {
            file.read((long) place * PAGE, into);
        } catch (IOException e) {
            throw new IOException("swap file " + path + ": " + GuestBoot.reason(e), e);
        }
    }

    void free(int place) {
        taken.clear(place);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}

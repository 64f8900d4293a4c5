package org.alcazar.vmm.core;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.machine.PageEntry;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Pages on a file of the host, of a VM and of its forks: a place is free again when the last of
 * those pages has left it, and the file goes with the last of these VMs. A page is not written when
 * it goes, for a guest waits then, but a few at a time as others come. Its lock comes before that
 * of the frames and after all others.
 */
final class SwapFile {
    private static final int PAGE = (int) HostMemory.PAGE_SIZE;

    private final HostFiles.Scratch file;
    private final String path;
    private final Frames frames;

    /** Host pages that are to be written, by their places. */
    private final Map<Integer, Long> waiting = new LinkedHashMap<>();

    private int vms = 1;
    private final BitSet taken = new BitSet();

    /** Of each place, how many more than one have their page there. */
    private int[] others = {};

    /** No place below is free. */
    private int lowest;

    /** A file of one VM. */
    SwapFile(HostFiles.Scratch file, String path, Frames frames) {
        this.file = file;
        this.path = path;
        this.frames = frames;
    }

    /**
     * One more VM has pages there.
     *
     * @return whether the file is still there
     */
    synchronized boolean join() {
        vms += vms > 0 ? 1 : 0;
        return vms > 0;
    }

    /** One VM less, which has freed its places. */
    synchronized void leave() throws IOException {
        if (--vms == 0) {
            file.close();
        }
    }

    /**
     * Keeps a host page that nobody writes to any more: it is this file's to release.
     *
     * @return its place, from 0
     */
    synchronized int keep(long frame) {
        int place = taken.nextClearBit(lowest);
        taken.set(place);
        lowest = place + 1;
        waiting.put(place, frame);
        return place;
    }

    /** Writes some of the pages that wait for it, the oldest first. */
    synchronized void write(int pages) throws IOException {
        for (int i = 0; i < pages && !waiting.isEmpty(); i++) {
            Map.Entry<Integer, Long> next = waiting.entrySet().iterator().next();
            int place = next.getKey();
            long frame = next.getValue();
            try {
                file.write((long) place * PAGE, HostRam.slice(frame, PAGE).asByteBuffer());
            } catch (IOException e) {
                throw failed(e);
            }
            waiting.remove(place);
            frames.release(frame);
        }
    }

    /** What a place has; it stays there. */
    synchronized void read(int place, ByteBuffer into) throws IOException {
        Long frame = waiting.get(place);
        if (frame != null) {
            into.put(HostRam.slice(frame, PAGE).asByteBuffer());
            return;
        }
        try {
            file.read((long) place * PAGE, into);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private IOException failed(IOException e) {
        return new IOException("swap file " + path + ": " + GuestBoot.reason(e), e);
    }

    /** One more VM has those pages that are on the file, of all these. A guest waits for it. */
    synchronized void share(long[] entries) {
        if (others.length < taken.length()) {
            others = Arrays.copyOf(others, taken.length());
        }
        for (long entry : entries) {
            if ((entry & PageEntry.SWAPPED) != 0) {
                others[(int) (entry >>> HostMemory.PAGE_SHIFT)]++;
            }
        }
    }

    /** A page has left its place. */
    synchronized void free(int place) {
        if (place < others.length && others[place] > 0) {
            others[place]--;
            return;
        }
        Long frame = waiting.remove(place);
        if (frame != null) {
            frames.release(frame);
        }
        taken.clear(place);
        lowest = Math.min(lowest, place);
    }

    /** Places in use. */
    synchronized int places() {
        return taken.cardinality();
    }
}

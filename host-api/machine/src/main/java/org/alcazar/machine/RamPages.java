package org.alcazar.machine;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;

import java.lang.invoke.VarHandle;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The one path for writes to guest RAM by anybody but an engine's own fast store: device DMA,
 * loaders, debuggers, other VMs. Watched pages carry flags; a write to one tells the listeners,
 * which drop translated code or log the page as dirty.
 *
 * <p>An engine's fast store needs no look-up here: it enters a page as writable into its TLB only
 * while {@link #flags} is 0, and whoever sets a flag sees to it that no writable entry is left (an
 * engine for code in its own TLBs, others by {@link Engine#invalidate}).
 *
 * <p>This is state of the process, as the RAM itself is. Flags are set and cleared under the class
 * lock and read without it. A writer writes first and looks at the flags then; who flags a page
 * flags first and reads the page then; each has a full fence between the two. So either the writer
 * sees the flag, or the reader the new bytes.
 */
public final class RamPages {
    /** The page holds code that some engine has decoded or translated. */
    public static final int CODE = 1;

    /** The page is clean in a dirty log and waits for its first write. */
    public static final int LOGGED = 2;

    /** Some core waits for a write to the page. */
    public static final int MONITORED = 4;

    /** The page is a table of a guest that a shadow pager has shadowed. */
    public static final int TABLE = 8;

    private static final int CHUNK_SHIFT = 9;
    private static final byte[][] FLAGS =
            new byte[(int) (HostRam.SIZE >>> HostMemory.PAGE_SHIFT + CHUNK_SHIFT) + 1][];
    private static final CopyOnWriteArrayList<Listener> LISTENERS = new CopyOnWriteArrayList<>();

    private RamPages() {}

    /**
     * Hears of writes to flagged pages, after the write, on the writer's thread. Must not block.
     */
    @FunctionalInterface
    public interface Listener {
        /**
         * @param page host-physical address of the page
         * @param flags those that were set
         */
        void written(long page, int flags);
    }

    /** From now on; a listener that is added twice hears twice. */
    public static void addListener(Listener listener) {
        LISTENERS.add(listener);
    }

    /** A call that has begun on another thread may still reach it. */
    public static void removeListener(Listener listener) {
        LISTENERS.remove(listener);
    }

    /** How many listen now; tests see by it that engines let go. */
    public static int listeners() {
        return LISTENERS.size();
    }

    /** Flags of the page around a host-physical RAM address, 0 for an ordinary one. */
    public static int flags(long address) {
        byte[] chunk = FLAGS[(int) (address >>> HostMemory.PAGE_SHIFT + CHUNK_SHIFT)];
        return chunk == null ? 0 : chunk[index(address)];
    }

    /** Sets flags of the page around a host-physical RAM address. */
    public static synchronized void mark(long address, int flag) {
        int at = (int) (address >>> HostMemory.PAGE_SHIFT + CHUNK_SHIFT);
        byte[] chunk = FLAGS[at];
        if (chunk == null) {
            chunk = new byte[1 << CHUNK_SHIFT];
            FLAGS[at] = chunk;
        }
        chunk[index(address)] |= (byte) flag;
        VarHandle.fullFence();
    }

    /** Clears flags of the page around a host-physical RAM address. */
    public static synchronized void unmark(long address, int flag) {
        byte[] chunk = FLAGS[(int) (address >>> HostMemory.PAGE_SHIFT + CHUNK_SHIFT)];
        if (chunk != null) {
            chunk[index(address)] &= (byte) ~flag;
        }
    }

    /** Tells the listeners that bytes were written, where their pages are watched. */
    public static void written(long address, long bytes) {
        VarHandle.fullFence();
        long last = address + bytes - 1;
        for (long page = address & -HostMemory.PAGE_SIZE;
                page <= last;
                page += HostMemory.PAGE_SIZE) {
            int flags = flags(page);
            if (flags != 0) {
                for (Listener listener : LISTENERS) {
                    listener.written(page, flags);
                }
            }
        }
    }

    /** Writes one byte at a host-physical RAM address and tells the listeners. */
    public static void setByte(long address, byte value) {
        HostRam.setByte(address, value);
        written(address, 1);
    }

    /** Writes 16 bits, little-endian, at any alignment, and tells the listeners. */
    public static void setShort(long address, short value) {
        HostRam.setShort(address, value);
        written(address, 2);
    }

    /** Writes 32 bits, little-endian, at any alignment, and tells the listeners. */
    public static void setInt(long address, int value) {
        HostRam.setInt(address, value);
        written(address, 4);
    }

    /** Writes 64 bits, little-endian, at any alignment, and tells the listeners. */
    public static void setLong(long address, long value) {
        HostRam.setLong(address, value);
        written(address, 8);
    }

    /**
     * Copies from an array into RAM and tells the listeners; nothing if {@code bytes} is not above
     * 0.
     *
     * @throws IndexOutOfBoundsException if either side is too short; nothing is copied then
     */
    public static void write(long address, byte[] from, int offset, int bytes) {
        if (bytes > 0) {
            HostRam.write(address, from, offset, bytes);
            written(address, bytes);
        }
    }

    /**
     * Sets bytes to one value and tells the listeners; nothing if {@code bytes} is not above 0.
     *
     * @throws IndexOutOfBoundsException if they reach beyond the RAM
     */
    public static void fill(long address, long bytes, byte value) {
        if (bytes > 0) {
            HostRam.fill(address, bytes, value);
            written(address, bytes);
        }
    }

    private static int index(long address) {
        return (int) (address >>> HostMemory.PAGE_SHIFT) & (1 << CHUNK_SHIFT) - 1;
    }
}

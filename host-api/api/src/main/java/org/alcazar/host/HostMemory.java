package org.alcazar.host;

/**
 * Physically contiguous host pages for guests and for page tables.
 *
 * <p>A host-physical address is an offset into the process's one reserved range; {@link HostRam}
 * reads and writes it. Fresh pages read as zero. Every extent is accounted to an owner, so that the
 * host can show that memory came back whole.
 */
public interface HostMemory {
    int PAGE_SHIFT = 12;
    long PAGE_SIZE = 1L << PAGE_SHIFT;

    /** Bytes that this host can hand out in all. */
    long totalBytes();

    /** Bytes that are in use by {@code owner}, or by everybody for an empty name. */
    long bytesInUse(String owner);

    /**
     * Takes contiguous, zeroed pages.
     *
     * @throws HostRefusal if the host has no such extent; nothing was taken then
     */
    PageExtent allocate(PageRequest request) throws HostRefusal;

    /**
     * Gives an extent back: its pages are discarded, not unmapped, so that a late access reads
     * zero. The caller has seen to it that no vcore, DMA or translated code uses the extent any
     * more.
     *
     * @throws IllegalArgumentException if the extent is not in use
     */
    void free(PageExtent extent);

    /**
     * Says that whole pages of an extent in use hold nothing that is needed: they read as zero
     * afterwards, and a host that can takes the memory behind them back until they are touched
     * again. They stay in use, and their owner's. A host that can't clears them.
     *
     * @param address of the first page, within an extent in use
     * @param pages of the same extent
     */
    default void discard(long address, long pages) {
        HostRam.fill(address, pages << PAGE_SHIFT, (byte) 0);
    }
}

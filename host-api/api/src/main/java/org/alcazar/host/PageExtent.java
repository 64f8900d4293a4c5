package org.alcazar.host;

/**
 * Contiguous host pages in use.
 *
 * @param address host-physical address of the first byte
 * @param pages count of 4 KiB pages
 */
public record PageExtent(String owner, long address, long pages) {
    public long bytes() {
        return pages * HostMemory.PAGE_SIZE;
    }
}

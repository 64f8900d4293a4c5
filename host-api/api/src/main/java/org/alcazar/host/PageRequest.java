package org.alcazar.host;

/**
 * A wish for contiguous host pages.
 *
 * @param owner who is charged for them, such as {@code vm:linux}
 * @param pages count of 4 KiB pages, at least 1
 * @param alignment of the first byte, in bytes, a power of two of at least 4096
 * @param numaNode preferred node, or {@link #ANY_NODE}
 * @param limit highest host-physical address plus one that the extent may reach, or {@link
 *     Long#MAX_VALUE}
 */
public record PageRequest(String owner, long pages, long alignment, int numaNode, long limit) {
    public static final int ANY_NODE = -1;

    public PageRequest {
        if (pages < 1 || alignment < HostMemory.PAGE_SIZE || Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException("pages=" + pages + " alignment=" + alignment);
        }
    }

    /** Any pages, aligned to a page. */
    public static PageRequest of(String owner, long pages) {
        return new PageRequest(owner, pages, HostMemory.PAGE_SIZE, ANY_NODE, Long.MAX_VALUE);
    }
}

package org.alcazar.vmm.management;

/**
 * A hooked range of an address space.
 *
 * @param space {@code port}, {@code memory}, {@code register}, {@code feature} or {@code call}
 * @param first address, unsigned
 * @param last address, unsigned; it belongs to the range
 * @param owner the part's name
 * @param reads so far
 * @param writes so far
 */
public record HookInfo(
        String space, long first, long last, String owner, long reads, long writes) {}

package org.alcazar.devices.virtio.api;

import java.util.List;

/**
 * A kind of virtio device.
 *
 * @param id device ID (5), 1 to 63
 * @param classCode PCI class, subclass and programming interface, 24 bits
 * @param features feature bits of this kind (0 to 23, 50 to 127 are not used yet) that it offers;
 *     the transport adds its own
 * @param queues the largest size of each queue, powers of 2 up to 32768
 * @param configBytes of the device-specific configuration, up to 4096
 */
public record VirtioKind(
        int id, int classCode, long features, List<Integer> queues, int configBytes) {
    private static final long OF_KINDS = (1L << 24) - 1 | -1L << 50;
    private static final int LARGEST_QUEUE = 1 << 15;
    private static final int LARGEST_CONFIG = 4096;

    public VirtioKind {
        queues = List.copyOf(queues);
        if ((features & ~OF_KINDS) != 0) {
            throw new IllegalArgumentException(
                    "not a feature of a kind: 0x" + Long.toHexString(features & ~OF_KINDS));
        }
        boolean sizes =
                queues.stream()
                        .allMatch(n -> n > 0 && n <= LARGEST_QUEUE && Integer.bitCount(n) == 1);
        if (id < 1 || id > 63 || !sizes || configBytes < 0 || configBytes > LARGEST_CONFIG) {
            throw new IllegalArgumentException("no kind of virtio device: id " + id);
        }
    }
}

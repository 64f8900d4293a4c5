package org.alcazar.engines.x86.mmu;

import org.alcazar.host.HostRam;

/**
 * Compare-and-exchange of naturally aligned values in host RAM, bytes and words by way of the int
 * around them.
 */
final class Atomic {
    private Atomic() {}

    /**
     * @param bytes 1, 2, 4 or 8
     * @return the old value, zero-extended; equal to {@code expected} exactly if {@code value} was
     *     stored
     */
    static long exchange(long hpa, int bytes, long expected, long value) {
        if (bytes == 8) {
            return exchangeLong(hpa, expected, value);
        }
        long around = hpa & -4;
        int shift = (int) (hpa & 3) * 8;
        int mask = bytes == 4 ? -1 : (1 << 8 * bytes) - 1;
        while (true) {
            int old = HostRam.getIntVolatile(around);
            int part = old >>> shift & mask;
            if (part != ((int) expected & mask)) {
                return part & 0xffff_ffffL;
            }
            int now = old & ~(mask << shift) | ((int) value & mask) << shift;
            if (HostRam.compareAndSetInt(around, old, now)) {
                return part & 0xffff_ffffL;
            }
        }
    }

    private static long exchangeLong(long hpa, long expected, long value) {
        while (true) {
            long old = HostRam.getLongVolatile(hpa);
            if (old != expected || HostRam.compareAndSetLong(hpa, old, value)) {
                return old;
            }
        }
    }
}

package org.alcazar.engines.x86.mmu;

import org.alcazar.host.HostRam;

import java.lang.invoke.VarHandle;

/**
 * Host RAM as the cores of a machine see each other use it (APM volume 2, 7.1 to 7.3): loads
 * acquire and stores release, which leaves just one reordering, that of a store and a later load
 * from elsewhere. On x86 hosts the fences only keep the compilers from more. An access that lies in
 * an aligned quadword is never seen in parts, whatever its own alignment: Java's unaligned access
 * may be one, so misaligned ones go by the quadword around them.
 *
 * <p>Values are zero-extended. Writes tell nobody who watches the page.
 */
public final class Ram {
    private Ram() {}

    public static int load8(long hpa) {
        int value = HostRam.getByte(hpa) & 0xff;
        VarHandle.acquireFence();
        return value;
    }

    /** Like all of these, for aligned addresses. */
    public static int load16(long hpa) {
        int value = HostRam.getShort(hpa) & 0xffff;
        VarHandle.acquireFence();
        return value;
    }

    public static int load32(long hpa) {
        int value = HostRam.getInt(hpa);
        VarHandle.acquireFence();
        return value;
    }

    public static long load64(long hpa) {
        long value = HostRam.getLong(hpa);
        VarHandle.acquireFence();
        return value;
    }

    public static void store8(long hpa, int value) {
        VarHandle.releaseFence();
        HostRam.setByte(hpa, (byte) value);
    }

    public static void store16(long hpa, int value) {
        VarHandle.releaseFence();
        HostRam.setShort(hpa, (short) value);
    }

    public static void store32(long hpa, int value) {
        VarHandle.releaseFence();
        HostRam.setInt(hpa, value);
    }

    public static void store64(long hpa, long value) {
        VarHandle.releaseFence();
        HostRam.setLong(hpa, value);
    }

    /** Whether an access lies in one aligned quadword. */
    static boolean inQuadword(long hpa, int bytes) {
        return (hpa & 7) + bytes <= 8;
    }

    /** Ones where the value of an access is. */
    static long mask(int bytes) {
        return -1L >>> 64 - 8 * bytes;
    }

    /**
     * At any alignment, within a page.
     *
     * @param bytes 1 to 8, and 2, 4 or 8 beyond the end of a quadword
     */
    public static long load(long hpa, int bytes) {
        long value;
        if (inQuadword(hpa, bytes)) {
            value = HostRam.getLong(hpa & -8) >>> 8 * (hpa & 7) & mask(bytes);
        } else {
            value =
                    switch (bytes) {
                        case 2 -> HostRam.getShort(hpa) & 0xffffL;
                        case 4 -> HostRam.getInt(hpa) & 0xffff_ffffL;
                        default -> HostRam.getLong(hpa);
                    };
        }
        VarHandle.acquireFence();
        return value;
    }

    /** At any alignment, as {@link #load}. */
    public static void store(long hpa, int bytes, long value) {
        VarHandle.releaseFence();
        boolean aligned = (hpa & bytes - 1) == 0 && (bytes & bytes - 1) == 0;
        if (!aligned && inQuadword(hpa, bytes)) {
            merge(hpa, bytes, value);
            return;
        }
        switch (bytes) {
            case 1 -> HostRam.setByte(hpa, (byte) value);
            case 2 -> HostRam.setShort(hpa, (short) value);
            case 4 -> HostRam.setInt(hpa, (int) value);
            default -> HostRam.setLong(hpa, value);
        }
    }

    /** The other bytes of the quadword are not written, as far as anybody can see. */
    private static void merge(long hpa, int bytes, long value) {
        long around = hpa & -8;
        int shift = (int) (hpa & 7) * 8;
        long mask = mask(bytes) << shift;
        long old;
        do {
            old = HostRam.getLongVolatile(around);
        } while (!HostRam.compareAndSetLong(around, old, old & ~mask | value << shift & mask));
    }
}

package org.alcazar.engines.x86.mmu;

import org.alcazar.host.HostRam;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Compare-and-exchange in host RAM by the host's own instructions: by the quadword around the
 * operand, or the 16 bytes where the host can. A mismatch has the ordering of a locked instruction
 * as well. {@link Locked} has a way for all others.
 */
public final class Atomic {
    private Atomic() {}

    /** Whether {@link #exchange} can do it. */
    static boolean reaches(long hpa, int bytes) {
        return Ram.inQuadword(hpa, bytes) || HostRam.EXCHANGES_16 && (hpa & 15) + bytes <= 16;
    }

    /**
     * @param bytes 1, 2, 4 or 8; values are zero-extended
     * @param pair scratch: two longs
     * @return the old value, equal to {@code expected} exactly if {@code value} was stored
     */
    public static long exchange(
            long hpa, int bytes, long expected, long value, MemorySegment pair) {
        return bytes == 8 && (hpa & 7) == 0
                ? exchangeLong(hpa, expected, value)
                : Ram.inQuadword(hpa, bytes)
                        ? exchangePart(hpa, bytes, expected, value)
                        : exchangeAcross(hpa, bytes, expected, value, pair);
    }

    private static long exchangeLong(long hpa, long expected, long value) {
        while (!HostRam.compareAndSetLong(hpa, expected, value)) {
            // A failure of the host's instruction may order nothing: earlier stores go first, then
            // the load that decides.
            VarHandle.fullFence();
            long old = HostRam.getLongVolatile(hpa);
            if (old != expected) {
                return old;
            }
        }
        return expected;
    }

    private static long exchangePart(long hpa, int bytes, long expected, long value) {
        long around = hpa & -8;
        int shift = (int) (hpa & 7) * 8;
        long mask = Ram.mask(bytes);
        while (true) {
            long whole = HostRam.getLongVolatile(around);
            long old = whole >>> shift & mask;
            long now = old == expected ? whole & ~(mask << shift) | value << shift : whole;
            // A mismatch writes back what is there, which is what the processor does.
            if (HostRam.compareAndSetLong(around, whole, now)) {
                return old;
            }
        }
    }

    /** Over the middle of 16 aligned bytes. */
    private static long exchangeAcross(
            long hpa, int bytes, long expected, long value, MemorySegment pair) {
        long around = hpa & -16;
        int shift = (int) (hpa & 7) * 8;
        long mask = Ram.mask(bytes);
        long low = HostRam.getLongVolatile(around);
        long high = HostRam.getLongVolatile(around + 8);
        while (true) {
            long old = (low >>> shift | high << 64 - shift) & mask;
            boolean same = old == expected;
            long newLow = same ? low & ~(mask << shift) | value << shift : low;
            long newHigh = same ? high & ~(mask >>> 64 - shift) | value >>> 64 - shift : high;
            set(pair, low, high);
            if (HostRam.compareAndExchange16(around, pair, newLow, newHigh)) {
                return old;
            }
            low = pair.get(ValueLayout.JAVA_LONG, 0);
            high = pair.get(ValueLayout.JAVA_LONG, 8);
        }
    }

    static void set(MemorySegment pair, long low, long high) {
        pair.set(ValueLayout.JAVA_LONG, 0, low);
        pair.set(ValueLayout.JAVA_LONG, 8, high);
    }
}

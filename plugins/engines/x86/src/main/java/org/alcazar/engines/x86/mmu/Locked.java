package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Locked accesses (APM volume 2, 7.3.3) that {@link Mmu} has no direct way for. Those that the host
 * has no instruction for, across 16 bytes or pages, have all other cores stand still. Devices see a
 * read and a write.
 */
public final class Locked {
    private final Cpu cpu;
    private final Mmu mmu;

    /** For {@link Atomic}. */
    private final MemorySegment pair = MemorySegment.ofArray(new long[2]);

    /** Old value of the last {@link #exchange16}. */
    public long low;

    public long high;

    Locked(Cpu cpu, Mmu mmu) {
        this.cpu = cpu;
        this.mmu = mmu;
    }

    /**
     * Compares and exchanges.
     *
     * @param known {@code expected} has just been read: a device is not read again
     * @param system as the processor's own access
     * @return the old value, zero-extended
     */
    long exchange(long la, int bytes, long expected, long value, boolean known, boolean system) {
        mmu.check(la, bytes, system);
        long old;
        while (true) {
            int seen = mmu.invalidations;
            int first = Math.min(bytes, 4096 - (int) (la & 4095));
            long hpa = mmu.target(la, first, PageWalker.WRITE, system, 0);
            long next = -1;
            if (first < bytes) {
                long page = mmu.nextPage(la, system);
                next = mmu.target(page, bytes - first, PageWalker.WRITE, system, 0);
            }
            if (!Mmu.isRam(hpa) || first < bytes && !Mmu.isRam(next)) {
                return device(la, bytes, expected, value, known, system);
            }
            if (first == bytes && Atomic.reaches(hpa, bytes)) {
                old = Atomic.exchange(hpa, bytes, expected, value, pair);
            } else {
                cpu.standstill.begin();
                try {
                    if (mmu.invalidations != seen) {
                        continue;
                    }
                    old = alone(hpa, first, next, bytes, expected, value);
                } finally {
                    cpu.standstill.end();
                }
            }
            if (old == expected) {
                PhysicalAccess.stored(hpa, first);
                if (first < bytes) {
                    PhysicalAccess.stored(next, bytes - first);
                }
            }
            break;
        }
        if (mmu.watching()) {
            cpu.breakpoints.data(la, bytes, true);
        }
        return old;
    }

    /** Nobody else looks. */
    private static long alone(
            long hpa, int first, long next, int bytes, long expected, long value) {
        long old = Ram.load(hpa, first);
        if (first < bytes) {
            old |= Ram.load(next, bytes - first) << 8 * first;
        }
        if (old == expected) {
            Ram.store(hpa, first, value);
            if (first < bytes) {
                Ram.store(next, bytes - first, value >>> 8 * first);
            }
        }
        return old;
    }

    private long device(
            long la, int bytes, long expected, long value, boolean known, boolean system) {
        long old = known ? expected : mmu.read(la, bytes, system);
        // Without a match the processor writes the old value back.
        mmu.write(la, bytes, old == expected ? value : old, system);
        return old;
    }

    /**
     * As supervisor: changes bits of a byte that other processors may change too, such as the
     * accessed bit of a descriptor.
     */
    public void changeSystem8(long la, int clear, int set) {
        int seen = mmu.readSystem8(la);
        int old;
        do {
            old = seen;
            seen = (int) exchange(la, 1, old, old & ~clear | set, true, true);
        } while (seen != old);
    }

    /** As supervisor: changes a byte that has just been read. @return whether it was still so */
    public boolean replaceSystem8(long la, int expected, int value) {
        return exchange(la, 1, expected, value, true, true) == expected;
    }

    /**
     * LOCK CMPXCHG16B, at an aligned address; the old value is left in {@link #low} and {@link
     * #high}.
     */
    public boolean exchange16(
            long la, long expectedLow, long expectedHigh, long newLow, long newHigh) {
        while (true) {
            int seen = mmu.invalidations;
            long hpa = mmu.target(la, 16, PageWalker.WRITE, false, 0);
            if (!Mmu.isRam(hpa)) {
                return plain16(la, expectedLow, expectedHigh, newLow, newHigh);
            }
            low = expectedLow;
            high = expectedHigh;
            boolean same;
            if (HostRam.EXCHANGES_16) {
                Atomic.set(pair, expectedLow, expectedHigh);
                same = HostRam.compareAndExchange16(hpa, pair, newLow, newHigh);
                low = pair.get(ValueLayout.JAVA_LONG, 0);
                high = pair.get(ValueLayout.JAVA_LONG, 8);
            } else {
                cpu.standstill.begin();
                try {
                    if (mmu.invalidations != seen) {
                        continue;
                    }
                    low = Ram.load64(hpa);
                    high = Ram.load64(hpa + 8);
                    same = low == expectedLow && high == expectedHigh;
                    if (same) {
                        Ram.store64(hpa, newLow);
                        Ram.store64(hpa + 8, newHigh);
                    }
                } finally {
                    cpu.standstill.end();
                }
            }
            if (same) {
                PhysicalAccess.stored(hpa, 16);
            }
            if (mmu.watching()) {
                cpu.breakpoints.data(la, 16, true);
            }
            return same;
        }
    }

    /** CMPXCHG16B without LOCK: other cores may come between. */
    public boolean plain16(
            long la, long expectedLow, long expectedHigh, long newLow, long newHigh) {
        mmu.probeWrite(la, 16);
        low = mmu.read64(la);
        high = mmu.read64(la + 8);
        boolean same = low == expectedLow && high == expectedHigh;
        if (same) {
            mmu.write64(la, newLow);
            mmu.write64(la + 8, newHigh);
        }
        return same;
    }
}

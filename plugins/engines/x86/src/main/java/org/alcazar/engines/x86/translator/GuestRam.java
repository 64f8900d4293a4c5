package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.mmu.Atomic;
import org.alcazar.engines.x86.mmu.Ram;

import java.lang.foreign.MemorySegment;

/**
 * Guest RAM by host-physical address, zero-extended; to be inlined. Which of these an access calls
 * depends on its alignment, which {@link RamWriter} has the region find out: what all accesses of
 * all regions shared would soon have seen both, and a call that is never made costs a loop its
 * registers.
 */
final class GuestRam {
    private GuestRam() {}

    static long load8(long hpa) {
        return Ram.load8(hpa);
    }

    static long load16(long hpa) {
        return Ram.load16(hpa);
    }

    static long load32(long hpa) {
        return Ram.load32(hpa) & 0xffffffffL;
    }

    static long load64(long hpa) {
        return Ram.load64(hpa);
    }

    static long misaligned16(long hpa) {
        return Ram.load(hpa, 2);
    }

    static long misaligned32(long hpa) {
        return Ram.load(hpa, 4);
    }

    static long misaligned64(long hpa) {
        return Ram.load(hpa, 8);
    }

    /** See {@link Atomic#exchange}; within a quadword. */
    static long exchange(long hpa, int bytes, long expected, long value) {
        return Atomic.exchange(hpa, bytes, expected, value, MemorySegment.NULL);
    }

    static void store8(long hpa, long v) {
        Ram.store8(hpa, (int) v);
    }

    static void store16(long hpa, long v) {
        Ram.store16(hpa, (int) v);
    }

    static void store32(long hpa, long v) {
        Ram.store32(hpa, (int) v);
    }

    static void store64(long hpa, long v) {
        Ram.store64(hpa, v);
    }

    static void misaligned16(long hpa, long v) {
        Ram.store(hpa, 2, v);
    }

    static void misaligned32(long hpa, long v) {
        Ram.store(hpa, 4, v);
    }

    static void misaligned64(long hpa, long v) {
        Ram.store(hpa, 8, v);
    }

    static long any16(long hpa) {
        return (hpa & 1) == 0 ? load16(hpa) : misaligned16(hpa);
    }

    static long any32(long hpa) {
        return (hpa & 3) == 0 ? load32(hpa) : misaligned32(hpa);
    }

    static long any64(long hpa) {
        return (hpa & 7) == 0 ? load64(hpa) : misaligned64(hpa);
    }

    static void any16(long hpa, long v) {
        if ((hpa & 1) == 0) {
            store16(hpa, v);
        } else {
            misaligned16(hpa, v);
        }
    }

    static void any32(long hpa, long v) {
        if ((hpa & 3) == 0) {
            store32(hpa, v);
        } else {
            misaligned32(hpa, v);
        }
    }

    static void any64(long hpa, long v) {
        if ((hpa & 7) == 0) {
            store64(hpa, v);
        } else {
            misaligned64(hpa, v);
        }
    }
}

package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.mmu.Atomic;
import org.alcazar.engines.x86.mmu.Ram;

import java.lang.foreign.MemorySegment;

/** Guest RAM by host-physical address at any alignment, zero-extended; to be inlined. */
final class GuestRam {
    private GuestRam() {}

    static long load8(long hpa) {
        return Ram.load8(hpa);
    }

    static long load16(long hpa) {
        return (hpa & 1) == 0 ? Ram.load16(hpa) : Ram.load(hpa, 2);
    }

    static long load32(long hpa) {
        return (hpa & 3) == 0 ? Ram.load32(hpa) & 0xffffffffL : Ram.load(hpa, 4);
    }

    static long load64(long hpa) {
        return (hpa & 7) == 0 ? Ram.load64(hpa) : Ram.load(hpa, 8);
    }

    /** See {@link Atomic#exchange}; within a quadword. */
    static long exchange(long hpa, int bytes, long expected, long value) {
        return Atomic.exchange(hpa, bytes, expected, value, MemorySegment.NULL);
    }

    static void store8(long hpa, long v) {
        Ram.store8(hpa, (int) v);
    }

    static void store16(long hpa, long v) {
        if ((hpa & 1) == 0) {
            Ram.store16(hpa, (int) v);
        } else {
            Ram.store(hpa, 2, v);
        }
    }

    static void store32(long hpa, long v) {
        if ((hpa & 3) == 0) {
            Ram.store32(hpa, (int) v);
        } else {
            Ram.store(hpa, 4, v);
        }
    }

    static void store64(long hpa, long v) {
        if ((hpa & 7) == 0) {
            Ram.store64(hpa, v);
        } else {
            Ram.store(hpa, 8, v);
        }
    }
}

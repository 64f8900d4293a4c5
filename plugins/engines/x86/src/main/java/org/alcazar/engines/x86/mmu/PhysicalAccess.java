package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;

/**
 * Accesses to what {@link Mmu} has found: RAM, windows of the bus, and devices of the VMM, which
 * {@link SecondLevel#EXIT} marks. None leaves its page; values are zero-extended.
 */
final class PhysicalAccess {
    private final Cpu cpu;

    PhysicalAccess(Cpu cpu) {
        this.cpu = cpu;
    }

    /** 1 to 8 bytes; sizes that are no power of two end or begin a page. */
    long load(long hpa, int bytes) {
        return Mmu.isRam(hpa) ? Ram.load(hpa, bytes) : loadDevice(hpa, bytes);
    }

    /** In naturally aligned pieces. */
    private long loadDevice(long hpa, int bytes) {
        long value = 0;
        for (int done = 0; done < bytes; ) {
            int piece = piece(hpa + done, bytes - done);
            value |= loadPiece(hpa + done, piece) << 8 * done;
            done += piece;
        }
        return value;
    }

    private long loadPiece(long hpa, int bytes) {
        if ((hpa & SecondLevel.EXIT) != 0) {
            long mask = Width.of(bytes).mask();
            return cpu.access(Space.MEMORY, hpa & ~SecondLevel.EXIT, bytes, false, 0) & mask;
        }
        return cpu.readWindow(hpa, bytes);
    }

    /** As {@link #load}. */
    void store(long hpa, int bytes, long value) {
        if (!Mmu.isRam(hpa)) {
            storeDevice(hpa, bytes, value);
            return;
        }
        Ram.store(hpa, bytes, value);
        stored(hpa, bytes);
    }

    private void storeDevice(long hpa, int bytes, long value) {
        for (int done = 0; done < bytes; ) {
            int piece = piece(hpa + done, bytes - done);
            storePiece(hpa + done, piece, value >>> 8 * done & Width.of(piece).mask());
            done += piece;
        }
    }

    private void storePiece(long hpa, int bytes, long value) {
        if ((hpa & SecondLevel.EXIT) != 0) {
            cpu.access(Space.MEMORY, hpa & ~SecondLevel.EXIT, bytes, true, value);
        } else {
            cpu.writeWindow(hpa, bytes, value);
        }
    }

    private static int piece(long address, int left) {
        int aligned = (address & 7) == 0 ? 8 : (int) Long.lowestOneBit(address & 7);
        return Math.min(aligned, Integer.highestOneBit(left));
    }

    /**
     * After a write of this core to RAM by a path that does not know whether the page is watched.
     */
    static void stored(long hpa, int bytes) {
        if (RamPages.flags(hpa) != 0) {
            RamPages.written(hpa, bytes);
        }
    }
}

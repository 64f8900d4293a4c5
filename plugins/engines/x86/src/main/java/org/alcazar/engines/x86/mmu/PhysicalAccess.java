package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;
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

    long load(long hpa, int bytes) {
        if (!Mmu.isRam(hpa)) {
            return loadDevice(hpa, bytes);
        }
        return switch (bytes) {
            case 1 -> HostRam.getByte(hpa) & 0xffL;
            case 2 -> HostRam.getShort(hpa) & 0xffffL;
            case 4 -> HostRam.getInt(hpa) & 0xffff_ffffL;
            default -> HostRam.getLong(hpa);
        };
    }

    /** 1 to 7 bytes. */
    long loadPart(long hpa, int bytes) {
        if (!Mmu.isRam(hpa)) {
            return loadDevice(hpa, bytes);
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (HostRam.getByte(hpa + i) & 0xffL) << 8 * i;
        }
        return value;
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
        return cpu.bus.readMemory(hpa, Width.of(bytes));
    }

    void store(long hpa, int bytes, long value) {
        if (!Mmu.isRam(hpa)) {
            storeDevice(hpa, bytes, value);
            return;
        }
        switch (bytes) {
            case 1 -> HostRam.setByte(hpa, (byte) value);
            case 2 -> HostRam.setShort(hpa, (short) value);
            case 4 -> HostRam.setInt(hpa, (int) value);
            default -> HostRam.setLong(hpa, value);
        }
        stored(hpa, bytes);
    }

    void storePart(long hpa, int bytes, long value) {
        if (!Mmu.isRam(hpa)) {
            storeDevice(hpa, bytes, value);
            return;
        }
        for (int i = 0; i < bytes; i++) {
            HostRam.setByte(hpa + i, (byte) (value >>> 8 * i));
        }
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
            cpu.bus.writeMemory(hpa, Width.of(bytes), value);
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

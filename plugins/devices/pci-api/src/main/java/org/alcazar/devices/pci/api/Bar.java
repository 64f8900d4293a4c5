package org.alcazar.devices.pci.api;

import org.alcazar.machine.BusDevice;

/**
 * A base address register.
 *
 * @param index 0 to 5; a 64-bit one takes the next index too
 * @param bytes a power of two, at least 16 for memory and 4 for ports
 * @param registers what lies behind it; offsets count from the base
 */
public record Bar(int index, Kind kind, long bytes, BusDevice registers) {
    /** What the register maps. */
    public enum Kind {
        IO(1),
        MEMORY_32(0),
        MEMORY_64(4);

        private final int bits;

        Kind(int bits) {
            this.bits = bits;
        }

        /** Read-only low bits of the register (6.2.5.1). */
        public int bits() {
            return bits;
        }
    }

    public Bar {
        long least = kind == Kind.IO ? 4 : 16;
        if (index < 0 || index > 5 || bytes < least || Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("BAR " + index + " of " + bytes + " bytes");
        }
    }
}

package org.alcazar.machine;

/**
 * A device whose registers are bytes, as on an ISA bus: wider accesses are split into single bytes,
 * lowest offset first. Devices with registers that must be read in one piece override {@link
 * #read}.
 */
public interface ByteDevice extends BusDevice {
    /** A register, 0 to 255. Offsets without a register give 255. */
    int readByte(int offset);

    /**
     * @param value 0 to 255
     */
    void writeByte(int offset, int value);

    @Override
    default long read(long offset, Width width) {
        long value = 0;
        for (int i = 0; i < width.bytes(); i++) {
            value |= (readByte((int) offset + i) & 0xffL) << 8 * i;
        }
        return value;
    }

    @Override
    default void write(long offset, Width width, long value) {
        for (int i = 0; i < width.bytes(); i++) {
            writeByte((int) offset + i, (int) (value >>> 8 * i) & 0xff);
        }
    }
}

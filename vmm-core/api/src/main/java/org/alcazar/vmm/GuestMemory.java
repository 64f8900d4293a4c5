package org.alcazar.vmm;

/**
 * Guest-physical RAM for devices, loaders and extensions. Little-endian. Where there is no RAM,
 * reads give all ones and writes vanish, as on a bus; use {@link #isRam} to tell. Writes take the
 * one path that marks dirty pages and drops decoded code.
 */
public interface GuestMemory {
    boolean isRam(long address, long bytes);

    int readByte(long address);

    int readShort(long address);

    int readInt(long address);

    long readLong(long address);

    void writeByte(long address, int value);

    void writeShort(long address, int value);

    void writeInt(long address, int value);

    void writeLong(long address, long value);

    void read(long address, byte[] into, int offset, int bytes);

    void write(long address, byte[] from, int offset, int bytes);

    void fill(long address, long bytes, int value);
}

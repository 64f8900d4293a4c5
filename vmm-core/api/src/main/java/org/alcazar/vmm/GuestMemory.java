package org.alcazar.vmm;

/**
 * Guest-physical RAM for devices, loaders and extensions. Little-endian. Where there is no RAM,
 * reads give all ones and writes vanish, as on a bus; use {@link #isRam} to tell. Writes take the
 * one path that marks dirty pages and drops decoded code.
 *
 * <p>Addresses are guest-physical bytes, of any alignment. No address makes a method throw: a guest
 * may have chosen it. Nothing is ordered between threads, and an access of several bytes may tear.
 */
public interface GuestMemory {
    /** Whether all of {@code bytes} from {@code address} on are RAM; negative counts are not. */
    boolean isRam(long address, long bytes);

    /** 0 to 0xff. */
    int readByte(long address);

    /** 0 to 0xffff; bytes outside of RAM read 0xff. */
    int readShort(long address);

    /** 32 bits, in all of the int; bytes outside of RAM read 0xff. */
    int readInt(long address);

    /** 64 bits; bytes outside of RAM read 0xff. */
    long readLong(long address);

    /** Writes the low 8 bits of {@code value}. */
    void writeByte(long address, int value);

    /** Writes the low 16 bits of {@code value}; bytes outside of RAM vanish. */
    void writeShort(long address, int value);

    /** Writes 32 bits; bytes outside of RAM vanish. */
    void writeInt(long address, int value);

    /** Writes 64 bits; bytes outside of RAM vanish. */
    void writeLong(long address, long value);

    /**
     * Copies {@code bytes} bytes into {@code into} from {@code offset} on; 0xff for those outside
     * of RAM.
     *
     * @throws IndexOutOfBoundsException if the array is too short: a mistake of the caller
     */
    void read(long address, byte[] into, int offset, int bytes);

    /**
     * Copies {@code bytes} bytes of {@code from} from {@code offset} on; those outside of RAM
     * vanish.
     *
     * @throws IndexOutOfBoundsException if the array is too short: a mistake of the caller
     */
    void write(long address, byte[] from, int offset, int bytes);

    /** Sets {@code bytes} bytes to the low 8 bits of {@code value}, where there is RAM. */
    void fill(long address, long bytes, int value);

    /**
     * Gives the host's memory beneath pages of RAM back, since the guest does not use them: they
     * read as zero when they are touched next. Only whole pages of 4096 bytes that lie in the given
     * bytes go. Where the paging mode needs memory in place nothing happens, and the pages keep
     * what they hold.
     *
     * @return bytes that are no longer in the host's memory or on a swap file
     */
    long discard(long address, long bytes);
}

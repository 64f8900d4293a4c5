package org.alcazar.vmm.device;

import java.io.IOException;

/**
 * A disk's contents. Positions and lengths are multiples of {@link #SECTOR}. Called from one agent
 * thread at a time.
 */
public non-sealed interface BlockBackend extends Backend {
    int SECTOR = 512;

    /** Size in sectors. */
    long sectors();

    boolean readOnly();

    /**
     * @throws IOException if the host fails, or the range ends behind the disk
     */
    void read(long position, byte[] into, int offset, int bytes) throws IOException;

    void write(long position, byte[] from, int offset, int bytes) throws IOException;

    /** What was written before survives a crash of the host. */
    void flush() throws IOException;
}

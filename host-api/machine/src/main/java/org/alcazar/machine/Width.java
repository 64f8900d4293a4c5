package org.alcazar.machine;

/** Width of an access to a device. */
public enum Width {
    BYTE(1),
    WORD(2),
    DWORD(4),
    QWORD(8);

    private static final Width[] BY_BYTES = {
        BYTE, BYTE, WORD, WORD, DWORD, DWORD, DWORD, DWORD, QWORD
    };

    private final int bytes;
    private final long mask;

    Width(int bytes) {
        this.bytes = bytes;
        this.mask = bytes == 8 ? -1L : (1L << (8 * bytes)) - 1;
    }

    public int bytes() {
        return bytes;
    }

    /** All ones in this width: what an empty bus reads. */
    public long mask() {
        return mask;
    }

    /**
     * @param bytes 1, 2, 4 or 8
     */
    public static Width of(int bytes) {
        return BY_BYTES[bytes];
    }
}

package org.alcazar.engines.x86.oracle;

/**
 * Where things are in a case and in an outcome, and in the memory that cases see; {@code oracle.c}
 * has the same numbers.
 */
final class Layout {
    /** Bytes of a case, and of an outcome. */
    static final int SIZE = 1792;

    /** Of cases alone. */
    static final int COMPAT = 0;

    static final int CS = 4, SS = 6, DS = 8, ES = 10, FS = 12, GS = 14;

    /** Where CS:IP starts, and where in the page of code that is. */
    static final int ENTRY = 16, CODE_AT = 20, CODE_BYTES = 24;

    /** Not for the C program: bit 0, run in single steps. */
    static final int OPTIONS = 28;

    static final int RFLAGS = 32, FS_BASE = 40, GS_BASE = 48;

    /** The longest code of a case. */
    static final int CODE_MAX = 64;

    static final int CODE = 192;

    /** Of both. */
    static final int GPR = 64, FX = 256, MEMORY = 768;

    /** Of outcomes alone. */
    static final int TRAP = 0, SIGNAL = 4, ERROR = 8, CR2 = 16, RIP = 24;

    static final int OUT_RFLAGS = 32, OUT_CS = 40, EXTRAS = 52, OUT_FS_BASE = 192, EXTRA = 208;

    /** Offsets in the image of FXSAVE. */
    static final int FCW = 0, FSW = 2, FTW = 4, FOP = 6, FIP = 8, FDP = 16, MXCSR = 24;

    static final int ST = 32, XMM = 160;

    /** A page that is executed and not written; nothing is mapped around it. */
    static final long CODE_PAGE = 0x1000_0000L;

    /**
     * Data: two writable pages, none, a writable one, one that can only be read, none; linear
     * addresses.
     */
    static final long DATA = 0x1001_0000L;

    static final int PAGE = 4096;

    static final int DATA_PAGES = 5;

    /** Offsets in the data and sizes of what a case brings along; the rest has a pattern. */
    static final int[] WINDOW = {0xec0, 0x1f80, 0x3f80};

    static final int[] WINDOW_BYTES = {640, 128, 256};

    static final int MEMORY_BYTES = 1024;

    private Layout() {}

    /** Where an offset in the data is in a case's memory, or -1. */
    static int memory(long offset) {
        int at = 0;
        for (int i = 0; i < WINDOW.length; i++) {
            if (offset >= WINDOW[i] && offset < WINDOW[i] + WINDOW_BYTES[i]) {
                return at + (int) offset - WINDOW[i];
            }
            at += WINDOW_BYTES[i];
        }
        return -1;
    }

    /** Offset in the data of a place in a case's memory. */
    static int offset(int memory) {
        int at = memory;
        for (int i = 0; i < WINDOW.length; i++) {
            if (at < WINDOW_BYTES[i]) {
                return WINDOW[i] + at;
            }
            at -= WINDOW_BYTES[i];
        }
        throw new IllegalArgumentException("memory " + memory);
    }

    /** What lies outside the windows. */
    static byte pattern(int offset) {
        return (byte) (offset * 0x9d ^ offset >> 8);
    }
}

package org.alcazar.testkit;

/** Mode in which a guest's code begins. */
public enum Mode {
    /**
     * 16-bit real mode, as after a boot sector was loaded: flat segments of 64 KiB at 0, stack
     * below the code.
     */
    REAL("mode_real"),
    /** 32-bit protected mode without paging, flat segments. */
    PROTECTED("mode_protected"),
    /** 64-bit mode, the first GiB mapped to itself with 2 MiB pages, SSE enabled. */
    LONG("mode_long");

    private final String symbol;

    Mode(String symbol) {
        this.symbol = symbol;
    }

    String symbol() {
        return symbol;
    }
}

package org.alcazar.bench;

/** Kinds of work, and how fast they have to be and should be, as multiples of QEMU's speed. */
enum BenchClass {
    INTEGER("integer", 1.2, 1.5),
    MEMORY("memory, TLB-friendly", 1.2, 1.5),
    MEMORY_TLB("memory, TLB-heavy", 2, 3),
    FLOATING_POINT("double-precision floating point", 2, 4),
    DIRECT_CALLS("direct calls", 1.1, 1.4),
    INDIRECT_CALLS("indirect calls", 1.0, 1.3),
    SYSTEM("system calls, page faults, context switches", 0.7, 1.0),
    SHELL("shell loop", 0.7, 1.0),
    BOOT("kernel boot to init, wall time", 0.4, 1.0);

    private final String label;
    private final double floor;
    private final double aim;

    BenchClass(String label, double floor, double aim) {
        this.label = label;
        this.floor = floor;
        this.aim = aim;
    }

    String label() {
        return label;
    }

    /** The least that will do. */
    double floor() {
        return floor;
    }

    double aim() {
        return aim;
    }

    /** What is to be said of a ratio. */
    String verdict(double ratio) {
        if (Double.isNaN(ratio)) {
            return "";
        }
        return ratio >= aim ? "aim reached" : ratio >= floor ? "floor reached" : "short";
    }
}

package org.alcazar.machine;

/** Address spaces that an access can go to. */
public final class Space {
    /** Guest-physical memory. */
    public static final int MEMORY = 0;

    /** I/O ports (x86) or device-control registers (PowerPC). */
    public static final int PORT = 1;

    /** Model-specific registers (x86) or special-purpose registers (PowerPC). */
    public static final int REGISTER = 2;

    /**
     * Feature leaves: CPUID, address = leaf | sub-leaf &lt;&lt; 32; the answer is written to
     * registers.
     */
    public static final int FEATURE = 3;

    public static final int COUNT = 4;

    private static final String[] NAMES = {"memory", "port", "register", "feature"};

    private Space() {}

    public static String name(int space) {
        return NAMES[space];
    }
}

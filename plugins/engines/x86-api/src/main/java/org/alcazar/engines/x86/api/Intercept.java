package org.alcazar.engines.x86.api;

/**
 * Bits of {@code ControlBlock.instructions}: what the VMM wants to see as an INSTRUCTION exit,
 * whose {@code code} is the bit's number. CR accesses carry the register number in {@code address}
 * and, for writes, the new value in {@code value}.
 */
public final class Intercept {
    public static final int HLT = 0;
    public static final int CPUID = 1;
    public static final int INVLPG = 2;
    public static final int CR_READ = 3;
    public static final int CR_WRITE = 4;
    public static final int RDTSC = 5;
    public static final int INVD = 6;
    public static final int PAUSE = 7;
    public static final int IRET = 8;
    public static final int SYSCALL = 9;
    public static final int SOFTWARE_INTERRUPT = 10;
    public static final int MWAIT = 11;
    public static final int DR_ACCESS = 12;
    public static final int TABLE_REGISTERS = 13;

    private Intercept() {}
}

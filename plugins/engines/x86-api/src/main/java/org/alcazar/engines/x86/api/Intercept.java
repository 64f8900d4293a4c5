package org.alcazar.engines.x86.api;

/**
 * Numbers of the bits of {@code ControlBlock.instructions}: what the VMM wants to see as an
 * INSTRUCTION exit, whose {@code code} is the bit's number. CR accesses carry the register number
 * in {@code address} and, for writes, the new value in {@code value}.
 */
public final class Intercept {
    /** HLT: the guest waits for an interrupt. */
    public static final int HLT = 0;

    /** CPUID; {@code address} is the leaf, {@code value} the sub-leaf. */
    public static final int CPUID = 1;

    /** INVLPG; {@code address} is the linear address. */
    public static final int INVLPG = 2;

    /** MOV from a control register, SMSW. */
    public static final int CR_READ = 3;

    /** MOV to a control register, LMSW, CLTS. */
    public static final int CR_WRITE = 4;

    /** RDTSC and RDTSCP. */
    public static final int RDTSC = 5;

    /** INVD and WBINVD. */
    public static final int INVD = 6;

    /** PAUSE: the guest spins. */
    public static final int PAUSE = 7;

    /** IRET of any operand size. */
    public static final int IRET = 8;

    /** SYSCALL, not SYSENTER. */
    public static final int SYSCALL = 9;

    /** INT n; {@code address} is the vector, 0 to 255. */
    public static final int SOFTWARE_INTERRUPT = 10;

    /** MWAIT and MWAITX. */
    public static final int MWAIT = 11;

    /** MOV to or from a debug register; {@code address} is its number, 0 to 7. */
    public static final int DR_ACCESS = 12;

    /** Loads and stores of GDTR, IDTR, LDTR and TR. */
    public static final int TABLE_REGISTERS = 13;

    /** INVPCID; {@code address} is the linear address, {@code value} the type. */
    public static final int INVPCID = 14;

    /** XSETBV; {@code address} is the register's number, {@code value} the new value. */
    public static final int XSETBV = 15;

    private Intercept() {}
}

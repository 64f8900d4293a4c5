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

    /**
     * INVPCID; {@code address} is the linear address, {@code value} the type, {@code size} the
     * PCID.
     */
    public static final int INVPCID = 14;

    /** XSETBV; {@code address} is the register's number, {@code value} the new value. */
    public static final int XSETBV = 15;

    /**
     * The paging state has changed (under {@code Translation.SHADOW}): since the last such exit
     * CR0, CR3, CR4 or EFER was written, a task switch loaded CR3, the core was reset, got INIT or
     * STARTUP, or its registers were loaded from outside; and now a translation is needed that the
     * TLB does not hold. The exit comes before the walk of {@code translationRoot}, from the midst
     * of an instruction, a task switch or the delivery of an event as FAULT exits do; {@code
     * address} is CR3, {@code value} 0. The reply is RETRY: {@code translationRoot} belongs to this
     * state now. (A changed root alone has the core forget nothing under SHADOW: what the guest's
     * own write flushes is flushed.)
     */
    public static final int PAGING_STATE = 16;

    /**
     * A flag in {@code value} of a FAULT exit, beside the page fault's error code: a supervisor's
     * data access that user pages are open to although SMAP is on (explicit, with RFLAGS.AC).
     */
    public static final long PF_OPEN = 1L << 30;

    private static final int PF_RUN_SHIFT = 16;
    private static final int PF_RUN_BITS = 0x1fff;

    /**
     * What the {@code value} of a FAULT exit under {@code Translation.SHADOW} tells, in bits 28 to
     * 16, of a write by a repeated string instruction: how many bytes the instruction is going to
     * write from the faulting address on, within the page. Where repetitions are not done in one go
     * (downwards, 16-bit addresses, single steps) it is not told.
     *
     * <p>Processors have no such field. A VMM finds out from the instruction, which SVM leaves in
     * the VMCB (APM volume 2, 15.8.4, guest instruction bytes), and from rCX.
     *
     * @return 1 to 4096 bytes, or 0 for another instruction
     */
    public static int run(long value) {
        return (int) (value >>> PF_RUN_SHIFT) & PF_RUN_BITS;
    }

    /**
     * The bits of {@link #run} for so many bytes.
     *
     * @param bytes 1 to 4096
     */
    public static int runOf(int bytes) {
        return bytes << PF_RUN_SHIFT;
    }

    private Intercept() {}
}

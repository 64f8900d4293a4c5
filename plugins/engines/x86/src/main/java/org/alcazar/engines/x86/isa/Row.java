package org.alcazar.engines.x86.isa;

import java.util.List;

/**
 * One row of the opcode table: an instruction form.
 *
 * @param id index in the table
 * @param mnemonic Intel's, lower case
 * @param semantics {@code Class.method} in package {@code semantics}, without the size suffix
 * @param operands in Intel order, implied ones that semantics needs included
 * @param traits a mask of the bits below
 */
public record Row(int id, String mnemonic, String semantics, List<Operand> operands, int traits) {
    /** LOCK is allowed (with a memory destination). */
    public static final int LOCKABLE = 1;

    /** The instruction may set RIP, or change the mode or translation of what follows: it ends a block. */
    public static final int ENDS_BLOCK = 1 << 1;

    /** Operand size is 64 bits in 64-bit mode without REX.W (near branches, PUSH, POP …). */
    public static final int DEFAULT_64 = 1 << 2;

    /** REP prefixes repeat it. */
    public static final int REPEATABLE = 1 << 3;

    /** REPE and REPNE differ (CMPS, SCAS). */
    public static final int REPEAT_CONDITIONAL = 1 << 4;

    /** Only at CPL 0. */
    public static final int PRIVILEGED = 1 << 5;

    /** Uses x87 or MMX state: #NM by CR0.TS/EM, pending x87 exceptions are raised first unless {@link #NO_WAIT}. */
    public static final int X87 = 1 << 6;

    public static final int NO_WAIT = 1 << 7;
    public static final int MMX = 1 << 8;

    /** Uses SSE state: #UD by CR4.OSFXSR and CR0.EM, #NM by CR0.TS. */
    public static final int SSE = 1 << 9;

    /** A 128-bit memory operand must be aligned, or #GP. */
    public static final int ALIGNED = 1 << 10;

    /** May take an interrupt or fault only after it: holds off interrupts for one instruction (MOV SS, POP SS, STI). */
    public static final int SHADOW = 1 << 11;

    public boolean has(int trait) {
        return (traits & trait) != 0;
    }

    @Override
    public String toString() {
        return mnemonic + " " + operands;
    }
}

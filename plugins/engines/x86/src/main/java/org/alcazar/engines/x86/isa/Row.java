package org.alcazar.engines.x86.isa;

import java.util.List;

/**
 * One row of the opcode table: an instruction form.
 *
 * @param id index in the table; -1 for {@link #NONE}
 * @param mnemonic Intel's, lower case; three of them with slashes if operand sizes 2, 4 and 8 have
 *     different names (see {@link #mnemonic(int)})
 * @param att AT&T's name or names, as objdump prints them, without a computed suffix
 * @param semantics {@code Class.method} in package {@code semantics}, without the size suffix: if
 *     there is no method of exactly this name, the width in bits of the first operand is appended
 *     to it
 * @param operands in Intel order, implied ones that semantics needs included
 * @param traits a mask of the bits below
 * @param shape a mask of the {@code SHAPE} bits: what the decoder has to read and check
 * @param undefinedFlags mask of RFLAGS bits that the manual leaves undefined after it
 * @param undefinedByCount mask of RFLAGS bits that are undefined depending on a shift count
 */
public record Row(
        int id,
        Encoding encoding,
        String mnemonic,
        String att,
        String semantics,
        List<Operand> operands,
        int traits,
        int shape,
        Feature feature,
        int undefinedFlags,
        int undefinedByCount) {
    /** LOCK is allowed (with a memory destination). */
    public static final int LOCKABLE = 1;

    /**
     * The instruction may set RIP, or change the mode or translation of what follows: it ends a
     * block.
     */
    public static final int ENDS_BLOCK = 1 << 1;

    /** Operand size is 64 bits in 64-bit mode without REX.W (near branches, PUSH, POP …). */
    public static final int DEFAULT_64 = 1 << 2;

    /** REP prefixes repeat it. */
    public static final int REPEATABLE = 1 << 3;

    /** REPE and REPNE differ (CMPS, SCAS). */
    public static final int REPEAT_CONDITIONAL = 1 << 4;

    /** Only at CPL 0. */
    public static final int PRIVILEGED = 1 << 5;

    /**
     * Uses x87 or MMX state: #NM by CR0.TS/EM, pending x87 exceptions are raised first unless
     * {@link #NO_WAIT}.
     */
    public static final int X87 = 1 << 6;

    public static final int NO_WAIT = 1 << 7;

    /** Uses MMX registers. Set together with {@link #SSE} if an MMX form needs SSE (CVTPI2PS). */
    public static final int MMX = 1 << 8;

    /** Uses SSE state: #UD by CR4.OSFXSR and CR0.EM, #NM by CR0.TS. */
    public static final int SSE = 1 << 9;

    /** A 128-bit memory operand must be aligned, or #GP. */
    public static final int ALIGNED = 1 << 10;

    /**
     * May take an interrupt or fault only after it: holds off interrupts for one instruction (MOV
     * SS, POP SS, STI).
     */
    public static final int SHADOW = 1 << 11;

    /**
     * Operand size is 64 bits in 64-bit mode and 32 elsewhere, whatever the prefixes (MOV CR, MOV
     * DR).
     */
    public static final int NATIVE_SIZE = 1 << 12;

    /** Near branch: in 64-bit mode AMD honours the operand-size prefix, Intel ignores it. */
    public static final int NEAR_BRANCH = 1 << 13;

    /** Far pointer in memory: AMD ignores REX.W (16:32), Intel has 16:64. */
    public static final int FAR_MEMORY = 1 << 14;

    /**
     * Its last three opcode or ModRM bits are a condition code: JCC, SETCC, CMOVCC; condition =
     * opcode & 15.
     */
    public static final int CONDITIONAL = 1 << 15;

    /** Bits 0 to 3 of the shape: the first immediate. */
    public static final int IMMEDIATE_MASK = 15;

    public static final int IMM_BYTE = 1;
    public static final int IMM_SIGNED_BYTE = 2;
    public static final int IMM_WORD = 3;
    public static final int IMM_Z = 4;
    public static final int IMM_V = 5;
    public static final int IMM_FAR = 6;
    public static final int IMM_MOFFS = 7;

    /** Sign-extended displacements of branches: a byte, or the size Z. */
    public static final int IMM_REL8 = 8;

    public static final int IMM_REL = 9;

    /** A second immediate byte. */
    public static final int SHAPE_IMMEDIATE2 = 1 << 4;

    /** ModRM.reg is not extended by REX.R (MMX, segments). */
    public static final int SHAPE_REG_8 = 1 << 5;

    /** ModRM.rm is not extended by REX.B (MMX, x87). */
    public static final int SHAPE_RM_8 = 1 << 6;

    /** ModRM.reg must be 0 to 5. */
    public static final int SHAPE_SEGMENT = 1 << 7;

    /** ModRM.reg must be 0, 2, 3, 4 or 8. */
    public static final int SHAPE_CONTROL = 1 << 8;

    /** ModRM.reg must be 0 to 7. */
    public static final int SHAPE_DEBUG = 1 << 9;

    /** ModRM.mod is ignored: always a register. */
    public static final int SHAPE_NO_MEMORY = 1 << 10;

    /** A register in the low three bits of the opcode. */
    public static final int SHAPE_OPCODE_REGISTER = 1 << 11;

    /** vvvv is an operand. Without it, its bits must be all ones. */
    public static final int SHAPE_VVVV = 1 << 12;

    /** EVEX.aaa may choose an opmask. */
    public static final int SHAPE_MASK = 1 << 13;

    /** EVEX.aaa must choose an opmask. */
    public static final int SHAPE_MASK_NEEDED = 1 << 14;

    /** EVEX.z is allowed, but not for a result in memory. */
    public static final int SHAPE_ZEROING = 1 << 15;

    /** EVEX.b on registers rounds as L'L says. */
    public static final int SHAPE_ROUNDING = 1 << 16;

    /** EVEX.b on registers suppresses exceptions. */
    public static final int SHAPE_SAE = 1 << 17;

    /** EVEX.b on memory broadcasts elements of 2, 4 or 8 bytes. */
    public static final int SHAPE_BROADCAST_2 = 1 << 18;

    public static final int SHAPE_BROADCAST_4 = 1 << 19;
    public static final int SHAPE_BROADCAST_8 = 1 << 20;

    /** The index register of the memory operand is a vector. */
    public static final int SHAPE_VECTOR_INDEX = 1 << 21;

    /** The vector length is ignored. */
    public static final int SHAPE_NO_LENGTH = 1 << 22;

    /** A vector register is among the operands. */
    public static final int SHAPE_VECTOR = 1 << 23;

    /** ModRM.reg is an opmask register. */
    public static final int SHAPE_REG_MASK = 1 << 24;

    /** ModRM.reg is a vector register. */
    public static final int SHAPE_REG_VECTOR = 1 << 25;

    /** ModRM.rm is a vector register, if it is a register. */
    public static final int SHAPE_RM_VECTOR = 1 << 26;

    /** vvvv is a general or an opmask register. */
    public static final int SHAPE_VVVV_PLAIN = 1 << 27;

    /** A destination and the two sources or index must be three different registers. */
    public static final int SHAPE_DISTINCT = 1 << 28;

    /** A displacement of one byte counts elements. */
    public static final int SHAPE_ELEMENT = 1 << 29;

    /** EVEX.b on registers does nothing: the conversion is exact. */
    public static final int SHAPE_EXACT = 1 << 30;

    /** The row of bytes that mean nothing: its semantics raises #UD. */
    public static final Row NONE =
            new Row(
                    -1,
                    new Encoding(0, 0, 0, 0, 0, 0, false, false, false, 0, 0, 0, 0, false),
                    "(bad)",
                    "(bad)",
                    "SystemInstructions.ud",
                    List.of(),
                    ENDS_BLOCK,
                    0,
                    Feature.BASE,
                    0,
                    0);

    public boolean has(int trait) {
        return (traits & trait) != 0;
    }

    /** Intel's mnemonic at an operand size of 2, 4 or 8 bytes. */
    public String mnemonic(int operandSize) {
        return bySize(mnemonic, operandSize);
    }

    /** AT&T's name at an operand size of 2, 4 or 8 bytes. */
    public String att(int operandSize) {
        return bySize(att, operandSize);
    }

    private static String bySize(String names, int operandSize) {
        int first = names.indexOf('/');
        if (first < 0) {
            return names;
        }
        int second = names.indexOf('/', first + 1);
        return switch (operandSize) {
            case 2 -> names.substring(0, first);
            case 4 -> names.substring(first + 1, second);
            default -> names.substring(second + 1);
        };
    }

    @Override
    public String toString() {
        return mnemonic + " " + operands;
    }
}

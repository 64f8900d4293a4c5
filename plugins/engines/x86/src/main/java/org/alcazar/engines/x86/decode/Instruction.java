package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Row;

/** A decoded instruction. Plain fields: filled once by the decoder, read often. */
public final class Instruction {
    /** Values of {@link #base} and {@link #index}. */
    public static final int NO_REGISTER = -1;

    public static final int RIP_RELATIVE = 16;

    /** {@link Row#NONE} until decoded. */
    public Row row = Row.NONE;

    /** Bytes, 1 to 15. */
    public int length;

    /** 16, 32 or 64: the mode that it was decoded for. */
    public int mode;

    /** Effective, in bytes: 2, 4 or 8. */
    public int operandSize;

    public int addressSize;

    /** 0, 0xf2 or 0xf3, where not a part of the opcode. */
    public int repeat;

    public boolean lock;

    /**
     * The REX prefix (0x40 to 0x4f), or 0 for none. Without one, byte registers 4 to 7 are AH, CH,
     * DH, BH.
     */
    public int rex;

    /** Whether an operand-size prefix was there (used where it means something else). */
    public boolean operandSizePrefix;

    /**
     * Effective segment of the memory operand, 0 to 5: the override or the default of the
     * addressing form.
     */
    public int segment;

    /** Segment override prefix, 0 to 5, or -1. In 64-bit mode only FS and GS count. */
    public int segmentOverride;

    /** The ModRM byte, or -1. */
    public int modrm;

    /** Whether ModRM names memory. */
    public boolean memory;

    /** ModRM.reg, extended by REX.R. */
    public int reg;

    /**
     * ModRM.rm extended by REX.B, if it names a register; for opcode registers the number with
     * REX.B.
     */
    public int rm;

    public int base;
    public int index;

    /** Shift of the index, 0 to 3; means nothing without an index. */
    public int scale;

    /** Sign-extended. */
    public long displacement;

    /** Sign- or zero-extended as the row says. */
    public long immediate;

    public long immediate2;

    /**
     * What led to the opcode, by {@link org.alcazar.engines.x86.isa.Encoding}. The fields below are
     * filled only if it is not 0.
     */
    public int space;

    /** W of a VEX, EVEX or XOP prefix. */
    public boolean wide;

    /** Bytes: 16, 32 or 64. */
    public int vectorLength;

    /** The register that vvvv names, 0 to 31. */
    public int vvvv;

    /** EVEX.aaa. */
    public int mask;

    public boolean zeroing;

    /** Bytes of the element that a memory operand repeats, or 0. */
    public int broadcast;

    /** 0 to 3 as in MXCSR, {@link #SUPPRESS}, or {@link #NO_ROUNDING}. */
    public int rounding;

    /** Exceptions are suppressed, the rounding is MXCSR's. */
    public static final int SUPPRESS = 4;

    public static final int NO_ROUNDING = -1;

    /**
     * Opcode bytes without prefixes: 0xXX, 0x0fXX, 0x0f38XX, 0x0f3aXX; the last one alone for
     * others.
     */
    public int opcode;
}

package org.alcazar.engines.x86.isa;

import org.alcazar.engines.x86.decode.Instruction;

/**
 * One operand of a row.
 *
 * @param fixed register number for the fixed kinds; 1 for immediates that are sign-extended; else 0
 * @param read whether its old value is used
 * @param written whether it gets a result
 * @param implied whether assembly text leaves it out
 */
public record Operand(
        OperandKind kind,
        OperandSize size,
        int fixed,
        boolean read,
        boolean written,
        boolean implied) {
    /** Bytes in this instruction; 0 for {@link OperandSize#NONE}. */
    public int bytes(Instruction instruction) {
        return switch (size) {
            case BYTE -> 1;
            case WORD -> 2;
            case DWORD -> 4;
            case QWORD -> 8;
            case OWORD -> 16;
            case TBYTE -> 10;
            case YWORD -> 32;
            case ZWORD -> 64;
            case VECTOR -> instruction.vectorLength;
            case HALF -> instruction.vectorLength / 2;
            case QUARTER -> instruction.vectorLength / 4;
            case EIGHTH -> instruction.vectorLength / 8;
            case DUPLICATED -> instruction.vectorLength == 16 ? 8 : instruction.vectorLength;
            case V -> instruction.operandSize;
            case Z -> Math.min(4, instruction.operandSize);
            case Y -> Math.max(4, instruction.operandSize);
            case ADDRESS -> instruction.addressSize;
            case NONE -> 0;
        };
    }
}

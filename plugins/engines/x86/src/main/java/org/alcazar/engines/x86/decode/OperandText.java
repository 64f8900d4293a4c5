package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

/** Text of operands: what the two syntaxes have in common. */
abstract class OperandText {
    private static final String[] BYTES = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
    private static final String[] BYTES_REX = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    private static final String[] WORDS = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};

    /** Appends one operand. */
    abstract void append(StringBuilder out, Instruction insn, Operand o, long address);

    /** Appends operands that the table does not list but objdump prints. */
    abstract void extra(StringBuilder out, Instruction insn);

    /** Name of a general register. */
    static String gpr(int number, int bytes, boolean rex) {
        if (number >= 8) {
            String suffix =
                    switch (bytes) {
                        case 1 -> "b";
                        case 2 -> "w";
                        case 4 -> "d";
                        default -> "";
                    };
            return "r" + number + suffix;
        }
        return switch (bytes) {
            case 1 -> rex ? BYTES_REX[number] : BYTES[number];
            case 2 -> WORDS[number];
            case 4 -> "e" + WORDS[number];
            default -> "r" + WORDS[number];
        };
    }

    static String gpr(Instruction insn, int number, int bytes) {
        return gpr(number, bytes, insn.rex != 0);
    }

    /** The register that an operand is, or an empty string if it is none. */
    static String register(Instruction insn, Operand o) {
        int bytes = o.bytes(insn);
        return switch (o.kind()) {
            case REG -> gpr(insn, insn.reg, bytes);
            case RM, RM_REGISTER -> insn.memory ? "" : gpr(insn, insn.rm, bytes);
            case OPCODE_REGISTER -> gpr(insn, insn.rm, bytes);
            case FIXED_REGISTER -> gpr(insn, o.fixed(), bytes);
            case SEGMENT -> SEGMENTS[insn.reg];
            case FIXED_SEGMENT -> SEGMENTS[o.fixed()];
            case CONTROL -> "cr" + insn.reg;
            case DEBUG -> "dr" + insn.reg;
            case VVVV_REGISTER -> gpr(insn, insn.vvvv, bytes);
            case XMM_REG -> vector(insn.reg, bytes);
            case XMM_RM, XMM_RM_REGISTER -> insn.memory ? "" : vector(insn.rm, bytes);
            case XMM_VVVV -> vector(insn.vvvv, bytes);
            case XMM_IMMEDIATE ->
                    vector((int) insn.immediate >> 4 & (insn.mode == 64 ? 15 : 7), bytes);
            case OPMASK_REG -> "k" + insn.reg;
            case OPMASK_RM_REGISTER -> "k" + (insn.rm & 7);
            case OPMASK_VVVV -> "k" + insn.vvvv;
            case XMM0 -> "xmm0";
            case MMX_REG -> "mm" + insn.reg;
            case MMX_RM, MMX_RM_REGISTER -> insn.memory ? "" : "mm" + insn.rm;
            case ST0 -> "st";
            case ST_I -> "st(" + insn.rm + ")";
            default -> "";
        };
    }

    private static String vector(int number, int bytes) {
        return (bytes == 64 ? "zmm" : bytes == 32 ? "ymm" : "xmm") + number;
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    /** A displacement with its sign. */
    static String signedHex(long value) {
        return value < 0 ? "-0x" + Long.toHexString(-value) : hex(value);
    }

    /** Where a branch goes. */
    static long target(Instruction insn, long address) {
        long next = address + insn.length;
        long target = next + insn.immediate;
        return switch (insn.mode) {
            case 64 -> insn.operandSize == 2 ? target & 0xffff : target;
            case 32 -> insn.operandSize == 2 ? target & 0xffff : target & 0xffffffffL;
            // A linear address may be given: the 64 KiB segment is kept.
            default ->
                    insn.operandSize == 4
                            ? target & 0xffffffffL
                            : next & ~0xffffL | target & 0xffff;
        };
    }

    /** An immediate cut to the size of what it works on. */
    static long immediate(Instruction insn, Operand o) {
        long value = insn.immediate;
        return switch (o.size()) {
            case V, Z -> insn.operandSize == 4 ? value & 0xffffffffL : value;
            default -> value;
        };
    }

    /** The index register, general or vector. */
    static String index(Instruction insn) {
        boolean vector = (insn.row.shape() & Row.SHAPE_VECTOR_INDEX) != 0;
        if (!vector) {
            return gpr(insn.index, insn.addressSize, false);
        }
        int bytes = 16;
        for (Operand o : insn.row.operands()) {
            if (o.kind() == OperandKind.VECTOR_INDEXED) {
                bytes = o.bytes(insn);
            }
        }
        return vector(insn.index, bytes);
    }

    static boolean hasSib(Instruction insn) {
        return insn.memory && insn.addressSize != 2 && (insn.modrm & 7) == 4;
    }

    static boolean noBase(Instruction insn) {
        return insn.base == Instruction.NO_REGISTER;
    }

    static boolean noIndex(Instruction insn) {
        return insn.index == Instruction.NO_REGISTER;
    }

    /**
     * An address without registers: shown as objdump does, that is with a sign if it has 16 bits.
     */
    static String absolute(Instruction insn, long displacement) {
        return switch (insn.addressSize) {
            case 2 -> signedHex(displacement);
            case 4 -> hex(displacement & 0xffffffffL);
            default -> hex(displacement);
        };
    }

    /**
     * Whether a SIB byte without index shows an index register named riz or eiz, because it has no
     * need to be there.
     */
    static boolean showsZeroIndex(Instruction insn) {
        if (!hasSib(insn) || !noIndex(insn)) {
            return false;
        }
        boolean needed =
                noBase(insn) ? insn.mode == 64 && insn.addressSize == 8 : (insn.base & 7) == 4;
        return insn.scale != 0 || !needed;
    }

    static boolean namesSegment(Instruction insn) {
        return insn.segmentOverride >= 0;
    }
}

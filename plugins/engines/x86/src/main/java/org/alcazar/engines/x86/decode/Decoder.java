package org.alcazar.engines.x86.decode;

import static org.alcazar.engines.x86.decode.Instruction.NO_REGISTER;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

/**
 * From bytes to an {@link Instruction}, by the opcode table (APM volume 3, chapter 1 and appendix
 * A).
 *
 * <p>Keeps the place in the bytes between its steps: for one thread only.
 */
public final class Decoder {
    /** More bytes are needed to tell. */
    public static final int INCOMPLETE = -1;

    /** The bytes raise #UD. */
    public static final int INVALID = -2;

    /** Over 15 bytes: #GP(0). */
    public static final int TOO_LONG = -3;

    /** Most bytes of an instruction. */
    public static final int LONGEST = 15;

    /** 16-bit addressing forms by ModRM.rm. */
    private static final byte[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};

    private static final byte[] INDEX_16 = {6, 7, 6, 7, -1, -1, -1, -1};

    private static final int[] OPCODE_BASE = {0, 0x0f00, 0x0f3800, 0x0f3a00};

    private static final int CONTROL_REGISTERS = 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 8;

    private final OpcodeTable table;
    private final boolean nearBranchPrefix;
    private final boolean alternativeCr8;

    private byte[] code = new byte[0];
    private int at;
    private int end;
    private boolean prefix67;

    /** Of an EVEX prefix: R', and V', as bit 4 of register numbers. */
    private int highReg;

    private int highVvvv;
    private int lastRepeat;

    public Decoder() {
        this(OpcodeTable.standard());
    }

    public Decoder(OpcodeTable table) {
        this(table, true);
    }

    /**
     * A decoder of a vendor's ways.
     *
     * @param amd whether the operand-size prefix counts on near branches in 64-bit mode, as on AMD
     */
    public Decoder(OpcodeTable table, boolean amd) {
        this.table = table;
        this.nearBranchPrefix = amd;
        alternativeCr8 = table.features().contains(Feature.ALT_MOV_CR8);
    }

    /**
     * Decodes one instruction.
     *
     * @param bytes holds the code
     * @param offset of the first byte
     * @param available how many bytes there are from {@code offset} on
     * @param mode 16, 32 or 64
     * @param out is filled; after a failure its row is {@link Row#NONE}, its length that of what
     *     was read, and the rest means nothing
     * @return the length, 1 to 15, or {@link #INCOMPLETE}, {@link #INVALID}, {@link #TOO_LONG}
     */
    public int decode(byte[] bytes, int offset, int available, int mode, Instruction out) {
        code = bytes;
        at = offset;
        end = offset + Math.min(available, LONGEST);
        int result = decode(mode, out);
        out.length = at - offset;
        if (result >= 0) {
            return out.length;
        }
        out.row = Row.NONE;
        return result == INCOMPLETE && available >= LONGEST ? TOO_LONG : result;
    }

    private int decode(int mode, Instruction out) {
        int opcode = prefixes(mode, out);
        if (opcode < 0) {
            return INCOMPLETE;
        }
        int map = 0;
        if (opcode == 0x0f) {
            opcode = next();
            map = 1;
            if (opcode == 0x38 || opcode == 0x3a) {
                map = opcode == 0x38 ? 2 : 3;
                opcode = next();
            }
            if (opcode < 0) {
                return INCOMPLETE;
            }
        }
        out.opcode = OPCODE_BASE[map] | opcode;
        int modrm = -1;
        int follows = table.modrm(map, opcode);
        if (follows != 0) {
            modrm = next();
            if (modrm < 0) {
                return INCOMPLETE;
            }
            if (follows == OpcodeTable.ESCAPE && isVectorPrefix(mode, opcode, modrm)) {
                return vector(opcode, modrm, out);
            }
        }
        out.modrm = modrm;
        int modeClass = mode != 64 ? 0 : (out.rex & 8) == 0 ? 1 : 2;
        // 90 with REX.B is XCHG r8, rAX like its neighbours.
        int search = opcode == 0x90 && map == 0 && (out.rex & 1) != 0 ? 0x91 : opcode;
        Row row = table.find(map, search, prefixClass(out), modeClass, modrm);
        if (row.id() < 0) {
            return INVALID;
        }
        out.row = row;
        return operands(row, out);
    }

    /** The next byte, or -1. */
    private int next() {
        return at < end ? code[at++] & 0xff : -1;
    }

    /** Reads prefixes; returns the first opcode byte, or -1. */
    private int prefixes(int mode, Instruction out) {
        out.mode = mode;
        out.space = Encoding.PLAIN;
        out.operandSizePrefix = false;
        out.lock = false;
        out.segmentOverride = -1;
        prefix67 = false;
        lastRepeat = 0;
        int rex = 0;
        while (true) {
            int b = next();
            switch (b) {
                case 0x66 -> out.operandSizePrefix = true;
                case 0x67 -> prefix67 = true;
                case 0xf0 -> out.lock = true;
                case 0xf2, 0xf3 -> lastRepeat = b;
                case 0x26, 0x2e, 0x36, 0x3e -> {
                    // Ignored in 64-bit mode.
                    if (mode != 64) {
                        out.segmentOverride = b >> 3 & 3;
                    }
                }
                case 0x64, 0x65 -> out.segmentOverride = b & 7;
                default -> {
                    if (mode == 64 && (b & 0xf0) == 0x40) {
                        rex = b;
                        continue;
                    }
                    out.rex = rex;
                    return b;
                }
            }
            // REX counts only right before the opcode.
            rex = 0;
        }
    }

    private int prefixClass(Instruction out) {
        if (lastRepeat != 0) {
            return lastRepeat == 0xf3 ? 2 : 3;
        }
        return out.operandSizePrefix ? 1 : 0;
    }

    private int operands(Row row, Instruction out) {
        int shape = row.shape();
        int modrm = out.modrm;
        out.repeat = row.encoding().mandatoryRepeat() ? 0 : lastRepeat;
        sizes(row, out);
        out.memory = modrm >= 0 && modrm < 0xc0 && (shape & Row.SHAPE_NO_MEMORY) == 0;
        if (!registers(shape, out)) {
            return INVALID;
        }
        if (out.lock && !lockable(row, out)) {
            return INVALID;
        }
        out.base = NO_REGISTER;
        out.index = NO_REGISTER;
        out.scale = 0;
        out.displacement = 0;
        out.segment = X86.DS;
        if (out.memory && !(out.addressSize == 2 ? memory16(out) : memory(out))) {
            return INCOMPLETE;
        }
        if (out.segmentOverride >= 0) {
            out.segment = out.segmentOverride;
        }
        return immediates(shape, out) ? 0 : INCOMPLETE;
    }

    /** Whether LOCK may stand before it. */
    private boolean lockable(Row row, Instruction out) {
        if (row.has(Row.LOCKABLE) && out.memory) {
            return true;
        }
        // AMD's way to CR8 outside 64-bit mode: LOCK MOV of CR0 (APM volume 3, MOV CRn).
        if (!alternativeCr8 || (row.shape() & Row.SHAPE_CONTROL) == 0 || out.reg != 0) {
            return false;
        }
        out.lock = false;
        out.reg = 8;
        return true;
    }

    private void sizes(Row row, Instruction out) {
        boolean small = out.operandSizePrefix && !row.encoding().mandatory66();
        if (out.mode == 64) {
            out.addressSize = prefix67 ? 4 : 8;
            boolean wide = (out.rex & 8) != 0 && !row.has(Row.FAR_MEMORY);
            if (row.has(Row.NEAR_BRANCH) && !nearBranchPrefix) {
                small = false;
            }
            if (wide || row.has(Row.NATIVE_SIZE)) {
                out.operandSize = 8;
            } else {
                out.operandSize = small ? 2 : row.has(Row.DEFAULT_64) ? 8 : 4;
            }
        } else {
            boolean code16 = out.mode == 16;
            out.addressSize = code16 != prefix67 ? 2 : 4;
            out.operandSize = row.has(Row.NATIVE_SIZE) || code16 == small ? 4 : 2;
        }
    }

    /** Register numbers; false if there is no such register. */
    private static boolean registers(int shape, Instruction out) {
        int modrm = out.modrm;
        int rex = out.rex;
        out.reg = 0;
        out.rm = NO_REGISTER;
        if (modrm >= 0) {
            out.reg = modrm >> 3 & 7 | ((shape & Row.SHAPE_REG_8) != 0 ? 0 : (rex & 4) << 1);
            if (!out.memory) {
                out.rm = modrm & 7 | ((shape & Row.SHAPE_RM_8) != 0 ? 0 : (rex & 1) << 3);
            }
        } else if ((shape & Row.SHAPE_OPCODE_REGISTER) != 0) {
            out.rm = out.opcode & 7 | (rex & 1) << 3;
        }
        if ((shape & Row.SHAPE_SEGMENT) != 0 && out.reg > X86.GS) {
            return false;
        }
        if ((shape & Row.SHAPE_CONTROL) != 0 && (CONTROL_REGISTERS >> out.reg & 1) == 0) {
            return false;
        }
        return (shape & Row.SHAPE_DEBUG) == 0 || out.reg < 8;
    }

    /** A memory operand with 32- or 64-bit addresses; false if bytes are missing. */
    private boolean memory(Instruction out) {
        int mod = out.modrm >> 6;
        int rm = out.modrm & 7;
        int rex = out.rex;
        boolean noBase = rm == 5 && mod == 0;
        if (rm == 4) {
            int sib = next();
            if (sib < 0) {
                return false;
            }
            int index = sib >> 3 & 7 | (rex & 2) << 2;
            if (index != 4) {
                out.index = index;
            }
            out.scale = sib >> 6;
            rm = sib & 7;
            noBase = rm == 5 && mod == 0;
        } else if (noBase && out.mode == 64) {
            out.base = Instruction.RIP_RELATIVE;
        }
        if (!noBase) {
            out.base = rm | (rex & 1) << 3;
            if (out.base == X86.RSP || out.base == X86.RBP) {
                out.segment = X86.SS;
            }
        }
        return displacement(mod == 1 ? 1 : mod == 2 || noBase ? 4 : 0, out);
    }

    /** A memory operand with 16-bit addresses; false if bytes are missing. */
    private boolean memory16(Instruction out) {
        int mod = out.modrm >> 6;
        int rm = out.modrm & 7;
        boolean noBase = rm == 6 && mod == 0;
        if (!noBase) {
            out.base = BASE_16[rm];
            out.index = INDEX_16[rm];
            if (out.base == X86.RBP) {
                out.segment = X86.SS;
            }
        }
        return displacement(mod == 1 ? 1 : mod == 2 || noBase ? 2 : 0, out);
    }

    private boolean displacement(int bytes, Instruction out) {
        if (end - at < bytes) {
            return false;
        }
        out.displacement = signed(bytes);
        return true;
    }

    private boolean immediates(int shape, Instruction out) {
        out.immediate = 0;
        out.immediate2 = 0;
        int z = Math.min(4, out.operandSize);
        int kind = shape & Row.IMMEDIATE_MASK;
        boolean second = (shape & Row.SHAPE_IMMEDIATE2) != 0;
        int bytes =
                switch (kind) {
                    case 0 -> 0;
                    case Row.IMM_BYTE, Row.IMM_SIGNED_BYTE, Row.IMM_REL8 -> 1;
                    case Row.IMM_WORD -> 2;
                    case Row.IMM_V -> out.operandSize;
                    case Row.IMM_MOFFS -> out.addressSize;
                    case Row.IMM_FAR -> z + 2;
                    default -> z;
                };
        if (end - at < bytes + (second ? 1 : 0)) {
            return false;
        }
        switch (kind) {
            case 0 -> {}
            case Row.IMM_BYTE -> out.immediate = signed(1) & 0xff;
            case Row.IMM_WORD -> out.immediate = signed(2) & 0xffff;
            case Row.IMM_SIGNED_BYTE, Row.IMM_Z, Row.IMM_V -> {
                long value = signed(bytes);
                out.immediate = out.operandSize == 2 ? value & 0xffff : value;
            }
            case Row.IMM_REL8, Row.IMM_REL -> out.immediate = signed(bytes);
            case Row.IMM_MOFFS -> {
                long value = signed(bytes);
                out.displacement =
                        bytes == 8 ? value : value & (bytes == 2 ? 0xffffL : 0xffffffffL);
            }
            default -> {
                out.immediate = signed(z) & (z == 2 ? 0xffffL : 0xffffffffL);
                out.immediate2 = signed(2) & 0xffff;
            }
        }
        if (second) {
            out.immediate2 = signed(1) & 0xff;
        }
        return true;
    }

    /** The next 0, 1, 2, 4 or 8 bytes, sign-extended. They must be there. */
    private long signed(int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (code[at++] & 0xffL) << 8 * i;
        }
        int shift = 64 - 8 * bytes;
        return bytes == 0 ? 0 : value << shift >> shift;
    }

    // ---- VEX, EVEX and XOP (APM volume 3, section 1.2.7 and on; SDM volume 2, sections 2.3 and
    // 2.7)

    /** Whether these two bytes begin a prefix, not LES, LDS, BOUND or POP. */
    private static boolean isVectorPrefix(int mode, int first, int second) {
        return first == 0x8f ? (second & 0x1f) >= 8 : mode == 64 || second >= 0xc0;
    }

    private int vector(int first, int second, Instruction out) {
        if (out.lock || lastRepeat != 0 || out.operandSizePrefix || out.rex != 0) {
            return INVALID;
        }
        // The short form is the long one with fixed bits.
        boolean shortForm = first == 0xc5;
        int p0 = shortForm ? second & 0x80 | 0x61 : second;
        int p1 = shortForm ? second & 0x7f : next();
        int p2 = first == 0x62 ? next() : 0;
        int opcode = next();
        if (p1 < 0 || p2 < 0 || opcode < 0) {
            return INCOMPLETE;
        }
        boolean evex = first == 0x62;
        out.space = evex ? Encoding.EVEX : first == 0x8f ? Encoding.XOP : Encoding.VEX;
        if (evex && ((p0 & 8) != 0 || (p1 & 4) == 0)) {
            return INVALID;
        }
        int map = p0 & (evex ? 7 : 0x1f);
        out.opcode = opcode;
        int modrm = 0xc0;
        // VZEROUPPER and VZEROALL are the only ones without ModRM.
        boolean bare = first != 0x62 && first != 0x8f && map == 1 && opcode == 0x77;
        if (!bare) {
            modrm = next();
            if (modrm < 0) {
                return INCOMPLETE;
            }
        }
        out.modrm = modrm;
        vectorFields(p0, p1, p2, evex, out);
        boolean b = (p2 & 0x10) != 0;
        boolean rounds = b && modrm >= 0xc0;
        int length = evex ? p2 >> 5 & 3 : p1 >> 2 & 1;
        if (length == 3 && !rounds) {
            return INVALID;
        }
        int mode = out.mode == 64 ? 1 : 0;
        int wide = p1 >> 7 & 1;
        int effective = rounds ? 2 : length;
        Row row = table.findVector(out.space, map, opcode, p1 & 3, wide, effective, mode, modrm);
        if (row.id() < 0) {
            return INVALID;
        }
        out.row = row;
        boolean scalar = (row.shape() & Row.SHAPE_NO_LENGTH) != 0;
        out.vectorLength = scalar ? 16 : 16 << effective;
        if (bare) {
            out.modrm = -1;
        }
        return evexFields(row, p2, length, out) ? vectorOperands(row, out) : INVALID;
    }

    /** What the prefix says about registers and sizes. */
    private void vectorFields(int p0, int p1, int p2, boolean evex, Instruction out) {
        boolean long64 = out.mode == 64;
        out.wide = (p1 & 0x80) != 0;
        // R, X and B are inverted. Outside 64-bit mode there are no further registers.
        out.rex = long64 ? 0x40 | ~p0 >> 5 & 7 | (out.wide ? 8 : 0) : 0;
        out.vvvv = ~p1 >> 3 & 15;
        highReg = evex && long64 ? ~p0 & 0x10 : 0;
        highVvvv = evex ? ~p2 << 1 & 0x10 : 0;
        out.repeat = 0;
        out.operandSize = long64 && out.wide ? 8 : 4;
        boolean code16 = out.mode == 16;
        out.addressSize = long64 ? prefix67 ? 4 : 8 : code16 != prefix67 ? 2 : 4;
    }

    /** Opmask, zeroing, broadcast and rounding; false if the instruction does not have them. */
    private static boolean evexFields(Row row, int p2, int length, Instruction out) {
        int shape = row.shape();
        boolean b = (p2 & 0x10) != 0;
        boolean memory = out.modrm >= 0 && out.modrm < 0xc0;
        out.mask = p2 & 7;
        out.zeroing = (p2 & 0x80) != 0;
        out.broadcast = 0;
        out.rounding = Instruction.NO_ROUNDING;
        if (b && memory) {
            out.broadcast = broadcast(shape);
            if (out.broadcast == 0) {
                return false;
            }
        } else if (b) {
            if ((shape & (Row.SHAPE_ROUNDING | Row.SHAPE_SAE | Row.SHAPE_EXACT)) == 0) {
                return false;
            }
            out.rounding =
                    (shape & Row.SHAPE_EXACT) != 0
                            ? Instruction.NO_ROUNDING
                            : (shape & Row.SHAPE_ROUNDING) != 0 ? length : Instruction.SUPPRESS;
        }
        boolean mergesOnly =
                (shape & Row.SHAPE_ZEROING) == 0
                        || memory && row.operands().getFirst().kind() == OperandKind.XMM_RM;
        if (out.zeroing && (out.mask == 0 || mergesOnly)) {
            return false;
        }
        return out.mask == 0 ? (shape & Row.SHAPE_MASK_NEEDED) == 0 : (shape & Row.SHAPE_MASK) != 0;
    }

    private static int broadcast(int shape) {
        return (shape & Row.SHAPE_BROADCAST_2) != 0
                ? 2
                : (shape & Row.SHAPE_BROADCAST_4) != 0
                        ? 4
                        : (shape & Row.SHAPE_BROADCAST_8) != 0 ? 8 : 0;
    }

    private int vectorOperands(Row row, Instruction out) {
        int shape = row.shape();
        out.memory = out.modrm >= 0 && out.modrm < 0xc0;
        if (!vectorRegisters(row, out)) {
            return INVALID;
        }
        out.base = NO_REGISTER;
        out.index = NO_REGISTER;
        out.scale = 0;
        out.displacement = 0;
        out.segment = X86.DS;
        if (out.memory) {
            boolean indexed = (shape & Row.SHAPE_VECTOR_INDEX) != 0;
            if (indexed && (out.addressSize == 2 || (out.modrm & 7) != 4)) {
                return INVALID;
            }
            if (!(out.addressSize == 2 ? memory16(out) : memory(out))) {
                return INCOMPLETE;
            }
            if (indexed) {
                // As an index of vectors, number 4 is a register too.
                out.index = (out.index < 0 ? 4 : out.index) | highVvvv;
                if ((shape & Row.SHAPE_DISTINCT) != 0 && !distinct(out)) {
                    return INVALID;
                }
            }
            if (out.space == Encoding.EVEX && out.modrm >> 6 == 1) {
                out.displacement *= unit(row, out);
            }
        }
        if (out.segmentOverride >= 0) {
            out.segment = out.segmentOverride;
        }
        return immediates(shape, out) ? 0 : INCOMPLETE;
    }

    /** Register numbers; false if there is no such register. */
    private boolean vectorRegisters(Row row, Instruction out) {
        int shape = row.shape();
        int modrm = out.modrm;
        int rex = out.rex;
        boolean evex = out.space == Encoding.EVEX;
        out.reg = 0;
        out.rm = NO_REGISTER;
        if (modrm >= 0) {
            out.reg = modrm >> 3 & 7 | (rex & 4) << 1;
            if ((shape & Row.SHAPE_REG_VECTOR) != 0) {
                out.reg |= highReg;
            } else if ((shape & Row.SHAPE_REG_MASK) != 0 && (out.reg > 7 || highReg != 0)) {
                return false;
            } else if (highReg != 0 && row.encoding().regs() == 0xff) {
                // There are only 16 general registers; an opcode extension does not look.
                return false;
            }
            if (!out.memory) {
                boolean high = evex && (shape & Row.SHAPE_RM_VECTOR) != 0;
                out.rm = modrm & 7 | (rex & 1) << 3 | (high ? (rex & 2) << 3 : 0);
            }
        }
        boolean indexed = (shape & Row.SHAPE_VECTOR_INDEX) != 0;
        if (out.mode != 64) {
            if (highVvvv != 0) {
                return false;
            }
            // The highest bit does not count, but where none may be set.
            out.vvvv &= (shape & Row.SHAPE_VVVV) == 0 ? 15 : 7;
        }
        if ((shape & Row.SHAPE_VVVV) == 0) {
            return out.vvvv == 0 && (indexed || highVvvv == 0);
        }
        if ((shape & Row.SHAPE_VVVV_PLAIN) == 0) {
            out.vvvv |= highVvvv;
            return true;
        }
        return highVvvv == 0 && ((shape & Row.SHAPE_REG_MASK) == 0 || out.vvvv < 8);
    }

    /** Destination, index and the mask of a gather are different registers. */
    private static boolean distinct(Instruction out) {
        boolean two = out.reg != out.index;
        return out.space == Encoding.EVEX
                ? two
                : two && out.vvvv != out.reg && out.vvvv != out.index;
    }

    /** What a displacement of one byte counts: the bytes that the memory operand has. */
    private static int unit(Row row, Instruction out) {
        if (out.broadcast != 0) {
            return out.broadcast;
        }
        if ((row.shape() & Row.SHAPE_ELEMENT) != 0) {
            boolean small = row.feature() == Feature.AVX512VBMI2;
            return small ? out.wide ? 2 : 1 : out.wide ? 8 : 4;
        }
        for (Operand o : row.operands()) {
            switch (o.kind()) {
                case XMM_RM, MEMORY, RM -> {
                    return o.bytes(out);
                }
                case VECTOR_INDEXED -> {
                    return out.wide ? 8 : 4;
                }
                default -> {}
            }
        }
        return 1;
    }
}

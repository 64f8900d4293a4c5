package org.alcazar.engines.x86.isa;

/**
 * When a row is meant: its opcode and the conditions on prefixes, mode and ModRM.
 *
 * @param space what leads to the opcode: {@link #PLAIN}, {@link #VEX}, {@link #EVEX}, {@link #XOP}
 * @param map 0 one-byte opcodes, 1 0F, 2 0F 38, 3 0F 3A; else as the prefix numbers them
 * @param opcode last opcode byte
 * @param count 8 if the low three bits of the opcode are a register, else 1
 * @param prefixes mask of the prefix classes that it allows: {@link #NONE}, {@link #P66}, {@link
 *     #PF3}, {@link #PF2}
 * @param modes mask of {@link #LEGACY}, {@link #LONG}, {@link #LONG_W}
 * @param modrm whether a ModRM byte follows
 * @param memory whether ModRM may name memory
 * @param register whether ModRM may name a register
 * @param regs mask of the values of ModRM.reg that it allows
 * @param rms mask of the values of ModRM.rm that it allows in register form
 * @param lengths mask of the vector lengths that it allows, bit 0 for 128 bits; all if there are
 *     none
 * @param widths mask of the values of W that it allows; all for {@link #PLAIN}, which has modes
 * @param overrides takes the place of another row where both match, if its feature is enabled
 */
public record Encoding(
        int space,
        int map,
        int opcode,
        int count,
        int prefixes,
        int modes,
        boolean modrm,
        boolean memory,
        boolean register,
        int regs,
        int rms,
        int lengths,
        int widths,
        boolean overrides) {
    /** Values of {@link #space}: legacy opcodes, with or without REX. */
    public static final int PLAIN = 0;

    public static final int VEX = 1;
    public static final int EVEX = 2;
    public static final int XOP = 3;

    /** Neither 66 nor F2 nor F3. */
    public static final int NONE = 1;

    /** 66 without F2 and F3. */
    public static final int P66 = 2;

    /** F3, after any F2; 66 or not. */
    public static final int PF3 = 4;

    /** F2, after any F3; 66 or not. */
    public static final int PF2 = 8;

    public static final int ANY_PREFIX = 15;

    /** 16-bit and 32-bit code. */
    public static final int LEGACY = 1;

    /** 64-bit code without REX.W. */
    public static final int LONG = 2;

    /** 64-bit code with REX.W. */
    public static final int LONG_W = 4;

    public static final int ANY_MODE = 7;

    /** Whether F2 or F3 selects this row among others, so that it is not a repeat prefix here. */
    public boolean mandatoryRepeat() {
        return (prefixes & (NONE | P66)) == 0;
    }

    /** Whether 66 selects this row among others. */
    public boolean mandatory66() {
        return prefixes == P66;
    }

    boolean restrictsRm() {
        return rms != 0xff;
    }

    boolean restrictsModrm() {
        return modrm && !(memory && register && regs == 0xff && rms == 0xff);
    }

    /** Whether both may mean the same bytes. */
    boolean overlaps(Encoding other) {
        boolean forms =
                !modrm
                        || !other.modrm
                        || (regs & other.regs) != 0
                                && (memory && other.memory
                                        || register && other.register && (rms & other.rms) != 0);
        return space == other.space
                && map == other.map
                && (lengths & other.lengths) != 0
                && (widths & other.widths) != 0
                && opcode < other.opcode + other.count
                && other.opcode < opcode + count
                && (prefixes & other.prefixes) != 0
                && (modes & other.modes) != 0
                && forms;
    }
}

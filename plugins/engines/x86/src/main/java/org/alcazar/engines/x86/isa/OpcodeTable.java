package org.alcazar.engines.x86.isa;

import java.util.List;
import java.util.Set;

/**
 * The instruction set: all rows, and a fast way from opcode bytes to a row.
 *
 * <p>The rows are lines of the {@code *.table} resources beside this class. A line has five
 * columns, separated by bars:
 *
 * <ol>
 *   <li>Opcode bytes in hex ({@code 0f 38 f0}) and conditions. {@code +r}: a register in the low
 *       three bits; {@code +c}: 16 opcodes, one for each condition, whose name is appended to the
 *       mnemonic. {@code /r} a ModRM byte follows, {@code /3} with this reg, {@code /4-7} one of
 *       these, then {@code m} or {@code r} for memory or register form only, then {@code 0} to
 *       {@code 7} for one value of rm only; {@code /r*} mod is ignored. Prefixes: {@code np} none
 *       of 66, F2, F3; {@code nf} neither F2 nor F3; {@code 66}, {@code f2}, {@code f3} this one;
 *       {@code !f3} all but F3; else all. Modes: {@code i64} invalid in and {@code o64} only in
 *       64-bit mode, {@code w0} and {@code w1} without and with REX.W. Opcodes behind VEX, EVEX and
 *       XOP prefixes begin with the prefix as the manuals write it, {@code vex.128.66.0f38.w0}:
 *       what it does not name may be anything; {@code lig}: the length means nothing, {@code 256+}:
 *       256 or 512.
 *   <li>Mnemonic, or three of them by operand size; after {@code =} AT&T's if it differs.
 *   <li>Operands in Intel order by the letters of the manuals' opcode maps, without prefix read
 *       only, with {@code =} written only, with {@code +} both; in parentheses if assembly text
 *       leaves them out. {@code Is} is a sign-extended byte, {@code I2} a second immediate byte.
 *       {@code K}, {@code F}, {@code T} are opmasks by reg, rm and vvvv, {@code v} is memory with a
 *       vector of indices; sizes {@code x}, {@code xh}, {@code xq}, {@code xo} the vector length
 *       and parts of it.
 *   <li>Class and method in package {@code semantics}.
 *   <li>Traits; {@code +feature}; {@code u:} and letters of undefined flags (oszapc), {@code uc:}
 *       of those undefined depending on a count. For EVEX: {@code k}, {@code kz} an opmask may
 *       merge, or zero as well, {@code kn} it must be there; {@code b2}, {@code b4}, {@code b8} an
 *       element of these bytes may be broadcast; {@code er}, {@code sae} on registers, {@code
 *       exact} where they are ignored. {@code ^feature}: that of the form with 256 bits. {@code
 *       dist}: registers must differ; {@code e}: displacements count elements.
 * </ol>
 *
 * <p>A line {@code @ …} gives extras for all lines up to the next one.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class OpcodeTable {
    /** What {@link #grain} says about the four opcodes that may begin a VEX, EVEX or XOP prefix. */
    public static final int ESCAPE = 4;

    private static final int MAPS = 4;

    /** Maps of the other spaces: VEX 1 to 3, EVEX 1 to 6, XOP 8 to 10. */
    private static final int VECTOR_MAPS = 12;

    private static final int PREFIXES = 4;
    private static final int MODES = 3;

    private static final class Holder {
        static final List<Row> ROWS = TableReader.readAll();
        static final OpcodeTable STANDARD = new OpcodeTable(Feature.IMPLEMENTED);
    }

    private static final class VectorHolder {
        static final List<Row> ROWS = TableReader.readVectors(Holder.ROWS);
    }

    private final Set<Feature> features;

    /**
     * By map, opcode: 0 no ModRM byte, 1 there is one, 2 reg or mod selects rows, 3 rm does too.
     */
    private final byte[] grain = new byte[MAPS * 256];

    /** By map, opcode, prefix class, mode class. */
    private final Row[] direct = new Row[MAPS * 256 * PREFIXES * MODES];

    private final Row[][] groups = new Row[MAPS * 256 * PREFIXES * MODES][];

    /** Rows behind VEX, EVEX and XOP prefixes, by map and opcode: few have to be looked at. */
    private final Row[][] vectors = new Row[VECTOR_MAPS * 256][];

    private OpcodeTable(Set<Feature> features) {
        this.features = features;
        java.util.Arrays.fill(direct, Row.NONE);
        java.util.Arrays.fill(vectors, NO_ROWS);
        boolean vector = features.contains(Feature.AVX) || features.contains(Feature.XOP);
        List<Row> rows = vector ? VectorHolder.ROWS : Holder.ROWS;
        for (Row row : rows) {
            if (enables(row) && row.encoding().space() == Encoding.PLAIN) {
                noteGrain(row.encoding());
            }
        }
        for (int code : ESCAPES) {
            grain[code] = ESCAPE;
        }
        // Those that override come second.
        for (Row row : rows) {
            if (!row.encoding().overrides() && enables(row)) {
                enter(row);
            }
        }
        for (Row row : rows) {
            if (row.encoding().overrides() && enables(row)) {
                enter(row);
            }
        }
    }

    /**
     * Whether a row's features are all there: vector forms of another extension's instructions
     * (VAES, GFNI …) need AVX or AVX-512 as well.
     */
    public boolean enables(Row row) {
        boolean vector = (row.shape() & Row.SHAPE_VECTOR) != 0;
        return features.contains(row.feature())
                && switch (row.encoding().space()) {
                    case Encoding.VEX -> !vector || features.contains(Feature.AVX);
                    case Encoding.EVEX -> features.contains(Feature.AVX512F);
                    default -> true;
                };
    }

    private static final Row[] NO_ROWS = {};

    private static final int[] ESCAPES = {0x62, 0x8f, 0xc4, 0xc5};

    /** All rows, whatever their feature; {@code rows().get(i).id() == i}. */
    public static List<Row> rows() {
        return VectorHolder.ROWS;
    }

    /** The table with all features that the engine implements. */
    public static OpcodeTable standard() {
        return Holder.STANDARD;
    }

    /** A table in which only rows of these features are valid. */
    public static OpcodeTable of(Set<Feature> features) {
        return new OpcodeTable(Set.copyOf(features));
    }

    /** A table in which every row is valid: for disassembly of foreign code. */
    public static OpcodeTable complete() {
        return new OpcodeTable(Set.of(Feature.values()));
    }

    public Set<Feature> features() {
        return features;
    }

    /**
     * Whether a ModRM byte follows this opcode: 0 if not, {@link #ESCAPE} if it may be the second
     * byte of a prefix.
     */
    public int modrm(int map, int opcode) {
        return grain[map << 8 | opcode];
    }

    /**
     * The row for an opcode behind a VEX, EVEX or XOP prefix.
     *
     * @param space {@link Encoding#VEX}, {@link Encoding#EVEX} or {@link Encoding#XOP}
     * @param map as the prefix numbers it
     * @param prefix pp
     * @param wide W
     * @param length 0 for 128 bits to 3
     * @param mode 0 legacy, 1 64-bit
     * @return {@link Row#NONE} if it is invalid
     */
    public Row findVector(
            int space, int map, int opcode, int prefix, int wide, int length, int mode, int modrm) {
        int slot = vectorMap(space, map);
        if (slot < 0) {
            return Row.NONE;
        }
        for (Row row : vectors[slot << 8 | opcode]) {
            Encoding e = row.encoding();
            boolean matches =
                    (e.prefixes() >> prefix & 1) != 0
                            && (e.widths() >> wide & 1) != 0
                            && (e.modes() >> mode & 1) != 0
                            && ((row.shape() & Row.SHAPE_NO_LENGTH) != 0
                                    || (e.lengths() >> length & 1) != 0)
                            && (e.regs() >> (modrm >> 3 & 7) & 1) != 0;
            boolean form =
                    modrm < 0xc0 ? e.memory() : e.register() && (e.rms() >> (modrm & 7) & 1) != 0;
            if (matches && form && lengthEnabled(row, length)) {
                return row;
            }
        }
        return Row.NONE;
    }

    /** Forms of 128 and 256 bits of AVX-512 instructions are a feature of their own. */
    private boolean lengthEnabled(Row row, int length) {
        return row.encoding().space() != Encoding.EVEX
                || length >= 2
                || (row.shape() & Row.SHAPE_NO_LENGTH) != 0
                || (row.encoding().lengths() & 4) == 0
                || features.contains(Feature.AVX512VL);
    }

    /** Place of a map among those of all spaces, or -1. */
    private static int vectorMap(int space, int map) {
        return switch (space) {
            case Encoding.VEX -> map >= 1 && map <= 3 ? map - 1 : -1;
            case Encoding.EVEX -> map >= 1 && map <= 6 && map != 4 ? map + 2 : -1;
            default -> map >= 8 && map <= 10 ? map + 1 : -1;
        };
    }

    /**
     * The row for an opcode.
     *
     * @param map 0 to 3 as in {@link Encoding}
     * @param opcode last opcode byte
     * @param prefix class: 0 none, 1 66, 2 F3, 3 F2
     * @param mode class: 0 legacy, 1 64-bit, 2 64-bit with REX.W
     * @param modrm the ModRM byte, anything if there is none
     * @return {@link Row#NONE} if it is invalid
     */
    public Row find(int map, int opcode, int prefix, int mode, int modrm) {
        int slot = slot(map << 8 | opcode, prefix, mode);
        Row[] group = groups[slot];
        if (group == null) {
            return direct[slot];
        }
        int reg = modrm >> 3 & 7;
        if (modrm < 0xc0) {
            return group[reg];
        }
        return group.length == 16 ? group[8 + reg] : group[8 + (modrm & 63)];
    }

    private static int slot(int code, int prefix, int mode) {
        return (code * PREFIXES + prefix) * MODES + mode;
    }

    private void noteGrain(Encoding e) {
        int needed = !e.modrm() ? 0 : e.restrictsRm() ? 3 : e.restrictsModrm() ? 2 : 1;
        for (int i = 0; i < e.count(); i++) {
            int code = e.map() << 8 | e.opcode() + i;
            grain[code] = (byte) Math.max(grain[code], needed);
        }
    }

    private void enter(Row row) {
        Encoding e = row.encoding();
        if (e.space() != Encoding.PLAIN) {
            int slot = vectorMap(e.space(), e.map()) << 8 | e.opcode();
            for (int i = 0; i < e.count(); i++) {
                Row[] old = vectors[slot + i];
                Row[] more = java.util.Arrays.copyOf(old, old.length + 1);
                more[old.length] = row;
                vectors[slot + i] = more;
            }
            return;
        }
        for (int i = 0; i < e.count(); i++) {
            int code = e.map() << 8 | e.opcode() + i;
            for (int prefix = 0; prefix < PREFIXES; prefix++) {
                for (int mode = 0; mode < MODES; mode++) {
                    if ((e.prefixes() >> prefix & 1) != 0 && (e.modes() >> mode & 1) != 0) {
                        enter(row, slot(code, prefix, mode), grain[code]);
                    }
                }
            }
        }
    }

    private void enter(Row row, int slot, int grain) {
        if (grain < 2) {
            direct[slot] = row;
            return;
        }
        Row[] group = groups[slot];
        if (group == null) {
            group = new Row[grain == 2 ? 16 : 72];
            java.util.Arrays.fill(group, Row.NONE);
            groups[slot] = group;
        }
        Encoding e = row.encoding();
        for (int reg = 0; reg < 8; reg++) {
            if ((e.regs() >> reg & 1) == 0) {
                continue;
            }
            if (e.memory()) {
                group[reg] = row;
            }
            if (e.register() && grain == 2) {
                group[8 + reg] = row;
            } else if (e.register()) {
                for (int rm = 0; rm < 8; rm++) {
                    if ((e.rms() >> rm & 1) != 0) {
                        group[8 + reg * 8 + rm] = row;
                    }
                }
            }
        }
    }
}

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
 *       64-bit mode, {@code w0} and {@code w1} without and with REX.W.
 *   <li>Mnemonic, or three of them by operand size; after {@code =} AT&T's if it differs.
 *   <li>Operands in Intel order by the letters of the manuals' opcode maps, without prefix read
 *       only, with {@code =} written only, with {@code +} both; in parentheses if assembly text
 *       leaves them out. {@code Is} is a sign-extended byte, {@code I2} a second immediate byte.
 *   <li>Class and method in package {@code semantics}.
 *   <li>Traits; {@code +feature}; {@code u:} and letters of undefined flags (oszapc), {@code uc:}
 *       of those undefined depending on a count.
 * </ol>
 *
 * <p>A line {@code @ …} gives extras for all lines up to the next one.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class OpcodeTable {
    private static final int MAPS = 4;
    private static final int PREFIXES = 4;
    private static final int MODES = 3;

    private static final class Holder {
        static final List<Row> ROWS = TableReader.readAll();
        static final OpcodeTable STANDARD = new OpcodeTable(Feature.IMPLEMENTED);
    }

    private final Set<Feature> features;

    /**
     * By map, opcode: 0 no ModRM byte, 1 there is one, 2 reg or mod selects rows, 3 rm does too.
     */
    private final byte[] grain = new byte[MAPS * 256];

    /** By map, opcode, prefix class, mode class. */
    private final Row[] direct = new Row[MAPS * 256 * PREFIXES * MODES];

    private final Row[][] groups = new Row[MAPS * 256 * PREFIXES * MODES][];

    private OpcodeTable(Set<Feature> features) {
        this.features = features;
        java.util.Arrays.fill(direct, Row.NONE);
        List<Row> rows = Holder.ROWS;
        for (Row row : rows) {
            if (features.contains(row.feature())) {
                noteGrain(row.encoding());
            }
        }
        // Those that override come second.
        for (Row row : rows) {
            if (!row.encoding().overrides() && features.contains(row.feature())) {
                enter(row);
            }
        }
        for (Row row : rows) {
            if (row.encoding().overrides() && features.contains(row.feature())) {
                enter(row);
            }
        }
    }

    /** All rows, whatever their feature; {@code rows().get(i).id() == i}. */
    public static List<Row> rows() {
        return Holder.ROWS;
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

    /** Whether a ModRM byte follows this opcode. */
    public boolean hasModrm(int map, int opcode) {
        return grain[map << 8 | opcode] != 0;
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

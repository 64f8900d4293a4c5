package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What gets cases of its own: a row of the table in a mode, at an operand size, with a register or
 * memory, and perhaps LOCK or REP.
 *
 * @param mode 64, 32 or 16
 * @param size operand size in bytes; 0 if the row does not know operand sizes
 * @param memory whether ModRM names memory
 * @param prefix 0, 0xf0, 0xf2 or 0xf3
 */
record Form(Row row, int mode, int size, boolean memory, int prefix) {
    /** All forms of rows whose feature is in a set and that {@link Exclusions} does not name. */
    static List<Form> all(List<Row> rows, Set<Feature> features) {
        return all(rows, features, row -> !Exclusions.excludes(row));
    }

    /** All forms of rows whose feature is in a set and that a filter lets pass. */
    static List<Form> all(List<Row> rows, Set<Feature> features, Predicate<Row> filter) {
        List<Form> forms = new ArrayList<>();
        for (Row row : rows) {
            if (features.contains(row.feature()) && filter.test(row)) {
                add(forms, row);
            }
        }
        return forms;
    }

    private static void add(List<Form> forms, Row row) {
        Encoding e = row.encoding();
        for (int mode : new int[] {64, 32, 16}) {
            int wanted = mode == 64 ? Encoding.LONG | Encoding.LONG_W : Encoding.LEGACY;
            if ((e.modes() & wanted) == 0) {
                continue;
            }
            for (int size : sizes(row, mode)) {
                if (e.memory() || !e.modrm()) {
                    addPrefixes(forms, row, mode, size, e.modrm());
                }
                if (e.modrm() && e.register()) {
                    forms.add(new Form(row, mode, size, false, 0));
                }
            }
        }
    }

    private static void addPrefixes(List<Form> forms, Row row, int mode, int size, boolean memory) {
        forms.add(new Form(row, mode, size, memory, 0));
        if (row.has(Row.LOCKABLE)) {
            forms.add(new Form(row, mode, size, memory, 0xf0));
        }
        if (row.has(Row.REPEATABLE)) {
            forms.add(new Form(row, mode, size, memory, 0xf3));
            forms.add(new Form(row, mode, size, memory, 0xf2));
        }
    }

    private static int[] sizes(Row row, int mode) {
        if (!knowsSizes(row)) {
            return new int[] {0};
        }
        boolean vex = row.encoding().space() != Encoding.PLAIN;
        if (mode != 64) {
            return vex ? new int[] {4} : new int[] {2, 4};
        }
        if (vex) {
            return new int[] {4, 8};
        }
        int modes = row.encoding().modes();
        boolean narrow = (modes & Encoding.LONG) != 0;
        boolean wide = (modes & Encoding.LONG_W) != 0;
        boolean byDefault = row.has(Row.DEFAULT_64);
        if (row.has(Row.NATIVE_SIZE) || !narrow) {
            return new int[] {8};
        }
        if (row.has(Row.FAR_MEMORY) || !wide) {
            return new int[] {2, 4};
        }
        return byDefault ? new int[] {2, 8} : new int[] {2, 4, 8};
    }

    private static boolean knowsSizes(Row row) {
        boolean vex = row.encoding().space() != Encoding.PLAIN;
        if (!vex && row.encoding().mandatory66()) {
            return row.operands().stream().anyMatch(o -> o.size() == OperandSize.Y);
        }
        for (Operand o : row.operands()) {
            switch (o.size()) {
                case V, Z, Y -> {
                    return true;
                }
                default -> {}
            }
        }
        return row.mnemonic().contains("/")
                || row.semantics().matches("(Stack|FarTransfers|Branches|X87State)\\..*")
                || row.has(Row.FAR_MEMORY);
    }

    String name() {
        StringBuilder s = new StringBuilder();
        Encoding e = row.encoding();
        s.append(mode).append("-bit ");
        if (e.space() == Encoding.VEX) {
            s.append("vex ");
        }
        if (prefix != 0) {
            s.append(prefix == 0xf0 ? "lock " : prefix == 0xf3 ? "rep " : "repne ");
        }
        s.append(row.mnemonic()).append(' ').append(Integer.toHexString(e.map()));
        s.append(':').append(Integer.toHexString(e.opcode()));
        if (e.modrm()) {
            s.append('/').append(Integer.toHexString(e.regs()));
            s.append(memory ? " memory" : " register");
        }
        s.append(" p").append(e.prefixes());
        if (size != 0) {
            s.append(' ').append(8 * size).append(" bits");
        }
        return s.toString();
    }
}

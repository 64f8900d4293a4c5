package org.alcazar.engines.x86.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

class CompletenessTest {
    private static final String PACKAGE = "org.alcazar.engines.x86.semantics.";

    /** Size suffixes of methods: add32, btIn16 (memory form), movzx32From8. */
    private static final Pattern SIZED =
            Pattern.compile("(\\w*?[a-zA-Z_]\\w*?)(In)?(8|16|32|64)(From(8|16|32))?");

    /** Public methods of instruction classes that serve the engine, not a row. */
    private static final Set<String> HELPERS =
            Set.of("Branches.condition", "Mmx.enter", "Mmx.write", "SystemInstructions.tooLong");

    @Test
    @DisplayName("every row of an announced feature has its method of semantics")
    void rowsHaveMethods() {
        Set<String> missing = new TreeSet<>();
        for (Row row : OpcodeTable.rows()) {
            if (OpcodeTable.standard().enables(row) && !hasMethod(row)) {
                missing.add(row.semantics() + " for " + row.encoding() + " " + row.mnemonic());
            }
        }
        assertEquals(Set.of(), missing);
    }

    @Test
    @DisplayName("the row of invalid opcodes has its method too")
    void invalidRow() {
        assertEquals(true, hasMethod(Row.NONE));
    }

    @Test
    @DisplayName("every public method of an instruction class is named by a row")
    void methodsHaveRows() {
        Set<String> named = new HashSet<>();
        Set<String> classes = new TreeSet<>();
        for (Row row : OpcodeTable.rows()) {
            named.add(row.semantics());
            classes.add(className(row));
            if (row.semantics().equals("Branches.jcc")) {
                // The conditions have methods of their own too.
                named.add("Branches." + row.mnemonic().substring(1));
            }
        }
        Set<String> spare = new TreeSet<>();
        for (String name : classes) {
            for (Method m : methods(name)) {
                String full = name + "." + m.getName();
                Matcher sized = SIZED.matcher(m.getName());
                boolean used =
                        named.contains(full)
                                || sized.matches() && named.contains(name + "." + sized.group(1));
                if (!used && !HELPERS.contains(full)) {
                    spare.add(full);
                }
            }
        }
        assertEquals(Set.of(), spare);
    }

    private static String className(Row row) {
        return row.semantics().substring(0, row.semantics().indexOf('.'));
    }

    private static List<Method> methods(String className) {
        List<Method> found = new ArrayList<>();
        try {
            for (Method m : Class.forName(PACKAGE + className).getDeclaredMethods()) {
                int modifiers = m.getModifiers();
                if (Modifier.isPublic(modifiers)
                        && Modifier.isStatic(modifiers)
                        && !m.isSynthetic()) {
                    found.add(m);
                }
            }
        } catch (ClassNotFoundException e) {
            return List.of();
        }
        return found;
    }

    private static boolean hasMethod(Row row) {
        String name = row.semantics().substring(row.semantics().indexOf('.') + 1);
        Set<String> have = new HashSet<>();
        for (Method m : methods(className(row))) {
            have.add(m.getName());
        }
        if (have.contains(name)) {
            return true;
        }
        if (row.operands().isEmpty()) {
            return false;
        }
        int[] sizes =
                switch (row.operands().getFirst().size()) {
                    case BYTE -> new int[] {8};
                    case WORD -> new int[] {16};
                    case DWORD -> new int[] {32};
                    case QWORD -> new int[] {64};
                    case V -> new int[] {16, 32, 64};
                    case Y -> new int[] {32, 64};
                    case Z -> new int[] {16, 32};
                    default -> new int[0];
                };
        for (int bits : sizes) {
            if (!have.contains(name + bits)) {
                return false;
            }
        }
        return sizes.length > 0;
    }
}

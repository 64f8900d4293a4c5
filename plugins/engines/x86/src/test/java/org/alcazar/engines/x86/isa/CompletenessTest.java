package org.alcazar.engines.x86.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.state.CpuModel;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.EnumSet;
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
            Set.of(
                    "Branches.condition",
                    "Mmx.enter",
                    "Mmx.write",
                    "Stack.width",
                    "SystemInstructions.tooLong");

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

    /**
     * Announced bits that are no {@link Feature}: function, register, bit, name, and an instruction
     * that it stands for, if there is one. The others are of the system side.
     */
    private static final List<String> OTHER_BITS =
            List.of(
                    "1 edx 1 vme",
                    "1 edx 2 de",
                    "1 edx 3 pse",
                    "1 edx 4 tsc rdtsc",
                    "1 edx 5 msr rdmsr",
                    "1 edx 6 pae",
                    "1 edx 7 mce",
                    "1 edx 8 cx8 cmpxchg8b",
                    "1 edx 9 apic",
                    "1 edx 11 sep sysenter",
                    "1 edx 12 mtrr",
                    "1 edx 13 pge",
                    "1 edx 14 mca",
                    "1 edx 16 pat",
                    "1 edx 17 pse36",
                    "1 edx 19 clfsh clflush",
                    "1 edx 24 fxsr fxsave",
                    "1 ecx 17 pcid",
                    "1 ecx 21 x2apic",
                    "1 ecx 24 tsc_deadline_timer",
                    "1 ecx 31 hypervisor",
                    "6 eax 2 arat",
                    "7 ebx 1 tsc_adjust",
                    "7 ebx 7 smep",
                    "7 ebx 9 erms movsb",
                    "7 ecx 2 umip",
                    "7 ecx 16 la57",
                    "7 edx 4 fsrm movsb",
                    "d eax 2 xgetbv1 xgetbv",
                    "80000001 ecx 0 lahf lahf",
                    "80000001 ecx 7 misalignsse",
                    "80000001 ecx 8 3dnowprefetch prefetchw",
                    "80000001 ecx 22 topoext",
                    "80000001 ecx 23 perfctr_core rdpmc",
                    "80000001 edx 11 syscall syscall",
                    "80000001 edx 20 nx",
                    "80000001 edx 26 page1gb",
                    "80000001 edx 29 lm swapgs",
                    "80000007 edx 8 invariant_tsc",
                    "80000008 ebx 2 xsaveerptr fxsave",
                    "80000008 ebx 26 ssb_no",
                    "80000008 ebx 29 btc_no",
                    "80000021 eax 2 lfence_serializing lfence",
                    "80000021 eax 6 nscb",
                    "80000021 eax 8 autoibrs",
                    "80000021 eax 29 srso_no",
                    "80000021 ecx 1 tsa_sq_no",
                    "80000021 ecx 2 tsa_l1_no");

    /** Words of flags, in the notation above. */
    private static final List<String> WORDS =
            List.of(
                    "1 ecx",
                    "1 edx",
                    "6 eax",
                    "7 ebx",
                    "7 ecx",
                    "7 edx",
                    "d eax",
                    "80000001 ecx",
                    "80000001 edx",
                    "80000007 edx",
                    "80000008 ebx",
                    "80000021 eax",
                    "80000021 ecx");

    private static final List<String> REGISTERS = List.of("eax", "ecx", "edx", "ebx");

    @Test
    @DisplayName("every announced feature has an instruction, and its bit in CPUID")
    void featuresHaveRows() {
        // LOCK before MOV to CR0 is no row of its own.
        Set<Feature> withRows = EnumSet.of(Feature.ALT_MOV_CR8);
        for (Row row : OpcodeTable.rows()) {
            if (OpcodeTable.standard().enables(row)) {
                withRows.add(row.feature());
            }
        }
        assertEquals(Feature.IMPLEMENTED, withRows);
        for (Feature f : Feature.IMPLEMENTED) {
            boolean announced = f.leaf() == -1 || CpuModel.MAX.has(f.leaf(), f.register(), f.bit());
            assertEquals(true, announced, f::name);
        }
    }

    @Test
    @DisplayName(
            "every bit that CPUID announces is a feature, or is named here with its instruction")
    void bitsHaveInstructions() {
        Set<String> known = new TreeSet<>();
        for (Feature f : Feature.IMPLEMENTED) {
            known.add(bit(f.leaf(), f.register(), f.bit()));
        }
        Set<String> mnemonics = new HashSet<>();
        for (Row row : OpcodeTable.rows()) {
            if (OpcodeTable.standard().enables(row)) {
                mnemonics.add(row.mnemonic());
            }
        }
        for (String other : OTHER_BITS) {
            String[] part = other.split(" ");
            known.add(part[0] + " " + part[1] + " " + part[2]);
            assertEquals(true, part.length < 5 || mnemonics.contains(part[4]), other);
        }
        Set<String> unknown = new TreeSet<>();
        for (String word : WORDS) {
            int leaf = Integer.parseUnsignedInt(word.split(" ")[0], 16);
            int register = REGISTERS.indexOf(word.split(" ")[1]);
            for (int bit = 0; bit < 32; bit++) {
                boolean copied = leaf == 0x80000001 && known.contains(bit(1, register, bit));
                if (CpuModel.MAX.has(leaf, register, bit)
                        && !copied
                        && !known.contains(bit(leaf, register, bit))) {
                    unknown.add(bit(leaf, register, bit));
                }
            }
        }
        assertEquals(Set.of(), unknown);
    }

    private static String bit(int leaf, int register, int bit) {
        return Integer.toHexString(leaf) + " " + REGISTERS.get(register) + " " + bit;
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

package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.state.Cpu;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Every x87, MMX and legacy SSE, AES, SHA form of the table, with random operands, modes and masks,
 * against the machine's own processor, bit for bit. The system properties {@code
 * alcazar.oracle.cases} (for each form), {@code alcazar.oracle.seed} and {@code
 * alcazar.oracle.only} (a part of the semantics' name) make longer and narrower runs.
 */
class NativeFloatTest {
    private static final int CASES = Integer.getInteger("alcazar.oracle.cases", 150);
    private static final long SEED = Long.getLong("alcazar.oracle.seed", 1);
    private static final String ONLY = System.getProperty("alcazar.oracle.only", "");

    /** Transcendental results may be off by this many units in the last place. */
    private static final int UNITS = 2;

    /** An encoding of a form, with a second immediate byte or not. */
    private record Encoding(byte[] code, int length, boolean second) {}

    @BeforeAll
    static void reserveMemory() {
        TestMemory.reserve();
    }

    @Test
    void everyFormGivesWhatTheProcessorGives(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(NativeOracle.missing().isEmpty(), NativeOracle::missing);
        NativeOracle oracle = NativeOracle.build(directory);
        Map<String, List<Encoding>> forms = forms();
        assertTrue(forms.size() > (ONLY.isEmpty() ? 600 : 0), "forms: " + forms.size());
        List<String> wrong = new ArrayList<>();
        for (var form : forms.entrySet()) {
            compare(oracle, form.getKey(), form.getValue(), wrong);
        }
        assertEquals("", String.join("\n", wrong));
    }

    private static void compare(
            NativeOracle oracle, String form, List<Encoding> encodings, List<String> wrong)
            throws IOException {
        Random random = new Random(SEED ^ form.hashCode());
        FloatOperands operands = new FloatOperands(random);
        ByteBuffer cases = NativeOracle.newCases(CASES);
        for (int i = 0; i < CASES; i++) {
            Encoding e = encodings.get(random.nextInt(encodings.size()));
            byte[] code = e.code.clone();
            if (hasImmediate(form)) {
                code[e.length - 1] = (byte) random.nextInt(256);
                if (e.second) {
                    code[e.length - 2] = (byte) random.nextInt(256);
                }
            }
            new FloatCase(cases, i).fill(code, e.length, operands, random, form);
        }
        ByteBuffer answers = oracle.run(cases);
        Cpu cpu = FloatCase.newCpu();
        int differing = 0;
        for (int i = 0; i < CASES; i++) {
            byte[] code = new byte[16];
            cases.get(i * NativeOracle.SIZE, code);
            Instruction insn = new Instruction();
            new Decoder().decode(code, 0, 16, 64, insn);
            FloatCase test = new FloatCase(cases, i);
            SemanticsCall call = new SemanticsCall(insn);
            int signal = test.run(cpu, call, insn);
            int units = isApproximate(call.name()) ? UNITS : 0;
            String difference =
                    new FloatCase(answers, i).differences(cpu, signal, call.name(), units);
            if (!difference.isEmpty() && differing++ < 2) {
                wrong.add(
                        form
                                + " "
                                + hex(code, insn.length)
                                + ":"
                                + difference
                                + "\n    from "
                                + test.describe());
            }
        }
        if (differing > 2) {
            wrong.add(form + ": " + differing + " of " + CASES + " cases differ");
        }
    }

    private static String hex(byte[] code, int length) {
        return java.util.HexFormat.of().formatHex(code, 0, length);
    }

    private static boolean isApproximate(String name) {
        return name.startsWith("X87Transcendental.");
    }

    private static boolean hasImmediate(String form) {
        return form.endsWith("imm");
    }

    /** Encodings by semantics, operands and prefix. */
    private static Map<String, List<Encoding>> forms() {
        Map<String, List<Encoding>> forms = new TreeMap<>();
        for (int opcode = 0xd8; opcode <= 0xdf; opcode++) {
            for (int modrm = 6; modrm < 256; modrm += modrm < 0xc0 ? 8 : 1) {
                if (modrm < 0x40 || modrm >= 0xc0) {
                    add(forms, opcode, modrm);
                }
            }
        }
        for (int opcode = 0; opcode < 256; opcode++) {
            if (opcode >= 0x10 && opcode != 0x38 && opcode != 0x3a) {
                addAll(forms, opcode);
            }
            addAll(forms, 0x38, opcode);
            addAll(forms, 0x3a, opcode);
        }
        return forms;
    }

    /**
     * An opcode after 0F with all prefixes, registers and both forms of ModRM, and with a memory
     * operand that is not aligned.
     */
    private static void addAll(Map<String, List<Encoding>> forms, int... opcode) {
        int n = opcode.length;
        for (int variant = 0; variant < 128; variant++) {
            int prefix = new int[] {0, 0x66, 0xf2, 0xf3}[variant & 3];
            int modrm = ((variant & 4) != 0 ? 6 : 0xc1) | variant >> 3 << 3 & 0x38;
            int[] code = new int[n + 4];
            int at = 0;
            if (prefix != 0) {
                code[at++] = prefix;
            }
            if (variant >= 64) {
                code[at++] = 0x48;
            }
            code[at++] = 0x0f;
            System.arraycopy(opcode, 0, code, at, n);
            code[at + n] = modrm;
            add(forms, code);
            if (modrm == 6) {
                code[at + n] = 0x46;
                code = Arrays.copyOf(code, code.length + 1);
                code[at + n + 1] = 8 | variant & 1;
                add(forms, code);
            }
        }
    }

    private static void add(Map<String, List<Encoding>> forms, int... bytes) {
        byte[] code = new byte[16];
        for (int i = 0; i < bytes.length; i++) {
            code[i] = (byte) bytes[i];
        }
        Instruction insn = new Instruction();
        if (new Decoder().decode(code, 0, 16, 64, insn) <= 0) {
            return;
        }
        String name = insn.row.semantics();
        if (!name.matches("(X87|Mmx|Sse|Ssse|FxSave|Aes|Sha|Pclmul|Gfni).*")
                || !name.contains(ONLY)
                || isUnfit(name)) {
            return;
        }
        if (!NativeOracle.has(insn.row.feature())) {
            return;
        }
        boolean aligned = insn.displacement == 0;
        if (name.startsWith("Sha.") && !aligned && !NativeOracle.hasMisalignedMode()) {
            // AMD's processors take unaligned operands, others don't.
            return;
        }
        boolean immediate = false;
        boolean second = false;
        for (Operand o : insn.row.operands()) {
            immediate |= o.kind() == OperandKind.IMMEDIATE;
            second |= o.kind() == OperandKind.IMMEDIATE2;
            if (o.kind() == OperandKind.REG && insn.reg > 1) {
                return;
            }
        }
        String key =
                name
                        + " "
                        + insn.row.mnemonic()
                        + " "
                        + insn.row.id()
                        + (insn.memory ? " memory" : " register")
                        + (insn.operandSize == 8 ? " 64" : "")
                        + (immediate ? " imm" : "");
        forms.computeIfAbsent(key, k -> new ArrayList<>())
                .add(new Encoding(code, insn.length, second));
    }

    /** Estimates, which every processor makes differently. */
    private static boolean isUnfit(String name) {
        return name.matches(".*\\.(rcp|rsqrt)[ps]s");
    }
}

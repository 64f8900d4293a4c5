package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.semantics.NativeOracle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Which bytes are instructions and how long they are, by the processor at hand: with the features
 * that it has, the table must say the same. All of the one- and two-byte opcodes with {@code
 * -Dalcazar.decode.every=1}, else some; other maps are sampled.
 */
class NativeDecodeTest {
    private static final int EVERY = Integer.getInteger("alcazar.decode.every", 29);
    private static final int SAMPLES = 700_000 / EVERY;
    private static final int CASE = 16;
    private static final int[] PREFIXES = {0, 0x66, 0xf2, 0xf3};

    /**
     * Raise #UD where the test is, though they are instructions: outside of CPL 0, or without what
     * the operating system would have to enable. The rows that raise #UD by themselves, too.
     */
    private static final Set<Feature> NOT_ENABLED =
            EnumSet.of(Feature.SHSTK, Feature.MONITOR, Feature.SMAP);

    /** Work or not whatever CPUID says, where a hypervisor hides them from its guests. */
    private static final Set<Feature> HIDDEN =
            EnumSet.of(
                    Feature.SVM, Feature.MONITORX, Feature.MOVDIRI, Feature.MOVDIR64B, Feature.SNP);

    /**
     * SYSENTER and SYSEXIT are #UD in compatibility mode as well, which the decoder does not know;
     * a hypervisor that emulates SYSEXIT may see its CPL first.
     */
    private static final String SYSEXIT = "(66|f2|f3)?(4.)?0f3[45]";

    /** CLZERO behind F2 or F3: Zen 5 refuses it, Zen 3 does not look at the prefix. */
    private static final String CLZERO = "(66)?f[23](4.)?0f01fc";

    /**
     * VUNPCKLPD of registers with EVEX.b: #UD by the manuals and on Zen 5. Zen 4 does not look at
     * it.
     */
    private static final byte[] LENIENCE = HexFormat.of().parseHex("62f18ddf14e7");

    @TempDir private Path folder;
    private Path program = Path.of("");
    private Decoder decoder = new Decoder();
    private final Decoder all = new Decoder(OpcodeTable.complete());
    private final Instruction insn = new Instruction();
    private int mode;
    private final ByteArrayOutputStream cases = new ByteArrayOutputStream();

    @BeforeEach
    void prepare() throws Exception {
        Assumptions.assumeTrue(NativeOracle.missing().isEmpty(), NativeOracle::missing);
        program = NativeOracle.compile(folder, NativeDecodeTest.class, "decode.c");
        int[] vendor = cpuid(0, 0);
        Assumptions.assumeTrue(vendor[1] == 0x444d4163, "vendors differ: not an AMD processor");
        Set<Feature> features = EnumSet.of(Feature.BASE);
        for (Feature f : Feature.values()) {
            if (f.leaf() >= 0 || f.leaf() < -1) {
                boolean second = f.leaf() >> 16 == 7;
                boolean first = f.leaf() == 0xd;
                int[] words = cpuid(second ? 7 : f.leaf(), second || first ? 1 : 0);
                if ((words[f.register()] >> f.bit() & 1) != 0) {
                    features.add(f);
                }
            }
        }
        features.removeAll(NOT_ENABLED);
        decoder = new Decoder(OpcodeTable.of(features));
    }

    /** EAX, ECX, EDX, EBX. */
    private int[] cpuid(int leaf, int subleaf) throws IOException {
        Process p =
                new ProcessBuilder(program.toString(), leaf + "", subleaf + "")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return Arrays.stream(text.trim().split(" ")).mapToInt(Integer::parseUnsignedInt).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    @DisplayName("one- and two-byte opcodes are as long and as invalid as on the processor")
    void plainOpcodes(int mode) throws Exception {
        this.mode = mode;
        int n = 0;
        for (int prefix : PREFIXES) {
            for (int rex : mode == 64 ? new int[] {0, 0x48} : new int[] {0}) {
                for (int opcode = 0; opcode < 512; opcode++) {
                    for (int modrm = 0; modrm < 256; modrm++) {
                        if (n++ % EVERY == 0) {
                            add(plain(prefix, rex, opcode, modrm));
                        }
                    }
                }
            }
        }
        compare();
    }

    private static byte[] plain(int prefix, int rex, int opcode, int modrm) {
        byte[] code = new byte[CASE];
        int at = 0;
        if (prefix != 0) {
            code[at++] = (byte) prefix;
        }
        if (rex != 0) {
            code[at++] = (byte) rex;
        }
        if (opcode >= 256) {
            code[at++] = 0x0f;
        }
        code[at++] = (byte) opcode;
        code[at] = (byte) modrm;
        return code;
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    @DisplayName("three-byte opcodes, too")
    void threeBytes(int mode) throws Exception {
        this.mode = mode;
        Random random = new Random(11);
        for (int i = 0; i < SAMPLES; i++) {
            byte[] code = new byte[CASE];
            int at = 0;
            int prefix = PREFIXES[random.nextInt(4)];
            if (prefix != 0) {
                code[at++] = (byte) prefix;
            }
            if (mode == 64 && random.nextBoolean()) {
                code[at++] = (byte) (0x40 | random.nextInt(16));
            }
            code[at++] = 0x0f;
            code[at++] = (byte) (random.nextBoolean() ? 0x38 : 0x3a);
            code[at++] = (byte) random.nextInt();
            code[at] = (byte) random.nextInt();
            add(code);
        }
        compare();
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    @DisplayName("VEX prefixes with any of their bits, too")
    void vex(int mode) throws Exception {
        this.mode = mode;
        Random random = new Random(12);
        for (int i = 0; i < SAMPLES; i++) {
            byte[] code = new byte[CASE];
            int at = 0;
            // What may not come before, now and then.
            if (random.nextInt(40) == 0) {
                code[at++] = new byte[] {0x66, 0x67, (byte) 0xf3, 0x48, 0x2e}[random.nextInt(5)];
            }
            boolean longForm = random.nextInt(4) != 0;
            code[at++] = (byte) (longForm ? 0xc4 : 0xc5);
            if (longForm) {
                int map = random.nextInt(20) == 0 ? random.nextInt(32) : 1 + random.nextInt(3);
                code[at++] = (byte) (random.nextInt() << 5 | map);
            }
            code[at++] = vvvv(random);
            code[at++] = (byte) random.nextInt();
            code[at] = (byte) random.nextInt();
            add(code);
        }
        compare();
    }

    /** W, vvvv, L and pp: the third often 1111, so that instructions without it are hit. */
    private static byte vvvv(Random random) {
        int v = random.nextInt();
        return (byte) (random.nextBoolean() ? v | 0x78 : v);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    @DisplayName("EVEX prefixes with any of their bits, too")
    void evex(int mode) throws Exception {
        this.mode = mode;
        Random random = new Random(13);
        for (int i = 0; i < 2 * SAMPLES; i++) {
            byte[] code = new byte[CASE];
            code[0] = 0x62;
            int map = random.nextInt(20) == 0 ? random.nextInt(8) : 1 + random.nextInt(3);
            int reserved = random.nextInt(40) == 0 ? 8 : 0;
            code[1] = (byte) (random.nextInt() << 4 | reserved | map);
            code[2] = (byte) (random.nextInt(40) == 0 ? vvvv(random) : vvvv(random) | 4);
            int p2 = random.nextInt();
            p2 = random.nextBoolean() ? p2 & ~0x97 : p2;
            code[3] = (byte) (random.nextInt(4) == 0 ? p2 : p2 | 8);
            code[4] = (byte) random.nextInt();
            code[5] = (byte) random.nextInt();
            add(code);
        }
        compare();
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 32})
    @DisplayName("every row that the processor has decodes there as it does here")
    void rows(int mode) throws Exception {
        this.mode = mode;
        RowEncodings encodings = new RowEncodings(new Random(14));
        for (Row row : OpcodeTable.rows()) {
            int modes = mode == 64 ? Encoding.LONG | Encoding.LONG_W : Encoding.LEGACY;
            if ((row.encoding().modes() & modes) == 0) {
                continue;
            }
            for (int i = 0; i < 100 / EVERY + 1; i++) {
                byte[] code = encodings.next(row, mode);
                int length = opcodeBytes(code);
                // Displacements and immediates stay zero.
                add(Arrays.copyOf(Arrays.copyOf(code, length), CASE));
            }
        }
        compare();
    }

    /** Prefixes, opcode and ModRM. */
    private int opcodeBytes(byte[] code) {
        int length = all.decode(code, 0, code.length, mode, insn);
        if (length < 0) {
            return 0;
        }
        int n = 1;
        while (n < length) {
            byte[] cut = Arrays.copyOf(Arrays.copyOf(code, n), CASE);
            Instruction other = new Instruction();
            all.decode(cut, 0, CASE - 1, mode, other);
            if (other.row == insn.row && other.modrm == insn.modrm) {
                break;
            }
            n++;
        }
        return n;
    }

    /** Branches only lead to the next instruction: others might come back. */
    private void add(byte[] code) {
        int length = all.decode(code, 0, CASE - 1, mode, insn);
        if (length > 0 && (insn.row.shape() & Row.IMMEDIATE_MASK) >= Row.IMM_REL8) {
            int bytes = (insn.row.shape() & Row.IMMEDIATE_MASK) == Row.IMM_REL8 ? 1 : 4;
            Arrays.fill(code, Math.max(length - bytes, 1), CASE, (byte) 0);
        }
        code[CASE - 1] = (byte) expected(code);
        cases.writeBytes(code);
    }

    private int expected(byte[] code) {
        int length = decoder.decode(code, 0, CASE - 1, mode, insn);
        return length <= 0 || insn.row.semantics().equals("SystemInstructions.ud") ? 0 : length;
    }

    private void compare() throws Exception {
        cases.writeBytes(Arrays.copyOf(LENIENCE, CASE));
        byte[] question = cases.toByteArray();
        byte[] answers = ask(question);
        byte[] answer = Arrays.copyOf(answers, answers.length - 1);
        boolean lenient = answers[answer.length] != 0;
        List<String> different = new ArrayList<>();
        for (int i = 0; i < answer.length; i++) {
            int expected = question[i * CASE + CASE - 1];
            if (answer[i] != expected
                    && !explained(question, i * CASE)
                    && !(lenient && expected == 0 && answer[i] == relaxed(question, i * CASE))
                    && different.size() < Integer.getInteger("alcazar.decode.show", 30)) {
                byte[] code = Arrays.copyOfRange(question, i * CASE, i * CASE + CASE - 1);
                decoder.decode(code, 0, CASE - 1, mode, insn);
                String hex = HexFormat.of().formatHex(code, 0, 9);
                String text = new Disassembler(Syntax.INTEL).text(code, 0, 15, mode, 0);
                different.add(hex + " " + text + ": " + expected + ", processor " + answer[i]);
            }
        }
        assertEquals("", String.join("\n", different));
        assertTrue(answer.length > 1000);
    }

    private boolean explained(byte[] question, int at) {
        all.decode(question, at, CASE - 1, mode, insn);
        if (HIDDEN.contains(insn.row.feature())) {
            return true;
        }
        String hex = HexFormat.of().formatHex(question, at, at + 5);
        if (hex.matches("(" + SYSEXIT + "|" + CLZERO + ").*")) {
            return true;
        }
        // VPERMQ and VPERMPD with W=0: the manuals have W=1 only, processors don't look.
        int map = question[at] == (byte) 0xc4 ? question[at + 1] & 0x1f : 0;
        return map == 3 && (question[at + 2] & 0x87) == 5 && (question[at + 3] & 0xfe) == 0;
    }

    /**
     * Length of an AVX-512 instruction without the reserved bits that Zen 4 overlooks: EVEX.b of
     * registers, EVEX.z without a mask, EVEX.V' outside of 64-bit mode, the fourth bit of a mask
     * register's number.
     */
    private int relaxed(byte[] question, int at) {
        byte[] code = Arrays.copyOfRange(question, at, at + CASE);
        int n = code[0] == 0x2e || code[0] == 0x67 ? 1 : 0;
        switch (code[n] & 0xff) {
            case 0x62 -> {
                int unmasked = (code[n + 3] & 7) == 0 ? 0x80 : 0;
                code[n + 3] = (byte) (code[n + 3] & ~unmasked | (mode == 32 ? 8 : 0));
                int length = decoder.decode(code, 0, CASE - 1, mode, insn);
                if (length > 0) {
                    return length;
                }
                code[n + 3] &= (byte) ((code[n + 5] & 0xc0) == 0xc0 ? ~0x10 : ~0);
            }
            case 0xc4 -> {
                code[n + 1] |= (byte) 0x80;
                code[n + 2] |= 0x40;
            }
            case 0xc5 -> code[n + 1] |= (byte) 0xc0;
            default -> {
                return 0;
            }
        }
        int length = decoder.decode(code, 0, CASE - 1, mode, insn);
        boolean wide = code[n] == 0x62 || insn.row.feature().name().startsWith("AVX512");
        return length > 0 && wide ? length : 0;
    }

    private byte[] ask(byte[] question) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        if (mode == 32) {
            command.add("32");
        }
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread writer =
                Thread.ofPlatform()
                        .start(() -> {
                            try (OutputStream out = process.getOutputStream()) {
                                out.write(question);
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        });
        byte[] answer = new byte[question.length / CASE];
        new DataInputStream(process.getInputStream()).readFully(answer);
        writer.join();
        return answer;
    }
}

package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.Feature;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Vector instructions and extensions, all opcodes after 0F with each prefix that may be a part of
 * them, against objdump.
 */
class ObjdumpOpcodesTest {
    private static final int SPACE = 16;
    private static final int[][] ESCAPES = {{0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

    private static final Set<Feature> FEATURES =
            EnumSet.of(
                    Feature.MMX,
                    Feature.SSE,
                    Feature.SSE2,
                    Feature.SSE3,
                    Feature.SSSE3,
                    Feature.SSE41,
                    Feature.SSE42,
                    Feature.SSE4A,
                    Feature.AES,
                    Feature.PCLMULQDQ,
                    Feature.SHA,
                    Feature.GFNI,
                    Feature.ADX,
                    Feature.BMI1,
                    Feature.LZCNT,
                    Feature.POPCNT,
                    Feature.MOVBE,
                    Feature.CLFLUSHOPT,
                    Feature.CLWB,
                    Feature.CLZERO,
                    Feature.RDPID,
                    Feature.WBNOINVD);

    @TempDir private Path folder;

    @ParameterizedTest
    @DisplayName("the text of every vector instruction without VEX is objdump's")
    @CsvSource({"ATT,64", "INTEL,64", "ATT,32", "INTEL,32"})
    void opcodes(Syntax syntax, int mode) throws IOException {
        Objdump.assumePresent();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int[] escape : ESCAPES) {
            for (int opcode = 0; opcode < 256; opcode++) {
                boolean escapes = escape.length == 1 && (opcode & 0xfd) == 0x38;
                for (int variant = 0; variant < (mode == 64 ? 8 : 4) && !escapes; variant++) {
                    forms(all, mode, escape, opcode, variant);
                }
            }
        }
        Path file = folder.resolve("opcodes");
        Files.write(file, all.toByteArray());
        compare(syntax, mode, all.toByteArray(), file);
    }

    private static void forms(
            ByteArrayOutputStream all, int mode, int[] escape, int opcode, int variant) {
        for (int reg = 0; reg < 8; reg++) {
            for (int modrm : new int[] {0x06, 0x46, 0xc1, 0xc6}) {
                byte[] code = new byte[SPACE];
                Arrays.fill(code, (byte) 0x90);
                int at = 0;
                if ((variant & 3) != 0) {
                    code[at++] = (byte) (new int[] {0, 0x66, 0xf2, 0xf3}[variant & 3]);
                }
                if (variant >= 4) {
                    code[at++] = (byte) (0x48 | reg & 5);
                }
                for (int b : escape) {
                    code[at++] = (byte) b;
                }
                code[at++] = (byte) opcode;
                code[at++] = (byte) (modrm | reg << 3);
                for (int i = 0; i < 5; i++) {
                    code[at++] = (byte) (0x11 * i + 0x10);
                }
                if (compares(code, mode)) {
                    all.writeBytes(code);
                }
            }
        }
    }

    /** Whether it is one of the rows to compare; for others objdump knows newer meanings. */
    private static boolean compares(byte[] code, int mode) {
        Instruction insn = new Instruction();
        return new Decoder().decode(code, 0, SPACE, mode, insn) > 0
                && FEATURES.contains(insn.row.feature());
    }

    /** Objdump does not show the prefix 66 that REX.W makes void with MOVBE. */
    private static boolean explained(String hex, String text) {
        return text.contains("(bad)") || text.startsWith("movbe") && hex.startsWith("66 4");
    }

    private static void compare(Syntax syntax, int mode, byte[] bytes, Path file)
            throws IOException {
        Map<Long, String[]> lines = Objdump.lines(syntax, mode, file);
        Disassembler disassembler = new Disassembler(syntax);
        List<String> different = new ArrayList<>();
        int count = 0;
        for (int at = 0; at < bytes.length; at += SPACE) {
            byte[] code = Arrays.copyOfRange(bytes, at, at + SPACE);
            String got = Objdump.normal(disassembler.text(code, 0, SPACE, mode, at));
            String[] want = lines.getOrDefault((long) at, new String[] {"", "(bad)", "(bad)"});
            if (explained(want[1], want[2])) {
                continue;
            }
            count++;
            String hex = want[1].strip();
            boolean same =
                    disassembler.length() * 3 - 1 == hex.length()
                            && got.equals(Objdump.normal(want[2]));
            if (!same && different.size() < Integer.getInteger("alcazar.objdump.show", 20)) {
                different.add(hex + " want [" + want[2] + "] got [" + got + "]");
            }
        }
        assertEquals("", String.join("\n", different));
        assertTrue(count > 10_000, "compared " + count);
    }
}

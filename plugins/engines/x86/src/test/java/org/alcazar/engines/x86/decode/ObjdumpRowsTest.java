package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Every row behind a VEX, EVEX or XOP prefix, in many forms, against objdump. */
class ObjdumpRowsTest {
    private static final int EACH = Integer.getInteger("alcazar.objdump.each", 12);
    private static final int SPACE = 32;

    @TempDir private Path folder;

    @ParameterizedTest
    @DisplayName("every vector row's text is objdump's")
    @CsvSource({"ATT,64", "INTEL,64", "ATT,32", "INTEL,32"})
    void rows(Syntax syntax, int mode) throws IOException {
        Objdump.assumePresent();
        RowEncodings encodings = new RowEncodings(new Random(5));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        List<Row> rows = new ArrayList<>();
        Set<Row> without = new HashSet<>();
        for (Row row : OpcodeTable.rows()) {
            Encoding e = row.encoding();
            boolean here = mode == 64 ? (e.modes() & ~Encoding.LEGACY) != 0 : (e.modes() & 1) != 0;
            for (int i = 0; i < EACH && here && e.space() != Encoding.PLAIN; i++) {
                byte[] code = encodings.next(row, mode);
                if (code.length == 0) {
                    without.add(row);
                    continue;
                }
                rows.add(row);
                byte[] padded = Arrays.copyOf(code, SPACE);
                Arrays.fill(padded, code.length, SPACE, (byte) 0x90);
                all.write(padded);
            }
        }
        assertEquals(Set.of(), without);
        Path file = folder.resolve("rows");
        Files.write(file, all.toByteArray());
        compare(syntax, mode, rows, all.toByteArray(), file);
    }

    /**
     * Objdump takes the immediates 2 and 3 of PCLMULQDQ for 10h and 11h, and thinks that rounding
     * with an exact conversion is wrong, which the manual says is ignored.
     */
    private static boolean explained(String bytes, String text) {
        boolean carryless = text.contains("vpclmul") && bytes.matches(".* 0[23]");
        return carryless || text.contains("-bad}");
    }

    private static void compare(Syntax syntax, int mode, List<Row> rows, byte[] bytes, Path file)
            throws IOException {
        Map<Long, String[]> lines = Objdump.lines(syntax, mode, file);
        Disassembler disassembler = new Disassembler(syntax);
        List<String> different = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            byte[] code = Arrays.copyOfRange(bytes, i * SPACE, i * SPACE + SPACE);
            long address = (long) i * SPACE;
            String got = Objdump.normal(disassembler.text(code, 0, SPACE, mode, address));
            String[] want = lines.getOrDefault(address, new String[] {"", "", ""});
            String hex = want[1].strip();
            boolean same =
                    disassembler.length() * 3 - 1 == hex.length()
                            && got.equals(Objdump.normal(want[2]));
            if (!same
                    && !explained(hex, want[2])
                    && different.size() < Integer.getInteger("alcazar.objdump.show", 20)) {
                different.add(hex + " want [" + want[2] + "] got [" + got + "]");
            }
        }
        assertEquals("", String.join("\n", different));
        assertTrue(rows.size() > 1000 * EACH / 2);
    }
}

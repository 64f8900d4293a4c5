package org.alcazar.engines.x86.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

class OpcodeTableTest {
    @Test
    @DisplayName("a row's id is its place in the table")
    void ids() {
        List<Row> rows = OpcodeTable.rows();
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(i, rows.get(i).id());
        }
    }

    @Test
    @DisplayName("no two rows mean the same bytes, unless one says that it overrides")
    void overlaps() {
        List<String> found = new ArrayList<>();
        List<Row> rows = OpcodeTable.rows();
        for (Row a : rows) {
            for (Row b : rows.subList(a.id() + 1, rows.size())) {
                boolean allowed = a.encoding().overrides() != b.encoding().overrides();
                if (!allowed && a.encoding().overlaps(b.encoding())) {
                    found.add(a.encoding() + " " + a + " and " + b.encoding() + " " + b);
                }
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    @DisplayName(
            "a row that overrides has another below it, or stands for a hint that did nothing before")
    void overrides() {
        for (Row a : OpcodeTable.rows()) {
            if (a.encoding().overrides()) {
                assertTrue(
                        OpcodeTable.rows().stream()
                                .anyMatch(b -> b != a && a.encoding().overlaps(b.encoding())),
                        a::toString);
            }
        }
    }

    @Test
    @DisplayName("every enabled row is found by at least one encoding, and no other row is found")
    void everyRowIsReachable() {
        for (OpcodeTable table : List.of(OpcodeTable.standard(), OpcodeTable.complete())) {
            Set<Row> found = new HashSet<>();
            for (int slot = 0; slot < 1024 * 12; slot++) {
                for (int modrm = 0; modrm < 256; modrm++) {
                    int code = slot / 12;
                    found.add(table.find(code >> 8, code & 255, slot % 12 / 3, slot % 3, modrm));
                }
            }
            Set<Row> wanted = new HashSet<>();
            for (Row row : OpcodeTable.rows()) {
                if (table.enables(row)) {
                    wanted.add(row);
                }
            }
            wanted.removeIf(row -> row.encoding().space() != Encoding.PLAIN);
            wanted.add(Row.NONE);
            assertEquals(wanted, found);
        }
    }

    @Test
    @DisplayName("every row behind a VEX, EVEX or XOP prefix is found by at least one encoding")
    void everyVectorRowIsReachable() {
        OpcodeTable table = OpcodeTable.complete();
        for (Row row : OpcodeTable.rows()) {
            Encoding e = row.encoding();
            if (e.space() == Encoding.PLAIN) {
                continue;
            }
            int prefix = Integer.numberOfTrailingZeros(e.prefixes());
            int wide = Integer.numberOfTrailingZeros(e.widths());
            int length = Integer.numberOfTrailingZeros(e.lengths());
            int mode = (e.modes() & Encoding.LONG) != 0 ? 1 : 0;
            int reg = Integer.numberOfTrailingZeros(e.regs()) << 3;
            int modrm = e.memory() ? reg : 0xc0 | reg | Integer.numberOfTrailingZeros(e.rms());
            Row found =
                    table.findVector(
                            e.space(), e.map(), e.opcode(), prefix, wide, length, mode, modrm);
            assertSame(row, found, row::toString);
        }
    }

    @Test
    @DisplayName("all rows of one opcode agree whether a ModRM byte follows")
    void modrmAgrees() {
        OpcodeTable table = OpcodeTable.complete();
        for (Row row : OpcodeTable.rows()) {
            Encoding e = row.encoding();
            if (e.space() == Encoding.PLAIN) {
                assertEquals(table.modrm(e.map(), e.opcode()) != 0, e.modrm(), row::toString);
            }
        }
    }

    @Test
    @DisplayName("operands by ModRM need a ModRM byte")
    void modrmOperands() {
        for (Row row : OpcodeTable.rows()) {
            for (Operand o : row.operands()) {
                switch (o.kind()) {
                    case RM,
                            REG,
                            RM_REGISTER,
                            MEMORY,
                            SEGMENT,
                            CONTROL,
                            DEBUG,
                            XMM_REG,
                            XMM_RM,
                            XMM_RM_REGISTER,
                            MMX_REG,
                            MMX_RM,
                            MMX_RM_REGISTER,
                            ST_I ->
                            assertTrue(row.encoding().modrm(), row::toString);
                    default -> {}
                }
            }
        }
    }

    @Test
    @DisplayName("LOCK is only allowed where a memory operand is written")
    void lockable() {
        for (Row row : OpcodeTable.rows()) {
            if (row.has(Row.LOCKABLE)) {
                assertTrue(row.encoding().memory(), row::toString);
                assertTrue(row.operands().getFirst().written(), row::toString);
            }
        }
    }

    @Test
    @DisplayName("a feature that is not enabled makes its instructions invalid")
    void features() {
        EnumSet<Feature> without = EnumSet.copyOf(Feature.IMPLEMENTED);
        without.remove(Feature.SSE2);
        assertSame(Row.NONE, OpcodeTable.of(without).find(1, 0x58, 1, 1, 0xc0));
        assertNotEquals(Row.NONE, OpcodeTable.standard().find(1, 0x58, 1, 1, 0xc0));
    }

    @Test
    @DisplayName("without BMI1, TZCNT is BSF with a prefix that does nothing")
    void fallback() {
        Row bsf = OpcodeTable.of(EnumSet.of(Feature.BASE)).find(1, 0xbc, 2, 1, 0xc0);
        Row tzcnt = OpcodeTable.complete().find(1, 0xbc, 2, 1, 0xc0);
        assertEquals("bsf", bsf.mnemonic());
        assertEquals("tzcnt", tzcnt.mnemonic());
    }

    @Test
    @DisplayName("conditions expand to sixteen rows whose names end in the condition")
    void conditions() {
        assertEquals("jo", OpcodeTable.standard().find(0, 0x70, 0, 1, 0).mnemonic());
        assertEquals("setg", OpcodeTable.standard().find(1, 0x9f, 0, 1, 0).mnemonic());
        assertEquals("cmovnp", OpcodeTable.standard().find(1, 0x4b, 0, 1, 0).mnemonic());
    }

    @Test
    @DisplayName("no two features share a CPUID bit")
    void cpuidBits() {
        Set<List<Integer>> seen = new HashSet<>();
        for (Feature f : Feature.values()) {
            assertTrue(seen.add(List.of(f.leaf(), f.register(), f.bit())), f::name);
        }
    }

    @Test
    @DisplayName("a wrong line is named with its number and what is wrong")
    void wrongLines() {
        assertWrong("text:1: unknown trait blue", "00 /r | add | +Eb,Gb | Alu.add | blue");
        assertWrong("text:1: unknown feature +x", "00 /r | add | +Eb,Gb | Alu.add | +x");
        assertWrong("text:2: a row needs five columns", "# x\n00 /r | add");
        assertWrong("text:1: unknown operand letter #", "00 /r | add | #b | Alu.add |");
        assertWrong("text:1: prefix f3 belongs after the opcode", "f3 90 | p | | A.b |");
    }

    private static void assertWrong(String message, String text) {
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> TableReader.parse(text));
        assertEquals(message, e.getMessage());
    }
}

package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;
import java.util.Random;

class ExhaustiveDecodeTest {
    private static final int[] MODES = {16, 32, 64};
    private static final byte[][] PREFIXES = {
        {},
        {0x66},
        {(byte) 0xf3},
        {(byte) 0xf2},
        {0x67},
        {(byte) 0xf0},
        {0x48},
        {0x66, 0x4f},
        {(byte) 0xf3, 0x66, 0x41}
    };
    private static final byte[][] ESCAPES = {{}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

    private final Instruction insn = new Instruction();

    @Test
    @DisplayName(
            "every opcode with every ModRM byte, mode and usual prefix is an instruction or invalid")
    void everyOpcode() {
        for (Decoder decoder : new Decoder[] {new Decoder(), new Decoder(OpcodeTable.complete())}) {
            for (int mode : MODES) {
                for (byte[] prefix : PREFIXES) {
                    for (byte[] escape : ESCAPES) {
                        everyOpcode(decoder, mode, prefix, escape);
                    }
                }
            }
        }
    }

    private void everyOpcode(Decoder decoder, int mode, byte[] prefix, byte[] escape) {
        byte[] code = new byte[32];
        System.arraycopy(prefix, 0, code, 0, prefix.length);
        System.arraycopy(escape, 0, code, prefix.length, escape.length);
        int at = prefix.length + escape.length;
        for (int opcode = 0; opcode < 256; opcode++) {
            for (int modrm = 0; modrm < 256; modrm++) {
                code[at] = (byte) opcode;
                code[at + 1] = (byte) modrm;
                check(decoder, code, mode);
            }
        }
    }

    private int check(Decoder decoder, byte[] code, int mode) {
        int length = decoder.decode(code, 0, code.length, mode, insn);
        if (length > 0) {
            assertTrue(length <= 15);
            assertEquals(length, insn.length);
            assertNotEquals(Row.NONE, insn.row);
            assertTrue(insn.reg >= 0 && insn.reg < 32 && insn.rm >= -1 && insn.rm < 32);
            assertTrue(insn.memory || insn.base == Instruction.NO_REGISTER);
            assertTrue(insn.segment >= 0 && insn.segment < 6);
        } else {
            assertNotEquals(Decoder.INCOMPLETE, length, () -> HexFormat.of().formatHex(code));
            assertEquals(Row.NONE, insn.row);
        }
        return length;
    }

    @Test
    @DisplayName("random bytes never throw, whether whole or cut")
    void randomBytes() {
        Random random = new Random(1);
        Decoder decoder = new Decoder();
        byte[] code = new byte[16];
        for (int i = 0; i < 1_000_000; i++) {
            random.nextBytes(code);
            int mode = MODES[i % 3];
            int whole = check(decoder, code, mode);
            int cut = random.nextInt(16);
            int length = decoder.decode(code, 0, cut, mode, insn);
            if (whole > 0) {
                // Bytes after the instruction don't matter, and missing ones are always noticed.
                assertEquals(cut < whole ? Decoder.INCOMPLETE : whole, length);
            }
        }
    }

    @Test
    @DisplayName("random bytes can always be shown as text in both syntaxes")
    void randomText() {
        Random random = new Random(2);
        Disassembler att = new Disassembler(Syntax.ATT);
        Disassembler intel = new Disassembler(Syntax.INTEL);
        byte[] code = new byte[16];
        for (int i = 0; i < 200_000; i++) {
            random.nextBytes(code);
            int mode = MODES[i % 3];
            String text = att.text(code, 0, 16, mode, 0x1000);
            assertTrue(!text.isBlank() && !text.contains("null"));
            int length = att.length();
            assertTrue(!intel.text(code, 0, 16, mode, 0x1000).contains("%"));
            assertEquals(length, intel.length());
        }
    }
}

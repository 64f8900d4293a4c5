package org.alcazar.engines.x86.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

class DecoderTest {
    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();

    private int decode(int mode, String hex) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        return decoder.decode(code, 0, code.length, mode, insn);
    }

    private void valid(int mode, String hex, String mnemonic) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        assertEquals(code.length, decoder.decode(code, 0, code.length, mode, insn), hex);
        assertEquals(mnemonic, insn.row.mnemonic(insn.operandSize), hex);
        assertEquals(code.length, insn.length);
    }

    private void invalid(int mode, String hex) {
        assertEquals(Decoder.INVALID, decode(mode, hex), hex);
        assertSame(Row.NONE, insn.row);
    }

    @Test
    @DisplayName("the offset in the array is respected")
    void offset() {
        byte[] code = {0x0f, 0x48, (byte) 0x89, (byte) 0xd8, 0x0f};
        assertEquals(3, decoder.decode(code, 1, 4, 64, insn));
        assertEquals(X86.RAX, insn.rm);
        assertEquals(X86.RBX, insn.reg);
        assertEquals(8, insn.operandSize);
    }

    @Test
    @DisplayName("operand sizes follow mode, 66 and REX.W")
    void operandSizes() {
        valid(16, "01 c3", "add");
        assertEquals(2, insn.operandSize);
        valid(16, "66 01 c3", "add");
        assertEquals(4, insn.operandSize);
        valid(32, "01 c3", "add");
        assertEquals(4, insn.operandSize);
        valid(32, "66 01 c3", "add");
        assertEquals(2, insn.operandSize);
        valid(64, "66 48 01 c3", "add");
        assertEquals(8, insn.operandSize);
        valid(64, "53", "push");
        assertEquals(8, insn.operandSize);
        valid(64, "66 53", "push");
        assertEquals(2, insn.operandSize);
        valid(64, "0f 22 c0", "mov");
        assertEquals(8, insn.operandSize);
        valid(16, "0f 22 c0", "mov");
        assertEquals(4, insn.operandSize);
    }

    @Test
    @DisplayName("a REX prefix that is not the last prefix means nothing")
    void rexLast() {
        valid(64, "48 66 01 c3", "add");
        assertEquals(2, insn.operandSize);
        assertEquals(0, insn.rex);
        valid(32, "48", "dec");
    }

    @Test
    @DisplayName(
            "on AMD, 66 makes near branches 16 bits wide in 64-bit mode; on Intel it does nothing")
    void nearBranches() {
        valid(64, "66 e8 00 01", "call");
        assertEquals(2, insn.operandSize);
        assertEquals(0x100, insn.immediate);
        Decoder intel = new Decoder(OpcodeTable.standard(), false);
        byte[] code = {0x66, (byte) 0xe8, 0, 1, 0, 0};
        assertEquals(6, intel.decode(code, 0, 6, 64, insn));
        assertEquals(8, insn.operandSize);
    }

    @Test
    @DisplayName("immediates are extended as their operands need them")
    void immediates() {
        valid(64, "48 83 c0 80", "add");
        assertEquals(-128, insn.immediate);
        valid(64, "66 83 c0 80", "add");
        assertEquals(0xff80, insn.immediate);
        valid(64, "04 80", "add");
        assertEquals(0x80, insn.immediate);
        valid(64, "48 b8 f0 de bc 9a 78 56 34 12", "mov");
        assertEquals(0x123456789abcdef0L, insn.immediate);
        valid(64, "48 c7 c0 ff ff ff ff", "mov");
        assertEquals(-1, insn.immediate);
        valid(64, "c8 34 12 03", "enter");
        assertEquals(0x1234, insn.immediate);
        assertEquals(3, insn.immediate2);
        valid(64, "eb fe", "jmp");
        assertEquals(-2, insn.immediate);
        valid(32, "ea 78 56 34 92 cd ab", "jmpf");
        assertEquals(0x92345678L, insn.immediate);
        assertEquals(0xabcd, insn.immediate2);
        valid(16, "9a 34 92 cd ab", "callf");
        assertEquals(0x9234, insn.immediate);
    }

    @Test
    @DisplayName("absolute offsets have the address size")
    void absolute() {
        valid(64, "a1 08 07 06 05 04 03 02 81", "mov");
        assertEquals(0x8102030405060708L, insn.displacement);
        valid(64, "67 a1 04 03 02 81", "mov");
        assertEquals(0x81020304L, insn.displacement);
        valid(16, "a0 fe ff", "mov");
        assertEquals(0xfffe, insn.displacement);
        assertEquals(X86.DS, insn.segment);
        valid(64, "65 a1 00 00 00 00 00 00 00 00", "mov");
        assertEquals(X86.GS, insn.segment);
    }

    private void memory(int base, int index, int scale, long displacement, int segment) {
        assertTrue(insn.memory);
        assertEquals(base, insn.base, "base");
        assertEquals(index, insn.index, "index");
        if (index >= 0) {
            assertEquals(scale, insn.scale, "scale");
        }
        assertEquals(displacement, insn.displacement, "displacement");
        assertEquals(segment, insn.segment, "segment");
    }

    @Test
    @DisplayName("addressing forms of 32 and 64 bits")
    void addressing() {
        valid(64, "8b 05 fc ff ff ff", "mov");
        memory(Instruction.RIP_RELATIVE, -1, 0, -4, X86.DS);
        valid(32, "8b 05 fc ff ff ff", "mov");
        memory(-1, -1, 0, -4, X86.DS);
        valid(64, "8b 44 24 08", "mov");
        memory(X86.RSP, -1, 0, 8, X86.SS);
        valid(64, "8b 45 80", "mov");
        memory(X86.RBP, -1, 0, -128, X86.SS);
        valid(64, "41 8b 45 00", "mov");
        memory(13, -1, 0, 0, X86.DS);
        valid(64, "43 8b 04 a4", "mov");
        memory(12, 12, 2, 0, X86.DS);
        valid(64, "8b 04 25 10 00 00 00", "mov");
        memory(-1, -1, 0, 16, X86.DS);
        valid(64, "8b 04 ed 10 00 00 00", "mov");
        memory(-1, X86.RBP, 3, 16, X86.DS);
        valid(64, "8b 84 2c 00 01 00 00", "mov");
        memory(X86.RSP, X86.RBP, 0, 256, X86.SS);
        valid(64, "67 8b 00", "mov");
        assertEquals(4, insn.addressSize);
    }

    @Test
    @DisplayName("addressing forms of 16 bits")
    void addressing16() {
        valid(16, "8b 00", "mov");
        memory(X86.RBX, X86.RSI, 0, 0, X86.DS);
        valid(16, "8b 43 ff", "mov");
        memory(X86.RBP, X86.RDI, 0, -1, X86.SS);
        valid(16, "8b 06 34 12", "mov");
        memory(-1, -1, 0, 0x1234, X86.DS);
        valid(16, "8b 46 02", "mov");
        memory(X86.RBP, -1, 0, 2, X86.SS);
        valid(16, "8b 87 00 80", "mov");
        memory(X86.RBX, -1, 0, -0x8000, X86.DS);
        valid(32, "67 8b 04", "mov");
        memory(X86.RSI, -1, 0, 0, X86.DS);
    }

    @Test
    @DisplayName("segment overrides replace the default segment; in 64-bit mode only FS and GS do")
    void segments() {
        valid(32, "2e 8b 45 00", "mov");
        assertEquals(X86.CS, insn.segment);
        valid(64, "2e 8b 45 00", "mov");
        assertEquals(X86.SS, insn.segment);
        assertEquals(-1, insn.segmentOverride);
        valid(64, "64 2e 8b 45 00", "mov");
        assertEquals(X86.FS, insn.segment);
        valid(64, "65 48 a5", "movsq");
        assertEquals(X86.GS, insn.segment);
    }

    @Test
    @DisplayName("LOCK needs an instruction that allows it and memory to write")
    void lock() {
        valid(64, "f0 01 00", "add");
        assertTrue(insn.lock);
        valid(64, "f0 0f c7 08", "cmpxchg8b");
        invalid(64, "f0 01 c0");
        invalid(64, "f0 39 00");
        invalid(64, "f0 8b 00");
        invalid(64, "f0 03 00");
        invalid(64, "f0 90");
        invalid(64, "f0 0f ba 20 00");
        valid(64, "f0 0f ba 28 00", "bts");
    }

    @Test
    @DisplayName("mandatory prefixes select rows: the last of F2 and F3, and these before 66")
    void mandatory() {
        valid(64, "0f 58 c1", "addps");
        valid(64, "66 0f 58 c1", "addpd");
        valid(64, "f3 0f 58 c1", "addss");
        valid(64, "66 f3 0f 58 c1", "addss");
        assertEquals(0, insn.repeat);
        valid(64, "f3 f2 0f 58 c1", "addsd");
        valid(64, "f2 66 0f 10 c1", "movsd");
        invalid(64, "f3 0f 28 c1");
        valid(64, "66 f3 0f b8 c1", "popcnt");
        assertEquals(2, insn.operandSize);
        valid(64, "0f 66 c1", "pcmpgtd");
        valid(64, "66 0f f2 c1", "pslld");
    }

    @Test
    @DisplayName("repeat prefixes are noted where they are not part of the opcode")
    void repeat() {
        valid(64, "f3 48 ab", "stosq");
        assertEquals(0xf3, insn.repeat);
        valid(64, "f2 ae", "scasb");
        assertEquals(0xf2, insn.repeat);
        valid(64, "f3 90", "pause");
        valid(64, "f3 0f 1e fa", "endbr64");
        valid(64, "f3 c3", "ret");
    }

    @Test
    @DisplayName("90 is NOP, but exchanges with R8 if it has REX.B")
    void nop() {
        valid(64, "90", "nop");
        valid(64, "66 90", "nop");
        valid(64, "48 90", "nop");
        valid(64, "41 90", "xchg");
        assertEquals(8, insn.rm);
    }

    @Test
    @DisplayName("opcodes that 64-bit mode lacks are invalid there and valid elsewhere")
    void modes() {
        for (String hex :
                new String[] {
                    "06",
                    "27",
                    "2f",
                    "37",
                    "3f",
                    "60",
                    "61",
                    "62 00 7c 48 58 c1",
                    "9a 00 00 00 00 00 00",
                    "c4 01 78 77",
                    "c5 00 77",
                    "ce",
                    "d4 0a",
                    "d5 0a",
                    "d6",
                    "82 c0 01",
                    "0f 34"
                }) {
            invalid(64, hex);
            byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
            assertTrue(decoder.decode(code, 0, code.length, 32, insn) > 0, hex);
        }
        valid(64, "63 c1", "movsxd");
        valid(32, "63 c1", "arpl");
        invalid(32, "0f 01 f8");
        valid(64, "0f 01 f8", "swapgs");
        invalid(32, "f3 0f ae c0");
    }

    @Test
    @DisplayName("VEX, EVEX and XOP prefixes before opcodes of no enabled feature are invalid")
    void vectorsAreInvalid() {
        for (int mode : new int[] {32, 64}) {
            invalid(mode, "c5 f8 77");
            invalid(mode, "62 f1 7c 48 58 c1");
            invalid(mode, "8f e9 78 c1 c0");
        }
    }

    @Test
    @DisplayName("VEX prefixes name three operands, W means nothing outside 64-bit mode")
    void vex() {
        for (int mode : new int[] {16, 32, 64}) {
            valid(mode, "c4 e2 70 f2 c2", "andn");
            assertEquals(1, insn.vvvv);
            assertEquals(4, insn.operandSize);
            valid(mode, "c4 e2 f0 f2 c2", "andn");
            assertEquals(mode == 64 ? 8 : 4, insn.operandSize);
        }
        valid(64, "c4 42 30 f2 c2", "andn");
        assertEquals(8, insn.reg);
        assertEquals(9, insn.vvvv);
        assertEquals(10, insn.rm);
    }

    @Test
    @DisplayName("LOCK, 66, F2, F3 or REX before VEX, a wrong length or register make it invalid")
    void wrongVex() {
        for (String prefix : new String[] {"f0", "66", "f2", "f3", "48"}) {
            invalid(64, prefix + " c4 e2 70 f2 c2");
        }
        valid(64, "64 67 c4 e2 70 f2 02", "andn");
        assertEquals(4, insn.addressSize);
        invalid(64, "c4 e2 74 f2 c2"); // L is 1
        invalid(64, "c4 e3 73 f0 c0 01"); // RORX has no use for vvvv
        valid(64, "c4 e3 7b f0 c0 01", "rorx");
    }

    @Test
    @DisplayName("LES, LDS, BOUND and POP are what they were where no prefix can be meant")
    void notVectors() {
        valid(32, "c4 00", "les");
        valid(32, "c5 00", "lds");
        valid(32, "62 00", "bound");
        valid(64, "8f 00", "pop");
        valid(64, "8f c0", "pop");
        invalid(64, "8f c8 00 00 00");
    }

    @Test
    @DisplayName("forms that need memory are invalid with a register, and the other way round")
    void forms() {
        invalid(64, "8d c0");
        invalid(64, "0f c7 c8");
        invalid(64, "0f 50 00");
        invalid(64, "8e c8");
        invalid(64, "8e f0");
        invalid(64, "0f 20 c8");
        invalid(64, "44 0f 23 c0");
        valid(64, "44 0f 20 c0", "mov");
        assertEquals(8, insn.reg);
        valid(64, "0f 20 00", "mov");
        assertFalse(insn.memory);
        invalid(64, "ff f8");
        invalid(64, "c6 c8 00");
    }

    @Test
    @DisplayName("MMX, segment and x87 register numbers ignore REX")
    void eightRegisters() {
        valid(64, "45 0f fc c1", "paddb");
        assertEquals(0, insn.reg);
        assertEquals(1, insn.rm);
        valid(64, "44 8e d8", "mov");
        assertEquals(X86.DS, insn.reg);
        valid(64, "41 d8 c1", "fadd");
        assertEquals(1, insn.rm);
        valid(64, "66 45 0f fc c1", "paddb");
        assertEquals(8, insn.reg);
        assertEquals(9, insn.rm);
    }

    @Test
    @DisplayName("fifteen bytes are allowed, sixteen are too long")
    void tooLong() {
        String prefixes = "66".repeat(12);
        valid(64, prefixes + "83 c0 01", "add");
        assertEquals(Decoder.TOO_LONG, decode(64, "66" + prefixes + "83 c0 01"));
        assertEquals(Decoder.TOO_LONG, decode(64, "66".repeat(20)));
        assertEquals(Decoder.INCOMPLETE, decode(64, "66".repeat(14)));
    }

    @Test
    @DisplayName("names that depend on operand size")
    void namesBySize() {
        valid(64, "66 98", "cbw");
        valid(64, "98", "cwde");
        valid(64, "48 98", "cdqe");
        valid(64, "48 cf", "iretq");
        valid(16, "60", "pusha");
        valid(32, "60", "pushad");
    }
}

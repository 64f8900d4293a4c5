package org.alcazar.engines.x86.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Feature;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** Processor models against the levels of the x86-64 psABI, 3.1.1, spelled out by CPUID bit. */
class CpuModelTest {
    /** Function, register by number in encodings (EAX, ECX, EDX, EBX), bit. */
    private static final int[][] LEVEL_1 = {
        {1, 2, 0},
        {1, 2, 8},
        {1, 2, 15},
        {1, 2, 23},
        {1, 2, 24},
        {1, 2, 25},
        {1, 2, 26},
        {0x8000_0001, 2, 11},
        {0x8000_0001, 2, 29},
    };

    private static final int[][] LEVEL_2 = {
        {1, 1, 13}, {0x8000_0001, 1, 0}, {1, 1, 23}, {1, 1, 0}, {1, 1, 19}, {1, 1, 20}, {1, 1, 9},
    };

    /** XSAVE, AES, MOVBE, RDRAND; FSGSBASE, BMI1, SMEP, BMI2, RDSEED, ADX, SMAP, SHA; LZCNT. */
    private static final int[][] LATER = {
        {1, 1, 26},
        {1, 1, 25},
        {1, 1, 22},
        {1, 1, 30},
        {7, 3, 0},
        {7, 3, 3},
        {7, 3, 7},
        {7, 3, 8},
        {7, 3, 18},
        {7, 3, 19},
        {7, 3, 20},
        {7, 3, 29},
        {0x8000_0001, 1, 5},
    };

    private static void announces(CpuModel model, int[][] bits, boolean wanted) {
        for (int[] b : bits) {
            String what =
                    "%s: leaf %x, register %d, bit %d".formatted(model.name(), b[0], b[1], b[2]);
            assertEquals(wanted, model.has(b[0], b[1], b[2]), what);
        }
    }

    @Test
    @DisplayName("each level announces what the psABI lists for it, and nothing of the next one")
    void levels() {
        announces(CpuModel.X86_64_V1, LEVEL_1, true);
        announces(CpuModel.X86_64_V1, LEVEL_2, false);
        announces(CpuModel.X86_64_V1, LATER, false);
        announces(CpuModel.X86_64_V2, LEVEL_1, true);
        announces(CpuModel.X86_64_V2, LEVEL_2, true);
        announces(CpuModel.X86_64_V2, LATER, false);
        announces(CpuModel.MAX, LEVEL_1, true);
        announces(CpuModel.MAX, LEVEL_2, true);
        announces(CpuModel.MAX, LATER, true);
    }

    @Test
    @DisplayName("nobody announces AVX: it is not there yet")
    void noAvx() {
        announces(CpuModel.MAX, new int[][] {{1, 1, 28}, {1, 1, 12}, {7, 3, 5}, {7, 3, 16}}, false);
        assertEquals(0, CpuModel.MAX.xcr0Bits() & 0xe4);
    }

    @Test
    @DisplayName("what a model does not announce does not decode, and all it has does")
    void instructionsFollowTheModel() {
        // pshufd, pshufb, crc32, aesenc, andn, rdrand, xsave
        String[] code = {
            "660f70c000", "660f3800c1", "f20f38f0c1", "660f38dcc1", "c4e278f2c1", "0fc7f0", "0fae20"
        };
        String[] works = {"x......", "xxx....", "xxxxxxx"};
        for (int m = 0; m < works.length; m++) {
            Decoder decoder = new Decoder(CpuModel.ALL.get(m).table());
            for (int i = 0; i < code.length; i++) {
                byte[] bytes = HexFormat.of().parseHex(code[i] + "00".repeat(10));
                int length = decoder.decode(bytes, 0, 15, 64, new Instruction());
                boolean has = works[m].charAt(i) == 'x';
                assertEquals(has ? code[i].length() / 2 : Decoder.INVALID, length, code[i]);
            }
        }
    }

    @Test
    @DisplayName("control bits exist with their features only")
    void controlBitsFollowTheModel() {
        long recent =
                Bits.CR4_OSXSAVE
                        | Bits.CR4_SMEP
                        | Bits.CR4_SMAP
                        | Bits.CR4_PCIDE
                        | Bits.CR4_FSGSBASE
                        | Bits.CR4_UMIP
                        | Bits.CR4_PKE
                        | Bits.CR4_LA57;
        assertEquals(0, CpuModel.X86_64_V1.cr4Bits() & recent);
        assertEquals(0, CpuModel.X86_64_V2.cr4Bits() & recent);
        assertEquals(recent, CpuModel.MAX.cr4Bits() & recent);
    }

    @Test
    @DisplayName("models are found by name")
    void names() {
        assertEquals(CpuModel.MAX, CpuModel.named("max").orElseThrow());
        assertEquals(CpuModel.X86_64_V2, CpuModel.named("x86-64-v2").orElseThrow());
        assertTrue(CpuModel.named("z80").isEmpty());
        assertFalse(CpuModel.X86_64_V1.has(Feature.SSE3));
    }
}

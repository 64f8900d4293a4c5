package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

class NodeFactoryTest {
    private static final int[][] ESCAPES = {{}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

    private final NodeFactory factory = new NodeFactory(new Spinner());
    private final Decoder decoder = new Decoder();
    private final Set<Integer> rows = new HashSet<>();
    private final List<String> wrong = new ArrayList<>();

    @Test
    @DisplayName("every form of an announced row has a node, in every mode")
    void everyFormHasANode() {
        for (int mode : new int[] {16, 32, 64}) {
            for (int[] escape : ESCAPES) {
                for (int opcode = 0; opcode < 256; opcode++) {
                    opcode(mode, escape, opcode);
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(rows.size() > 900, "rows: " + rows.size());
    }

    private void opcode(int mode, int[] escape, int opcode) {
        int[] prefixes = {0, 0x66, 0xf2, 0xf3};
        for (int variant = 0; variant < (mode == 64 ? 8 : 4); variant++) {
            byte[] code = new byte[24];
            int at = 0;
            if ((variant & 3) != 0) {
                code[at++] = (byte) prefixes[variant & 3];
            }
            if (variant >= 4) {
                code[at++] = 0x48;
            }
            for (int b : escape) {
                code[at++] = (byte) b;
            }
            code[at++] = (byte) opcode;
            for (int reg = 0; reg < 8; reg++) {
                for (int rm : new int[] {6, 0xc1}) {
                    code[at] = (byte) (rm | reg << 3);
                    make(code, mode);
                }
            }
        }
    }

    private void make(byte[] code, int mode) {
        Instruction insn = new Instruction();
        if (decoder.decode(code, 0, 15, mode, insn) <= 0) {
            return;
        }
        int key = mode == 64 ? Block.MODE_64 : mode == 32 ? Block.MODE_32 | Block.FLAT : 0;
        try {
            factory.make(insn, 0x1000, key, -1);
            rows.add(insn.row.id());
        } catch (IllegalStateException e) {
            if (wrong.size() < 20) {
                wrong.add(HexFormat.of().formatHex(code, 0, insn.length) + " " + e.getMessage());
            }
        }
    }
}

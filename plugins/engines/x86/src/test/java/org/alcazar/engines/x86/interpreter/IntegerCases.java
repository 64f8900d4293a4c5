package org.alcazar.engines.x86.interpreter;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Encodings of integer instructions in 64-bit mode, with random registers filled in. */
final class IntegerCases {
    /**
     * Opcode bytes with what follows: {@code r} a ModRM byte with any registers or memory at RDI,
     * {@code 0} to {@code 7} one with this reg, {@code b}, {@code z} immediates of one byte and by
     * operand size. Each opcode whose lowest bit is a size is named by its even form and given as
     * {@code w}, others by {@code v} if they have operand sizes, else by a dot. A prefix that is
     * part of the opcode stands before it, with a colon. {@code x} is behind a VEX prefix: pp, map
     * and opcode.
     */
    private static final String FORMS =
            "w 00 r;w 02 r;w 08 r;w 0a r;w 10 r;w 12 r;w 18 r;w 1a r;w 20 r;w 22 r;w 28 r;w 2a r;"
                    + "w 30 r;w 32 r;w 38 r;w 3a r;w 04 z;w 0c z;w 14 z;w 1c z;w 24 z;w 2c z;w 34 z;"
                    + "w 3c z;w 84 r;w 86 r;w 88 r;w 8a r;w a8 z;w c6 0z;v 63 r;v 69 rz;v 6b rb;"
                    + "w 80 0z;w 80 1z;w 80 2z;w 80 3z;w 80 4z;w 80 5z;w 80 6z;w 80 7z;"
                    + "v 83 0b;v 83 1b;v 83 2b;v 83 3b;v 83 4b;v 83 5b;v 83 6b;v 83 7b;"
                    + "w c0 0b;w c0 1b;w c0 2b;w c0 3b;w c0 4b;w c0 5b;w c0 6b;w c0 7b;"
                    + "w d0 0;w d0 1;w d0 2;w d0 3;w d0 4;w d0 5;w d0 6;w d0 7;"
                    + "w d2 0;w d2 1;w d2 2;w d2 3;w d2 4;w d2 5;w d2 6;w d2 7;"
                    + "w f6 0z;w f6 1z;w f6 2;w f6 3;w f6 4;w f6 5;w f6 6;w f6 7;w fe 0;w fe 1;"
                    + "v 98 ;v 99 ;. 9e ;. 9f ;. f5 ;. f8 ;. f9 ;v 91 ;v 93 ;v 96 ;"
                    + "v 0fa3 r;v 0fab r;v 0fb3 r;v 0fbb r;v 0fba 4b;v 0fba 5b;v 0fba 6b;v 0fba 7b;"
                    + "v 0fa4 rb;v 0fa5 r;v 0fac rb;v 0fad r;v 0faf r;v 0fbc r;v 0fbd r;v f3:0fb8 r;"
                    + "w 0fb0 r;w 0fc0 r;v 0fb6 r;v 0fb7 r;v 0fbe r;v 0fbf r;v 0fc8 ;v 0fcb ;"
                    + "v 0f38f0 m;v 0f38f1 m;w f2:0f38f0 r;v 66:0f38f6 r;v f3:0f38f6 r;v f3:0fbd r;v 8d m;v 0fc7 1m;"
                    + "x 02f2 r;x 02f3 1;x 02f3 2;x 02f3 3;x 02f7 r;x 02f5 r;x 22f5 r;x 32f5 r;"
                    + "x 32f6 r;x 12f7 r;x 22f7 r;x 32f7 r;x 33f0 rb;v f3:0fbc r;"
                    + "c 0f40 r;s 0f90 r;";

    /** A part of the forms above that are to be run. */
    private static final String ONLY = System.getProperty("alcazar.oracle.form", "");

    final List<byte[]> codes = new ArrayList<>();
    private final Random random;

    /** Of the form at hand; 0 for none. */
    private int prefix;

    IntegerCases(Random random, int each) {
        this.random = random;
        for (String form : FORMS.split(";")) {
            if (!form.contains(ONLY)) {
                continue;
            }
            String[] parts = form.split(" ", -1);
            int colon = parts[1].indexOf(':');
            prefix = colon < 0 ? 0 : Integer.parseInt(parts[1].substring(0, colon), 16);
            int opcode = Integer.parseInt(parts[1].substring(colon + 1), 16);
            switch (parts[0].charAt(0)) {
                case 'w' -> {
                    add(opcode, parts[2], true, each);
                    add(opcode + 1, parts[2], false, 3 * each);
                }
                case 'v' -> add(opcode, parts[2], false, 3 * each);
                case 'c' -> {
                    for (int c = 0; c < 16; c++) {
                        add(opcode + c, parts[2], false, each);
                    }
                }
                case 's' -> {
                    for (int c = 0; c < 16; c++) {
                        add(opcode + c, parts[2], true, each);
                    }
                }
                case 'x' -> addVex(opcode, parts[2], 3 * each);
                default -> add(opcode, parts[2], true, each);
            }
        }
    }

    private void add(int opcode, String rest, boolean bytes, int n) {
        for (int i = 0; i < n; i++) {
            byte[] code = new byte[16];
            java.util.Arrays.fill(code, (byte) 0x90);
            int at = 0;
            int op = opcode;
            int size = bytes ? 1 : new int[] {2, 4, 8}[random.nextInt(3)];
            if (size == 2) {
                code[at++] = 0x66;
            }
            if (prefix != 0) {
                code[at++] = (byte) prefix;
            }
            int rex = size == 8 ? 0x48 | random.nextInt(8) : random.nextInt(3) * 0x40 & 0x40;
            rex |= rex != 0 ? random.nextInt(8) : 0;
            boolean modrm = !rest.isEmpty() && "rm01234567".indexOf(rest.charAt(0)) >= 0;
            // The harness owns RSP and RDI: neither may be changed.
            // CRC32 has a byte for its source only.
            int reg = register(rex >> 2 & 1, size == 1 && rex == 0 && prefix == 0);
            boolean memory = rest.contains("m") || random.nextInt(3) == 0;
            int rm = memory ? 7 : register(rex & 1, size == 1 && rex == 0);
            rex = memory ? rex & ~3 : rex & ~2;
            boolean registerInOpcode = op >= 0x0fc8 && op <= 0x0fcf;
            if (registerInOpcode) {
                rex &= ~1;
            }
            if (rex != 0) {
                code[at++] = (byte) rex;
            }
            if (op >>> 16 != 0) {
                code[at++] = (byte) (op >> 16);
            }
            if (op >>> 8 != 0) {
                code[at++] = (byte) (op >> 8);
            }
            code[at++] = (byte) op;
            if (modrm) {
                char kind = rest.charAt(0);
                if (Character.isDigit(kind)) {
                    reg = kind - '0';
                }
                code[at++] = (byte) ((memory ? 0x40 : 0xc0) | reg << 3 | rm);
                if (memory) {
                    // Bit strings reach far from a register's value: not with memory.
                    code[at++] = 24;
                    if (op == 0x0fa3 || op == 0x0fab || op == 0x0fb3 || op == 0x0fbb) {
                        code[at - 2] = (byte) (0xc0 | reg << 3 | 1);
                        code[--at] = (byte) 0x90;
                    }
                }
            }
            int immediate = rest.contains("b") ? 1 : rest.contains("z") ? Math.min(size, 4) : 0;
            for (int b = 0; b < immediate; b++) {
                code[at++] = (byte) interesting();
            }
            codes.add(code);
        }
    }

    private void addVex(int form, String rest, int n) {
        for (int i = 0; i < n; i++) {
            byte[] code = new byte[16];
            java.util.Arrays.fill(code, (byte) 0x90);
            int high = random.nextInt(16);
            boolean memory = random.nextInt(3) == 0;
            int reg = register(high & 1, false);
            int rm = memory ? 7 : register(high >> 1 & 1, false);
            int vvvv = rest.contains("b") ? 0 : register(high >> 2 & 1, false) | high << 1 & 8;
            boolean digit = Character.isDigit(rest.charAt(0));
            reg = digit ? rest.charAt(0) - '0' : reg;
            code[0] = (byte) 0xc4;
            // R, X and B are inverted; RDI is the base of all memory.
            int r = digit ? 0 : high << 7 & 0x80;
            int b = memory ? 0 : high << 4 & 0x20;
            code[1] = (byte) ((r | b) ^ 0xe0 | form >> 8 & 15);
            code[2] = (byte) (high << 4 & 0x80 | (vvvv ^ 15) << 3 | form >> 12);
            code[3] = (byte) form;
            code[4] = (byte) ((memory ? 0x40 : 0xc0) | reg << 3 | rm);
            code[5] = memory ? 24 : code[5];
            if (rest.contains("b")) {
                code[memory ? 6 : 5] = (byte) interesting();
            }
            codes.add(code);
        }
    }

    private int register(int high, boolean legacyByte) {
        while (true) {
            int r = random.nextInt(8);
            // 4 is RSP unless it is R12 or AH; 7 is RDI unless it is R15 or BH.
            if (high != 0 || legacyByte || r != 4 && r != 7) {
                return r;
            }
        }
    }

    /** Small, large, on the edge, or anything. */
    long interesting() {
        long edge = 1L << random.nextInt(64);
        return switch (random.nextInt(6)) {
            case 0 -> random.nextInt(4) - 1;
            case 1 -> edge;
            case 2 -> edge - 1;
            case 3 -> -edge;
            case 4 -> random.nextInt() >> random.nextInt(32);
            default -> random.nextLong();
        };
    }

    static String hex(byte[] code) {
        return HexFormat.of().formatHex(code);
    }
}

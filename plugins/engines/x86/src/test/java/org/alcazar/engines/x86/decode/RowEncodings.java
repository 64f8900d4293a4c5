package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

import java.util.Arrays;
import java.util.Random;

/** Random encodings of a row of the opcode table. */
final class RowEncodings {
    private static final int[] PREFIX_BYTES = {0, 0x66, 0xf3, 0xf2};
    private static final int TRIES = 300;

    private final Decoder decoder = new Decoder(OpcodeTable.complete());
    private final Instruction insn = new Instruction();
    private final Random random;
    private final byte[] code = new byte[32];
    private int at;

    RowEncodings(Random random) {
        this.random = random;
    }

    /** An encoding that decodes to this row, or an empty array if none was found. */
    byte[] next(Row row, int mode) {
        for (int i = 0; i < TRIES; i++) {
            random.nextBytes(code);
            at = 0;
            if (row.encoding().space() == Encoding.PLAIN) {
                plain(row, mode);
            } else {
                vector(row, mode);
            }
            int length = decoder.decode(code, 0, code.length, mode, insn);
            if (length > 0 && insn.row == row) {
                return Arrays.copyOf(code, length);
            }
        }
        return new byte[0];
    }

    private void put(int b) {
        code[at++] = (byte) b;
    }

    /** A number of a bit that is set. */
    private int oneOf(int mask) {
        while (true) {
            int bit = random.nextInt(8);
            if ((mask >> bit & 1) != 0) {
                return bit;
            }
        }
    }

    private void plain(Row row, int mode) {
        Encoding e = row.encoding();
        int prefix = oneOf(e.prefixes() & 15);
        if (prefix != 0) {
            put(PREFIX_BYTES[prefix]);
        }
        int modes = mode == 64 ? e.modes() & (Encoding.LONG | Encoding.LONG_W) : e.modes();
        if (mode == 64 && modes != 0) {
            int rex = 0x40 | random.nextInt(8);
            rex |= (modes & 1 << oneOf(modes) & Encoding.LONG_W) != 0 ? 8 : 0;
            if ((rex & 8) != 0 || random.nextBoolean()) {
                put(rex);
            }
        }
        switch (e.map()) {
            case 1 -> put(0x0f);
            case 2 -> {
                put(0x0f);
                put(0x38);
            }
            case 3 -> {
                put(0x0f);
                put(0x3a);
            }
            default -> {}
        }
        put(e.opcode() + random.nextInt(e.count()));
        modrm(e);
    }

    private void modrm(Encoding e) {
        if (e.modrm()) {
            boolean memory = e.memory() && (!e.register() || random.nextBoolean());
            int rm = memory ? random.nextInt(8) : oneOf(e.rms());
            int mod = memory ? random.nextInt(3) : 3;
            put(mod << 6 | oneOf(e.regs()) << 3 | rm);
        }
    }

    private void vector(Row row, int mode) {
        Encoding e = row.encoding();
        boolean long64 = mode == 64;
        int shape = row.shape();
        int pp = oneOf(e.prefixes());
        int wide = oneOf(e.widths());
        boolean used = (shape & Row.SHAPE_VVVV) != 0;
        int vvvv = used ? random.nextInt(long64 ? 16 : 8) : 0;
        vvvv &= (shape & Row.SHAPE_VVVV_PLAIN) != 0 && (shape & Row.SHAPE_REG_MASK) != 0 ? 7 : 15;
        int rxb = long64 ? random.nextInt(8) : 0;
        rxb &= (shape & Row.SHAPE_REG_MASK) != 0 ? 3 : 7;
        boolean opmask =
                row.operands().stream().anyMatch(o -> o.kind() == OperandKind.OPMASK_RM_REGISTER);
        rxb &= opmask ? 4 : 7;
        int length = (shape & Row.SHAPE_NO_LENGTH) != 0 ? 0 : oneOf(e.lengths());
        int p1 = wide << 7 | (~vvvv & 15) << 3 | pp;
        if (e.space() == Encoding.EVEX) {
            put(0x62);
            boolean high = long64 && (shape & Row.SHAPE_REG_VECTOR) != 0 && random.nextBoolean();
            put((~rxb & 7) << 5 | (high ? 0 : 0x10) | e.map());
            put(p1 | 4);
            put(evex(row, long64, length));
        } else {
            put(e.space() == Encoding.XOP ? 0x8f : 0xc4);
            put((~rxb & 7) << 5 | e.map());
            put(p1 | length << 2);
        }
        put(e.opcode());
        modrm(e);
    }

    private int evex(Row row, boolean long64, int length) {
        int shape = row.shape();
        int p2 = length << 5 | 8;
        boolean b = random.nextInt(3) == 0;
        if (b) {
            p2 |= 0x10;
            if ((shape & Row.SHAPE_ROUNDING) != 0 && random.nextBoolean()) {
                p2 = p2 & ~0x60 | random.nextInt(4) << 5;
            }
        }
        boolean vector = (shape & (Row.SHAPE_VVVV | Row.SHAPE_VECTOR_INDEX)) != 0;
        if (long64 && vector && random.nextBoolean()) {
            p2 &= ~8;
        }
        if ((shape & Row.SHAPE_MASK) != 0) {
            p2 |= random.nextInt(8);
            boolean zero = (shape & Row.SHAPE_ZEROING) != 0 && (p2 & 7) != 0;
            p2 |= zero && random.nextBoolean() ? 0x80 : 0;
        }
        return p2;
    }
}

package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

import java.util.SplittableRandom;

/** Makes bytes of a form: random registers, addressing, superfluous prefixes, immediates. */
final class Encoder {
    private static final int TRIES = 60;

    private static final int[] SEGMENT_PREFIXES = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

    private final Decoder decoder = new Decoder();
    private final byte[] bytes = new byte[32];
    private int at;

    /** What {@link #encode} made last. */
    final Instruction insn = new Instruction();

    /** A case's first instruction. */
    final Instruction first = new Instruction();

    /** Where the displacement is in it; its size, 0 if there is none. */
    int displacementAt;

    int displacementBytes;

    /** Where its immediates start: they reach to its end. */
    int immediateAt;

    byte[] bytes() {
        return bytes;
    }

    /** False if there is no encoding, as for forms that other rows override. */
    boolean encode(Form form, SplittableRandom random, Values values) {
        for (int i = 0; i < TRIES; i++) {
            at = 0;
            if (form.row().encoding().space() == Encoding.VEX) {
                writeVex(form, random);
            } else {
                write(form, random);
            }
            immediateAt = at;
            for (int b = at; b < bytes.length; b += 8) {
                immediate(b, values.integer());
            }
            int length = decoder.decode(bytes, 0, bytes.length, form.mode(), insn);
            if (length > 0 && fits(form)) {
                return true;
            }
        }
        return false;
    }

    private void immediate(int from, long value) {
        for (int i = 0; i < 8 && from + i < bytes.length; i++) {
            bytes[from + i] = (byte) (value >> 8 * i);
        }
    }

    /** Keeps the last one as {@link #first}. */
    void keep() {
        decoder.decode(bytes, 0, bytes.length, insn.mode, first);
    }

    /** Decodes again after a change of displacement or immediate. */
    void again(int mode) {
        decoder.decode(bytes, 0, bytes.length, mode, insn);
    }

    private boolean fits(Form form) {
        return insn.row == form.row()
                && (form.size() == 0 || insn.operandSize == form.size())
                && (!form.row().encoding().modrm() || insn.memory == form.memory())
                && insn.lock == (form.prefix() == 0xf0)
                && (!form.row().has(Row.REPEATABLE) || insn.repeat == repeat(form));
    }

    private static int repeat(Form form) {
        return form.prefix() == 0xf0 ? 0 : form.prefix();
    }

    private void put(int b) {
        bytes[at++] = (byte) b;
    }

    private void write(Form form, SplittableRandom random) {
        Encoding e = form.row().encoding();
        boolean small67 = random.nextInt(8) == 0;
        boolean operand66 = wants66(form, random);
        int repeat = mandatoryRepeat(form, random);
        boolean first = random.nextBoolean();
        if (first && repeat != 0) {
            put(repeat);
        }
        if (operand66) {
            put(0x66);
        }
        if (small67) {
            put(0x67);
        }
        if (random.nextInt(10) == 0) {
            put(SEGMENT_PREFIXES[random.nextInt(6)]);
        }
        if (form.prefix() == 0xf0) {
            put(0xf0);
        }
        if (!first && repeat != 0) {
            put(repeat);
        }
        rex(form, random);
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
        displacementBytes = 0;
        if (e.modrm()) {
            boolean wide = form.mode() == 16 ? small67 : form.mode() == 64 || !small67;
            modrm(form, random, wide);
        }
    }

    private void writeVex(Form form, SplittableRandom random) {
        Encoding e = form.row().encoding();
        boolean small67 = random.nextInt(8) == 0;
        if (small67) {
            put(0x67);
        }
        if (random.nextInt(10) == 0) {
            put(SEGMENT_PREFIXES[random.nextInt(6)]);
        }
        boolean long64 = form.mode() == 64;
        int w =
                form.size() == 8
                        ? 1
                        : e.widths() == 2 ? 1 : !long64 ? e.widths() >> 1 & random.nextInt(2) : 0;
        int pp = Integer.numberOfTrailingZeros(e.prefixes());
        int length = Integer.numberOfTrailingZeros(e.lengths());
        put(0xc4);
        put((long64 ? random.nextInt(8) << 5 : 0xe0) | e.map());
        // Rows without a third register need all ones there.
        int third = random.nextBoolean() ? 15 : random.nextInt(16);
        put(w << 7 | third << 3 | length << 2 | pp);
        put(e.opcode());
        displacementBytes = 0;
        modrm(form, random, form.mode() == 16 ? small67 : form.mode() == 64 || !small67);
    }

    private static boolean wants66(Form form, SplittableRandom random) {
        Encoding e = form.row().encoding();
        if (e.mandatory66()) {
            return true;
        }
        if ((e.prefixes() & Encoding.P66) == 0 && !e.mandatoryRepeat()) {
            return false;
        }
        return switch (form.size()) {
            case 0 -> random.nextInt(8) == 0;
            case 2 -> form.mode() != 16;
            case 4 -> form.mode() == 16;
            default -> random.nextInt(8) == 0 && !form.row().has(Row.DEFAULT_64);
        };
    }

    private static int mandatoryRepeat(Form form, SplittableRandom random) {
        Encoding e = form.row().encoding();
        if (form.prefix() == 0xf2 || form.prefix() == 0xf3) {
            return form.prefix();
        }
        boolean f3 = (e.prefixes() & Encoding.PF3) != 0;
        boolean f2 = (e.prefixes() & Encoding.PF2) != 0;
        if (e.mandatoryRepeat()) {
            return f3 && (!f2 || random.nextBoolean()) ? 0xf3 : 0xf2;
        }
        // Where it means nothing.
        boolean free = !form.row().has(Row.REPEATABLE) && random.nextInt(32) == 0;
        return free && f3 ? 0xf3 : free && f2 ? 0xf2 : 0;
    }

    private void rex(Form form, SplittableRandom random) {
        if (form.mode() != 64) {
            return;
        }
        int modes = form.row().encoding().modes();
        boolean sized = form.size() != 0;
        boolean mayBeWide = (modes & Encoding.LONG_W) != 0;
        boolean w =
                sized
                        ? form.size() == 8 && !form.row().has(Row.DEFAULT_64)
                                || form.size() == 8 && random.nextInt(4) == 0
                        : (modes & Encoding.LONG) == 0 || random.nextInt(8) == 0 && mayBeWide;
        if (w || random.nextBoolean()) {
            put(0x40 | random.nextInt(8) | (w ? 8 : 0));
        }
    }

    private static int pick(int mask, SplittableRandom random) {
        while (true) {
            int n = random.nextInt(8);
            if ((mask >> n & 1) != 0) {
                return n;
            }
        }
    }

    private void modrm(Form form, SplittableRandom random, boolean wide) {
        Encoding e = form.row().encoding();
        int reg = pick(e.regs(), random);
        if (!form.memory()) {
            boolean anyMod = (form.row().shape() & Row.SHAPE_NO_MEMORY) != 0;
            int mod = anyMod ? random.nextInt(4) : 3;
            put(mod << 6 | reg << 3 | pick(e.rms(), random));
            return;
        }
        int mod = random.nextInt(3);
        int rm = random.nextInt(8);
        put(mod << 6 | reg << 3 | rm);
        if (!wide) {
            displacement(mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0, random);
            return;
        }
        int base = rm;
        if (rm == 4) {
            int sib = random.nextInt(256);
            put(sib);
            base = sib & 7;
        }
        displacement(mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0, random);
    }

    private void displacement(int size, SplittableRandom random) {
        displacementAt = at;
        displacementBytes = size;
        long value = random.nextInt() >> random.nextInt(30);
        for (int i = 0; i < size; i++) {
            put((int) (value >> 8 * i));
        }
    }

    /** Writes a little-endian number into the bytes. */
    void patch(int from, int size, long value) {
        for (int i = 0; i < size; i++) {
            bytes[from + i] = (byte) (value >> 8 * i);
        }
    }

    boolean has(OperandKind kind) {
        for (var o : insn.row.operands()) {
            if (o.kind() == kind) {
                return true;
            }
        }
        return false;
    }
}

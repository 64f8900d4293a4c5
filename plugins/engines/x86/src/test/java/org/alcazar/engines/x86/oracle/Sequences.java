package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.decode.Syntax;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random programs out of the oracle's forms: a few straight stretches with branches between them, a
 * call here and there, and a jump back to the start.
 */
final class Sequences {
    /** What compilers make most of. */
    private static final String FREQUENT = "(Alu|Shift|Moves|MulDiv|BitOps|Stack|Flags)\\..*";

    private static final int JMP = 0xe9, CALL = 0xe8, RET = 0xc3, LOOPNE = 0xe0;

    private final int mode;
    private final List<Form> all;
    private final List<Form> frequent;
    private final Values values = new Values();
    private final Encoder encoder = new Encoder();
    private final List<Integer> starts = new ArrayList<>();
    private final byte[] code = new byte[1024];
    private int length;

    Sequences(int mode) {
        this(mode, ".*");
    }

    /**
     * Of some instructions.
     *
     * @param which a pattern of their semantics
     */
    Sequences(int mode, String which) {
        this.mode = mode;
        all =
                Form.all(OpcodeTable.rows(), Feature.IMPLEMENTED).stream()
                        .filter(f -> f.mode() == mode && suits(f))
                        .filter(f -> f.row().semantics().matches(which))
                        .toList();
        frequent = all.stream().filter(f -> f.row().semantics().matches(FREQUENT)).toList();
    }

    /** Repetitions have no bound, and what ends a block is not for the middle of one. */
    private static boolean suits(Form f) {
        Row row = f.row();
        return !row.has(Row.PRIVILEGED)
                && !row.has(Row.ENDS_BLOCK)
                && f.prefix() != 0xf3
                && f.prefix() != 0xf2;
    }

    /** Makes a program. @return its code */
    byte[] make(SplittableRandom random) {
        values.use(random);
        starts.clear();
        length = 0;
        int instructions = 5 + random.nextInt(26);
        List<Integer> branches = new ArrayList<>();
        for (int i = 0; i < instructions; i++) {
            starts.add(length);
            switch (random.nextInt(12)) {
                case 0, 1 -> {
                    put(0x0f, 0x80 | random.nextInt(16));
                    branches.add(hole());
                }
                case 2 -> {
                    if (random.nextInt(3) == 0) {
                        put(LOOPNE + random.nextInt(4), 0);
                        near(starts.get(random.nextInt(starts.size())));
                    } else if (random.nextInt(2) == 0) {
                        put(random.nextInt(4) == 0 ? RET : CALL);
                        if (code[length - 1] == (byte) CALL) {
                            branches.add(hole());
                        }
                    }
                }
                default -> instruction(random);
            }
        }
        put(JMP);
        fill(hole(), 0);
        for (int hole : branches) {
            fill(hole, starts.get(random.nextInt(starts.size())));
        }
        return java.util.Arrays.copyOf(code, length);
    }

    /** Where one of its instructions starts. */
    int start(SplittableRandom random) {
        return starts.get(random.nextInt(starts.size()));
    }

    private void instruction(SplittableRandom random) {
        List<Form> from = random.nextBoolean() ? frequent : all;
        Form form = from.get(random.nextInt(from.size()));
        if (encoder.encode(form, random, values)) {
            Instruction insn = encoder.insn;
            System.arraycopy(encoder.bytes(), 0, code, length, insn.length);
            length += insn.length;
        }
    }

    private void put(int... bytes) {
        for (int b : bytes) {
            code[length++] = (byte) b;
        }
    }

    /** Has the branch by a byte that was put last lead to a place if that is near. */
    private void near(int target) {
        int distance = target - length;
        code[length - 1] = distance == (byte) distance ? (byte) distance : 0;
    }

    private int hole() {
        int at = length;
        length += wide();
        return at;
    }

    /** Bytes of a branch's distance. */
    private int wide() {
        return mode == 16 ? 2 : 4;
    }

    private void fill(int hole, int target) {
        int distance = target - hole - wide();
        for (int i = 0; i < wide(); i++) {
            code[hole + i] = (byte) (distance >> 8 * i);
        }
    }

    /** Lines for people. */
    String text(byte[] program, long address) {
        Disassembler disassembler = new Disassembler(Syntax.INTEL);
        StringBuilder s = new StringBuilder();
        for (int at = 0; at < program.length; at += Math.max(1, disassembler.length())) {
            String line = disassembler.text(program, at, program.length - at, mode, address + at);
            s.append(String.format("  %x: %s%n", address + at, line));
        }
        return s.toString();
    }

    long value() {
        return values.integer();
    }

    long number(int kind) {
        return values.lane(kind);
    }
}

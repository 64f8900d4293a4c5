package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.semantics.Binder;
import org.alcazar.engines.x86.semantics.Binding;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;

import java.lang.classfile.CodeBuilder;
import java.util.Objects;

/** Writes the bytecode of what moves, shuffles and combines XMM registers without arithmetic. */
final class VectorWriter {
    private static final long LOW32 = 0xffffffffL;

    /** Four lanes of a shuffle's result. */
    private static final int LANES = VectorLocals.TEMPORARY;

    private final CodeBuilder c;
    private final VectorLocals vectors;
    private final InstructionWriter writer;
    private final FloatWriter floats;
    private final PackedWriter packed;

    VectorWriter(CodeBuilder c, Frame frame, InstructionWriter writer, boolean lazy) {
        this.c = c;
        this.writer = writer;
        vectors = frame.vectors;
        floats = new FloatWriter(c, frame, writer, lazy);
        packed = new PackedWriter(c, vectors, this);
    }

    static int register(Instruction insn, Place p) {
        Operand o = insn.row.operands().get(p.slot() - 1);
        return o.kind() == OperandKind.XMM0 ? 0 : Binder.registerOf(o, insn);
    }

    /**
     * Writes an instruction, whose memory operand has been found.
     *
     * @return false if it is to be called, with nothing written
     */
    boolean write(Instruction insn, Binding b) {
        if (b.lanes) {
            lanes(insn, b);
            return true;
        }
        if (b.arguments.isEmpty()) {
            return false;
        }
        String name = b.method.getName();
        return switch (b.method.getDeclaringClass().getSimpleName()) {
            case "SseMemory" -> move(insn, b, name);
            case "SseShuffle", "Sse3" -> shuffle(insn, b, name) || packed.write(insn, b, name);
            case "SseInteger" -> packed.write(insn, b, name);
            case "SseScalar", "SsePacked", "SseConvert" -> floats.write(insn, b, name);
            default -> false;
        };
    }

    /** The same operation on both halves. */
    private void lanes(Instruction insn, Binding b) {
        Place source = b.arguments.getLast();
        fetch(insn, source, Frame.T0, Frame.T1);
        int to = register(insn, Objects.requireNonNull(b.result));
        boolean two = b.arguments.size() == 2;
        for (int half = 0; half < 2; half++) {
            if (two) {
                vectors.get(c, 2 * to + half);
            }
            c.lload(half == 0 ? Frame.T0 : Frame.T1);
            writer.invoke(b.method);
            vectors.set(c, 2 * to + half);
        }
    }

    /** Has 128 bits in two variables. */
    void fetch(Instruction insn, Place source, int lo, int hi) {
        if (source.kind() == Kind.MEMORY) {
            writer.load(8);
            c.lstore(lo);
            writer.loadHigh();
            c.lstore(hi);
        } else {
            int r = register(insn, source);
            vectors.get(c, 2 * r);
            c.lstore(lo);
            vectors.get(c, 2 * r + 1);
            c.lstore(hi);
        }
    }

    // ---- moves

    private boolean move(Instruction insn, Binding b, String name) {
        if (b.arguments.getFirst().kind() != Kind.XMM_NUMBER) {
            return false;
        }
        int to = 2 * register(insn, b.arguments.getFirst());
        Place from = b.arguments.getLast();
        switch (name) {
            case "load128" -> {
                if (from.kind() == Kind.MEMORY) {
                    writer.load(8);
                    vectors.set(c, to);
                    writer.loadHigh();
                    vectors.set(c, to + 1);
                } else {
                    quad(insn, from, to);
                    vectors.move(c, 2 * register(insn, from) + 1, to + 1);
                }
            }
            case "load64", "movd64" -> {
                quad(insn, from, to);
                zero(to + 1);
            }
            case "load32", "movd32" -> {
                writer.raw(insn, from);
                c.loadConstant(LOW32).land();
                vectors.set(c, to);
                zero(to + 1);
            }
            case "merge32" -> {
                if (from.kind() != Kind.XMM) {
                    return false;
                }
                vectors.get(c, to);
                c.loadConstant(~LOW32).land();
                vectors.get(c, 2 * register(insn, from));
                c.loadConstant(LOW32).land().lor();
                vectors.set(c, to);
            }
            case "merge64" -> quad(insn, from, to);
            case "mergeHigh" -> quad(insn, from, to + 1);
            case "movhlps" -> vectors.move(c, 2 * register(insn, from) + 1, to);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void zero(int half) {
        c.loadConstant(0L);
        vectors.set(c, half);
        vectors.calm(half);
        vectors.calm(half, 0);
        vectors.calm(half, 1);
    }

    /** Moves 64 bits to a half. */
    private void quad(Instruction insn, Place from, int to) {
        if (from.kind() == Kind.XMM) {
            vectors.move(c, 2 * register(insn, from), to);
        } else {
            writer.raw(insn, from);
            vectors.set(c, to);
        }
    }

    /** All of a register to memory, whose address has been found, or to another. */
    void store128(Instruction insn) {
        int from = 2 * insn.reg;
        if (insn.memory) {
            vectors.get(c, from);
            writer.store(8);
            vectors.get(c, from + 1);
            writer.storeHigh();
        } else {
            vectors.move(c, from, 2 * insn.rm);
            vectors.move(c, from + 1, 2 * insn.rm + 1);
        }
    }

    // ---- shuffles

    private boolean shuffle(Instruction insn, Binding b, String name) {
        if (b.arguments.getFirst().kind() != Kind.XMM_NUMBER) {
            return false;
        }
        int to = 2 * register(insn, b.arguments.getFirst());
        Place from = b.arguments.get(1);
        int imm = (int) insn.immediate;
        switch (name) {
            case "movddup" -> {
                quad(insn, from, to);
                vectors.move(c, to, to + 1);
            }
            case "unpcklpd", "punpcklqdq" -> half(insn, from, 0, to + 1);
            case "unpckhpd", "punpckhqdq" -> halves(insn, from, to, 1, 1);
            case "shufpd" -> halves(insn, from, to, imm & 1, imm >> 1 & 1);
            case "pshufd" -> quarters(insn, from, to, true, imm, imm >> 2, imm >> 4, imm >> 6);
            case "shufps" ->
                    quarters(
                            insn,
                            from,
                            to,
                            false,
                            imm & 3,
                            imm >> 2 & 3,
                            4 | imm >> 4 & 3,
                            4 | imm >> 6 & 3);
            case "unpcklps", "punpckldq" -> quarters(insn, from, to, false, 0, 4, 1, 5);
            case "unpckhps", "punpckhdq" -> quarters(insn, from, to, false, 2, 6, 3, 7);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** One half of the source to a half. */
    private void half(Instruction insn, Place from, int which, int to) {
        if (from.kind() == Kind.XMM) {
            vectors.move(c, 2 * register(insn, from) + which, to);
            return;
        }
        if (which == 0) {
            writer.load(8);
        } else {
            writer.loadHigh();
        }
        vectors.set(c, to);
    }

    /** One half of the destination below one of the source. */
    private void halves(Instruction insn, Place from, int to, int low, int high) {
        if (from.kind() == Kind.XMM && register(insn, from) == to / 2) {
            vectors.get(c, to + low);
            vectors.get(c, to + high);
            vectors.set(c, to + 1);
            vectors.set(c, to);
            return;
        }
        if (low != 0) {
            vectors.move(c, to + 1, to);
        }
        half(insn, from, high, to + 1);
    }

    /**
     * Four lanes of 32 bits.
     *
     * @param one all of them from the source; else 0 to 3 are the destination's, 4 to 7 the
     *     source's
     */
    private void quarters(Instruction insn, Place from, int to, boolean one, int... which) {
        fetch(insn, from, Frame.T0, Frame.T1);
        for (int i = 0; i < 4; i++) {
            int lane = which[i] & 3;
            if (one || (which[i] & 4) != 0) {
                c.lload(lane < 2 ? Frame.T0 : Frame.T1);
            } else {
                vectors.get(c, to + lane / 2);
            }
            if ((lane & 1) != 0) {
                c.loadConstant(32).lushr();
            } else {
                c.loadConstant(LOW32).land();
            }
            c.lstore(LANES + 2 * i);
        }
        for (int half = 0; half < 2; half++) {
            c.lload(LANES + 4 * half).lload(LANES + 4 * half + 2).loadConstant(32).lshl().lor();
            vectors.set(c, to + half);
        }
    }
}

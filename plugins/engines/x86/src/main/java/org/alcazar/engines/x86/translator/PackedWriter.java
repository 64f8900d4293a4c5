package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.Binding;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Mmx;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes packs, unpacks and shifts by constants of integers in XMM registers, by what the MMX
 * instructions of the same names do to the halves.
 */
final class PackedWriter {
    private static final ClassDesc MMX = Frame.desc(Mmx.class);
    private static final MethodTypeDesc BINARY = MethodTypeDesc.of(CD_long, CD_long, CD_long);
    private static final MethodTypeDesc LOW = MethodTypeDesc.of(CD_long, CD_long, CD_int);

    private final CodeBuilder c;
    private final VectorLocals vectors;
    private final VectorWriter writer;

    PackedWriter(CodeBuilder c, VectorLocals vectors, VectorWriter writer) {
        this.c = c;
        this.vectors = vectors;
        this.writer = writer;
    }

    /**
     * Writes an instruction of {@code SseInteger} or {@code SseShuffle}.
     *
     * @return false if it is none of these, with nothing written
     */
    boolean write(Instruction insn, Binding b, String name) {
        if (b.arguments.getFirst().kind() != Kind.XMM_NUMBER) {
            return false;
        }
        int to = 2 * VectorWriter.register(insn, b.arguments.getFirst());
        int imm = (int) insn.immediate & 0xff;
        switch (name) {
            case "psllwI", "pslldI", "psllqI", "psrlwI", "psrldI", "psrlqI", "psrawI", "psradI" ->
                    shift(name.substring(0, name.length() - 1), to, imm);
            case "pslldqI" -> bytes(to, to + 1, imm, true);
            case "psrldqI" -> bytes(to + 1, to, imm, false);
            case "packsswb", "packuswb", "packssdw" -> {
                writer.fetch(insn, b.arguments.get(1), Frame.T0, Frame.T1);
                vectors.get(c, to);
                vectors.get(c, to + 1);
                c.invokestatic(MMX, name, BINARY);
                vectors.set(c, to);
                c.lload(Frame.T0).lload(Frame.T1).invokestatic(MMX, name, BINARY);
                vectors.set(c, to + 1);
            }
            case "punpcklbw", "punpcklwd" -> unpack(insn, b, to, 0, name.substring(7));
            case "punpckhbw", "punpckhwd" -> unpack(insn, b, to, 1, name.substring(7));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void shift(String name, int to, int count) {
        for (int half = to; half < to + 2; half++) {
            vectors.get(c, half);
            c.loadConstant((long) count).invokestatic(MMX, name, BINARY);
            vectors.set(c, half);
        }
    }

    /** All 128 bits by bytes, out of one half into the other. */
    private void bytes(int out, int in, int count, boolean left) {
        int bits = 8 * Math.min(count, 16);
        if (bits == 0) {
            return;
        }
        if (bits < 64) {
            vectors.get(c, in);
            by(bits, left);
            vectors.get(c, out);
            by(64 - bits, !left);
            c.lor();
            vectors.set(c, in);
            vectors.get(c, out);
            by(bits, left);
        } else {
            if (bits < 128) {
                vectors.get(c, out);
                by(bits - 64, left);
            } else {
                c.loadConstant(0L);
            }
            vectors.set(c, in);
            c.loadConstant(0L);
        }
        vectors.set(c, out);
    }

    private void by(int bits, boolean left) {
        c.loadConstant(bits);
        if (left) {
            c.lshl();
        } else {
            c.lushr();
        }
    }

    /** A half of the source between the lanes of the same half of the destination. */
    private void unpack(Instruction insn, Binding b, int to, int half, String lanes) {
        writer.fetch(insn, b.arguments.get(1), Frame.T0, Frame.T1);
        int source = half == 0 ? Frame.T0 : Frame.T1;
        vectors.get(c, to + half);
        c.lstore(Frame.T2);
        c.lload(Frame.T2).lload(source).l2i().invokestatic(MMX, "punpckl" + lanes, LOW);
        vectors.set(c, to);
        c.lload(Frame.T2).lload(source).invokestatic(MMX, "punpckh" + lanes, BINARY);
        vectors.set(c, to + 1);
    }
}

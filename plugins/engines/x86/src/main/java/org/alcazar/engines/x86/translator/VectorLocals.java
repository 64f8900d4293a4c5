package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_Double;
import static java.lang.constant.ConstantDescs.CD_Float;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/**
 * The local variables of XMM registers: two halves each, number 2 * n for the low half of register
 * n, 2 * n + 1 for the high one. A half that the region computes with as a double is a double
 * throughout, so that it stays where the host has doubles; one that it computes with as singles is
 * two floats; any other is a long. Whoever wants it as something else converts, which the compiler
 * undoes where two conversions meet. Moves keep every bit, NaNs' too.
 */
final class VectorLocals {
    private static final long LOW32 = 0xffffffffL;

    /** The first of 64 local variables. */
    static final int FIRST = 68;

    /** Eight more, for the present instruction. */
    static final int TEMPORARY = 134;

    /** Sets of halves. */
    int loaded;

    int dirty;

    private int computedAsDouble;
    private int computedAsSingles;

    /** What the variables are: known in the second pass. */
    private int doubles;

    private int singles;

    /** Halves that hold no denormal number, as a double. */
    private int calmDoubles;

    /** The same for singles; bit 2 * half + lane. */
    private long calmSingles;

    void expect(VectorLocals before) {
        loaded = before.loaded;
        dirty = before.dirty;
        doubles = before.computedAsDouble;
        singles = before.computedAsSingles & ~doubles;
    }

    private static boolean has(int set, int half) {
        return (set >>> half & 1) != 0;
    }

    private static int slot(int half) {
        return FIRST + 2 * half;
    }

    // ---- halves as they are

    /** Leaves a half as a long. */
    void get(CodeBuilder c, int half) {
        loaded |= 1 << half;
        push(c, half);
    }

    /** Takes a half from the stack, a long. */
    void set(CodeBuilder c, int half) {
        changed(half);
        pop(c, half);
    }

    private void changed(int half) {
        loaded |= 1 << half;
        dirty |= 1 << half;
        forget(half);
    }

    private void push(CodeBuilder c, int half) {
        if (has(doubles, half)) {
            c.dload(slot(half));
            toBits(c);
        } else if (has(singles, half)) {
            c.fload(slot(half) + 1);
            singleToLong(c);
            c.loadConstant(32).lshl();
            c.fload(slot(half));
            singleToLong(c);
            c.lor();
        } else {
            c.lload(slot(half));
        }
    }

    private void pop(CodeBuilder c, int half) {
        if (has(doubles, half)) {
            toDouble(c);
            c.dstore(slot(half));
        } else if (has(singles, half)) {
            c.dup2().l2i();
            toSingle(c);
            c.fstore(slot(half));
            c.loadConstant(32).lushr().l2i();
            toSingle(c);
            c.fstore(slot(half) + 1);
        } else {
            c.lstore(slot(half));
        }
    }

    /** Copies a half with what is known about it. */
    void move(CodeBuilder c, int from, int to) {
        boolean calm = has(calmDoubles, from);
        long calmLanes = calmSingles >>> 2 * from & 3;
        if (has(singles, from) && has(singles, to)) {
            loaded |= 1 << from;
            changed(to);
            c.fload(slot(from)).fload(slot(from) + 1).fstore(slot(to) + 1).fstore(slot(to));
        } else {
            get(c, from);
            set(c, to);
        }
        calmDoubles |= calm ? 1 << to : 0;
        calmSingles |= calmLanes << 2 * to;
    }

    // ---- numbers

    void getDouble(CodeBuilder c, int half) {
        loaded |= 1 << half;
        computedAsDouble |= 1 << half;
        if (has(doubles, half)) {
            c.dload(slot(half));
        } else {
            push(c, half);
            toDouble(c);
        }
    }

    void setDouble(CodeBuilder c, int half) {
        computedAsDouble |= 1 << half;
        changed(half);
        if (has(doubles, half)) {
            c.dstore(slot(half));
        } else {
            toBits(c);
            pop(c, half);
        }
    }

    void getSingle(CodeBuilder c, int half, int lane) {
        loaded |= 1 << half;
        computedAsSingles |= 1 << half;
        if (has(singles, half)) {
            c.fload(slot(half) + lane);
            return;
        }
        push(c, half);
        if (lane != 0) {
            c.loadConstant(32).lushr();
        }
        c.l2i();
        toSingle(c);
    }

    void setSingle(CodeBuilder c, int half, int lane) {
        computedAsSingles |= 1 << half;
        loaded |= 1 << half;
        dirty |= 1 << half;
        calmDoubles &= ~(1 << half);
        calmSingles &= ~(1L << 2 * half + lane);
        if (has(singles, half)) {
            c.fstore(slot(half) + lane);
            return;
        }
        singleToLong(c);
        if (lane != 0) {
            c.loadConstant(32).lshl();
        }
        push(c, half);
        c.loadConstant(lane == 0 ? ~LOW32 : LOW32).land().lor();
        pop(c, half);
    }

    static void toDouble(CodeBuilder c) {
        c.invokestatic(CD_Double, "longBitsToDouble", MethodTypeDesc.of(CD_double, CD_long));
    }

    static void toBits(CodeBuilder c) {
        c.invokestatic(CD_Double, "doubleToRawLongBits", MethodTypeDesc.of(CD_long, CD_double));
    }

    static void toSingle(CodeBuilder c) {
        c.invokestatic(CD_Float, "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
    }

    static void toIntBits(CodeBuilder c) {
        c.invokestatic(CD_Float, "floatToRawIntBits", MethodTypeDesc.of(CD_int, CD_float));
    }

    private static void singleToLong(CodeBuilder c) {
        toIntBits(c);
        c.i2l().loadConstant(LOW32).land();
    }

    // ---- what is known about them

    boolean isCalm(int half) {
        return has(calmDoubles, half);
    }

    boolean isCalm(int half, int lane) {
        return (calmSingles >>> 2 * half + lane & 1) != 0;
    }

    void calm(int half) {
        calmDoubles |= 1 << half;
    }

    void calm(int half, int lane) {
        calmSingles |= 1L << 2 * half + lane;
    }

    /** Where ways meet nothing is known. */
    void forget() {
        calmDoubles = 0;
        calmSingles = 0;
    }

    private void forget(int half) {
        calmDoubles &= ~(1 << half);
        calmSingles &= ~(3L << 2 * half);
    }

    // ---- the core's state

    /** Stores halves to the core's state, though they stay dirty. */
    void spill(CodeBuilder c, int set) {
        for (int h = 0; h < 32; h++) {
            if (has(set, h)) {
                c.aload(Frame.XMM).loadConstant(h);
                push(c, h);
                c.lastore();
            }
        }
    }

    void reload(CodeBuilder c, int set) {
        for (int h = 0; h < 32; h++) {
            if (has(set, h)) {
                forget(h);
                c.aload(Frame.XMM).loadConstant(h).laload();
                pop(c, h);
            }
        }
    }
}

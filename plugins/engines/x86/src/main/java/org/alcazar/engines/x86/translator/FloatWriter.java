package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.Binding;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes SSE arithmetic as the host's own, for code that runs while {@link Guards#lazy} holds. What
 * is not {@link Ordinary} leaves to the interpreter before anything has changed.
 */
final class FloatWriter {
    private static final ClassDesc ORDINARY = Frame.desc(Ordinary.class);
    private static final ClassDesc MATH = Frame.desc(Math.class);

    /** Results of up to four lanes. */
    private static final int RESULTS = VectorLocals.TEMPORARY;

    private final CodeBuilder c;
    private final Frame frame;
    private final VectorLocals vectors;
    private final InstructionWriter writer;
    private final boolean lazy;

    // The present instruction: its registers, and whether the source is memory, then in T0 and T1.
    private int to;
    private int from;
    private boolean memory;
    private boolean single;

    FloatWriter(CodeBuilder c, Frame frame, InstructionWriter writer, boolean lazy) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.lazy = lazy;
        vectors = frame.vectors;
    }

    /**
     * @param name of its semantics
     * @return false if it is to be called, with nothing written
     */
    boolean write(Instruction insn, Binding b, String name) {
        if (!lazy) {
            return false;
        }
        boolean known =
                b.method.getDeclaringClass().getSimpleName().equals("SseConvert")
                        ? convert(insn, b, name)
                        : compute(insn, b, name);
        frame.lazy |= known;
        return known;
    }

    private boolean compute(Instruction insn, Binding b, String name) {
        int end = name.length() - 2;
        String operation = name.substring(0, end);
        single = name.charAt(end + 1) == 's';
        boolean packed = name.charAt(end) == 'p';
        switch (operation) {
            case "add", "sub", "mul", "div", "min", "max", "sqrt" -> {
                start(insn, b, b.arguments.get(1));
                lanes(operation, !packed ? 1 : single ? 4 : 2);
            }
            case "cmp" -> {
                if (single) {
                    return false;
                }
                start(insn, b, b.arguments.get(1));
                compare(packed ? 2 : 1, (int) insn.immediate & 7);
            }
            case "comi", "ucomi" -> {
                start(insn, b, b.arguments.get(1));
                order();
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Looks at the operands; loads the source if it is memory. */
    private void start(Instruction insn, Binding b, Place source) {
        to = VectorWriter.register(insn, b.arguments.getFirst());
        memory = source.kind() != Kind.XMM;
        if (!memory) {
            from = VectorWriter.register(insn, source);
            return;
        }
        writer.load(Math.min(source.bytes(), 8));
        c.lstore(Frame.T0);
        if (source.bytes() == 16) {
            writer.loadHigh();
            c.lstore(Frame.T1);
        }
    }

    // ---- lanes of the operands: numbered from 0, of the format at hand

    private void first(int lane) {
        number(to, lane);
    }

    private void number(int register, int lane) {
        if (single) {
            vectors.getSingle(c, 2 * register + (lane >> 1), lane & 1);
        } else {
            vectors.getDouble(c, 2 * register + lane);
        }
    }

    private void second(int lane) {
        if (!memory) {
            number(from, lane);
        } else if (single) {
            secondBits(lane);
            VectorLocals.toSingle(c);
        } else {
            secondBits(lane);
            VectorLocals.toDouble(c);
        }
    }

    /** Of memory. */
    private void secondBits(int lane) {
        if (!single) {
            c.lload(lane == 0 ? Frame.T0 : Frame.T1);
            return;
        }
        c.lload(lane < 2 ? Frame.T0 : Frame.T1);
        if ((lane & 1) != 0) {
            c.loadConstant(32).lushr();
        }
        c.l2i();
    }

    /** Leaves if the lane of the source is denormal. */
    private void calmSecond(int lane) {
        if (!memory) {
            calm(from, lane);
            return;
        }
        secondBits(lane);
        leaveIfTiny();
    }

    private void calm(int register, int lane) {
        if (single) {
            int half = 2 * register + (lane >> 1);
            if (!vectors.isCalm(half, lane & 1)) {
                vectors.getSingle(c, half, lane & 1);
                VectorLocals.toIntBits(c);
                leaveIfTiny();
                vectors.calm(half, lane & 1);
            }
        } else {
            int half = 2 * register + lane;
            if (!vectors.isCalm(half)) {
                vectors.getDouble(c, half);
                VectorLocals.toBits(c);
                leaveIfTiny();
                vectors.calm(half);
            }
        }
    }

    private void leaveIfTiny() {
        if (single) {
            check("isTinySingle", CD_int);
        } else {
            check("isTiny", CD_long);
        }
        c.ifne(writer.out());
    }

    /** Leaves a boolean. */
    private void check(String name, ClassDesc... types) {
        c.invokestatic(ORDINARY, name, MethodTypeDesc.of(CD_boolean, types));
    }

    private ClassDesc type() {
        return single ? CD_float : CD_double;
    }

    private void storeResult(int lane) {
        if (single) {
            c.fstore(RESULTS + 2 * lane);
        } else {
            c.dstore(RESULTS + 2 * lane);
        }
    }

    private void loadResult(int lane) {
        if (single) {
            c.fload(RESULTS + 2 * lane);
        } else {
            c.dload(RESULTS + 2 * lane);
        }
    }

    /** Takes a number from the stack to a lane of the destination. */
    private void set(int lane, boolean calm) {
        int half = 2 * to + (single ? lane >> 1 : lane);
        if (single) {
            vectors.setSingle(c, half, lane & 1);
            if (calm) {
                vectors.calm(half, lane & 1);
            }
        } else {
            vectors.setDouble(c, half);
            if (calm) {
                vectors.calm(half);
            }
        }
    }

    // ---- arithmetic

    private void lanes(String operation, int count) {
        for (int lane = 0; lane < count; lane++) {
            if (!operation.equals("sqrt")) {
                calm(to, lane);
            }
            calmSecond(lane);
            result(operation, lane);
        }
        for (int lane = 0; lane < count; lane++) {
            loadResult(lane);
            set(lane, true);
        }
    }

    private void result(String operation, int lane) {
        boolean choice = operation.equals("min") || operation.equals("max");
        if (choice) {
            ordered(lane);
        }
        if (operation.equals("sqrt")) {
            second(lane);
            if (single) {
                c.invokestatic(ORDINARY, "root", MethodTypeDesc.of(CD_float, CD_float));
            } else {
                c.invokestatic(MATH, "sqrt", MethodTypeDesc.of(CD_double, CD_double));
            }
        } else {
            first(lane);
            second(lane);
            if (choice) {
                c.invokestatic(ORDINARY, operation, MethodTypeDesc.of(type(), type(), type()));
            } else {
                operate(operation);
            }
        }
        storeResult(lane);
        if (choice) {
            return;
        }
        loadResult(lane);
        switch (operation) {
            case "mul" -> {
                first(lane);
                second(lane);
                check("isProduct", type(), type(), type());
            }
            case "div" -> {
                first(lane);
                check("isQuotient", type(), type());
            }
            default -> check("isSum", type());
        }
        c.ifeq(writer.out());
    }

    private void operate(String operation) {
        switch (operation) {
            case "add" -> {
                if (single) {
                    c.fadd();
                } else {
                    c.dadd();
                }
            }
            case "sub" -> {
                if (single) {
                    c.fsub();
                } else {
                    c.dsub();
                }
            }
            case "mul" -> {
                if (single) {
                    c.fmul();
                } else {
                    c.dmul();
                }
            }
            default -> {
                if (single) {
                    c.fdiv();
                } else {
                    c.ddiv();
                }
            }
        }
    }

    // ---- comparisons

    /** Leaves both operands as doubles. */
    private void both(int lane) {
        first(lane);
        if (single) {
            c.f2d();
        }
        second(lane);
        if (single) {
            c.f2d();
        }
    }

    /** Leaves if an operand is NaN. */
    private void ordered(int lane) {
        both(lane);
        check("isOrdered", CD_double, CD_double);
        c.ifeq(writer.out());
    }

    private void compare(int count, int predicate) {
        for (int lane = 0; lane < count; lane++) {
            calm(to, lane);
            calmSecond(lane);
            ordered(lane);
            both(lane);
            c.loadConstant(predicate);
            c.invokestatic(
                    ORDINARY, "compare", MethodTypeDesc.of(CD_long, CD_double, CD_double, CD_int));
            c.lstore(RESULTS + 2 * lane);
        }
        for (int lane = 0; lane < count; lane++) {
            c.lload(RESULTS + 2 * lane);
            vectors.set(c, 2 * to + lane);
        }
    }

    /** Flags by the order of two numbers, deferred. */
    private void order() {
        calm(to, 0);
        calmSecond(0);
        ordered(0);
        both(0);
        VectorLocals.toBits(c);
        c.lstore(Frame.B);
        VectorLocals.toBits(c);
        c.lstore(Frame.A);
        writer.kind = DeferredFlags.FLOAT | 3;
    }

    // ---- conversions

    private boolean convert(Instruction insn, Binding b, String name) {
        Place source = b.arguments.getLast();
        switch (name) {
            case "cvtsi2sd32", "cvtsi2sd64", "cvtsi2ss32", "cvtsi2ss64" -> {
                ofInteger(insn, b, source, name);
                return true;
            }
            case "cvtss2sd", "cvtsd2ss", "cvtps2pd", "cvtdq2pd", "cvtdq2ps" -> {
                single = name.startsWith("cvts");
                start(insn, b, source);
            }
            case "cvttsd2si32", "cvttsd2si64", "cvtsd2si32", "cvtsd2si64" ->
                    toInteger(insn, b, source, name, false);
            case "cvttss2si32", "cvttss2si64", "cvtss2si32", "cvtss2si64" ->
                    toInteger(insn, b, source, name, true);
            default -> {
                return false;
            }
        }
        switch (name) {
            case "cvtss2sd" -> widen(1);
            case "cvtps2pd" -> widen(2);
            case "cvtsd2ss" -> narrow();
            case "cvtdq2pd" -> doublesOfIntegers();
            case "cvtdq2ps" -> singlesOfIntegers();
            default -> {}
        }
        return true;
    }

    private void ofInteger(Instruction insn, Binding b, Place source, String name) {
        to = VectorWriter.register(insn, b.arguments.getFirst());
        single = name.startsWith("cvtsi2ss");
        writer.raw(insn, source);
        boolean wide = name.endsWith("64");
        if (!wide) {
            c.l2i();
        }
        if (single) {
            if (wide) {
                c.l2f();
            } else {
                c.i2f();
            }
        } else if (wide) {
            c.l2d();
        } else {
            c.i2d();
        }
        set(0, true);
    }

    private void toInteger(
            Instruction insn, Binding b, Place source, String name, boolean fromSingle) {
        single = fromSingle;
        start(insn, b, source);
        second(0);
        if (single) {
            c.f2d();
        }
        if (!name.startsWith("cvtt")) {
            c.invokestatic(MATH, "rint", MethodTypeDesc.of(CD_double, CD_double));
        }
        c.dup2().dstore(RESULTS);
        boolean wide = name.endsWith("64");
        check(wide ? "fitsLong" : "fitsInt", CD_double);
        c.ifeq(writer.out());
        c.dload(RESULTS);
        if (wide) {
            c.d2l();
        } else {
            c.d2i().i2l().loadConstant(0xffffffffL).land();
        }
        writer.result(insn, java.util.Objects.requireNonNull(b.result));
    }

    private void widen(int count) {
        single = true;
        for (int lane = 0; lane < count; lane++) {
            calmSecond(lane);
            second(lane);
            c.f2d().dup2().dstore(RESULTS + 2 * lane);
            c.dload(RESULTS + 2 * lane);
            check("isOrdered", CD_double, CD_double);
            c.ifeq(writer.out());
        }
        single = false;
        for (int lane = 0; lane < count; lane++) {
            loadResult(lane);
            set(lane, true);
        }
    }

    private void narrow() {
        single = false;
        second(0);
        c.d2f().fstore(RESULTS);
        c.fload(RESULTS);
        second(0);
        check("isNarrowed", CD_float, CD_double);
        c.ifeq(writer.out());
        single = true;
        loadResult(0);
        set(0, true);
    }

    /** Four bytes of the source as an int: lane 0 to 3. */
    private void integer(int lane) {
        if (memory) {
            c.lload(lane < 2 ? Frame.T0 : Frame.T1);
        } else {
            vectors.get(c, 2 * from + (lane >> 1));
        }
        if ((lane & 1) != 0) {
            c.loadConstant(32).lushr();
        }
        c.l2i();
    }

    private void doublesOfIntegers() {
        single = false;
        for (int lane = 0; lane < 2; lane++) {
            integer(lane);
            c.i2d();
            storeResult(lane);
        }
        for (int lane = 0; lane < 2; lane++) {
            loadResult(lane);
            set(lane, true);
        }
    }

    private void singlesOfIntegers() {
        single = true;
        for (int lane = 0; lane < 4; lane++) {
            integer(lane);
            c.i2f();
            storeResult(lane);
        }
        for (int lane = 0; lane < 4; lane++) {
            loadResult(lane);
            set(lane, true);
        }
    }
}

package org.alcazar.engines.x86.interpreter;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_byte;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.MTD_void;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.interpreter.Shape.Tail;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;
import org.alcazar.engines.x86.semantics.Branches;
import org.alcazar.engines.x86.semantics.Operands;
import org.alcazar.engines.x86.semantics.X87;
import org.alcazar.engines.x86.state.Cpu;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessFlag;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Makes a hidden class for each {@link Shape} that turns up: its {@code exec} fetches the operands
 * with the small methods of {@link Access}, calls the semantics and stores the result. The
 * just-in-time compiler then sees one small method per shape. Classes live as long as this object.
 */
final class Spinner {
    private static final ClassDesc OP = desc(Op.class);
    private static final ClassDesc BRANCH_OP = desc(BranchOp.class);
    private static final ClassDesc CORE = desc(Core.class);
    private static final ClassDesc CPU = desc(Cpu.class);
    private static final ClassDesc ACCESS = desc(Access.class);
    private static final ClassDesc INSTRUCTION = desc(Instruction.class);
    private static final MethodTypeDesc EXEC = MethodTypeDesc.of(OP, CORE);
    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    /**
     * Local variables of {@code exec}: the core, linear and host address, flags to restore, old
     * value, two lanes.
     */
    private static final int THIS = 0, CORE_VAR = 1, LA = 2, HPA = 4, FLAGS = 6, AUX = 8;

    private static final int OLD = 10, LOW = 12, HIGH = 14, NEW = 16;

    private final Map<String, Op> prototypes = new ConcurrentHashMap<>();

    private static ClassDesc desc(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }

    /** An object of the shape's class, to take fresh ones from. */
    Op prototype(Shape shape) {
        return prototypes.computeIfAbsent(shape.signature(), s -> spin(shape));
    }

    /** Classes spun so far. */
    int size() {
        return prototypes.size();
    }

    private static Op spin(Shape shape) {
        boolean branch = shape.tail != Tail.NEXT;
        ClassDesc parent = branch ? BRANCH_OP : OP;
        String name =
                Op.class.getPackageName()
                        + ".Spun$"
                        + shape.method.getDeclaringClass().getSimpleName()
                        + '$'
                        + shape.method.getName();
        ClassDesc self = ClassDesc.of(name);
        byte[] bytes =
                ClassFile.of()
                        .build(
                                self,
                                cb -> {
                                    cb.withFlags(AccessFlag.FINAL, AccessFlag.SUPER);
                                    cb.withSuperclass(parent);
                                    cb.withMethodBody(
                                            "<init>",
                                            MTD_void,
                                            0,
                                            c ->
                                                    c.aload(THIS)
                                                            .invokespecial(
                                                                    parent, "<init>", MTD_void)
                                                            .return_());
                                    cb.withMethodBody(
                                            "fresh",
                                            MethodTypeDesc.of(OP),
                                            0,
                                            c ->
                                                    c.new_(self)
                                                            .dup()
                                                            .invokespecial(self, "<init>", MTD_void)
                                                            .areturn());
                                    cb.withMethodBody(
                                            "isGeneric",
                                            MethodTypeDesc.of(CD_boolean),
                                            0,
                                            c -> c.loadConstant(shape.generic ? 1 : 0).ireturn());
                                    cb.withMethodBody(
                                            "wantsInstruction",
                                            MethodTypeDesc.of(CD_boolean),
                                            0,
                                            c -> c.loadConstant(shape.whole() ? 1 : 0).ireturn());
                                    cb.withMethodBody("exec", EXEC, 0, c -> body(c, shape));
                                });
        try {
            var lookup =
                    MethodHandles.lookup()
                            .defineHiddenClass(
                                    bytes, true, MethodHandles.Lookup.ClassOption.NESTMATE);
            return (Op)
                    lookup.findConstructor(
                                    lookup.lookupClass(),
                                    java.lang.invoke.MethodType.methodType(void.class))
                            .asType(java.lang.invoke.MethodType.methodType(Op.class))
                            .invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException("no node class for " + shape.signature(), e);
        }
    }

    // ---- the body of exec

    private static void body(CodeBuilder c, Shape s) {
        checks(c, s);
        if (s.generic) {
            generic(c, s);
        } else {
            value(c, s);
        }
        tail(c, s);
    }

    private static void checks(CodeBuilder c, Shape s) {
        if (s.notReal) {
            access(c.aload(CORE_VAR), "notReal", CD_void, CORE);
        }
        if (s.sse) {
            access(c.aload(CORE_VAR), "sse", CD_void, CORE);
        }
        if (s.x87) {
            access(c.aload(CORE_VAR), s.mmx ? "mmxUsable" : "x87", CD_void, CORE);
        }
        if (s.pending) {
            c.aload(CORE_VAR)
                    .invokestatic(desc(X87.class), "checkPending", MethodTypeDesc.of(CD_void, CPU));
        }
    }

    private static CodeBuilder access(
            CodeBuilder c, String name, ClassDesc result, ClassDesc... parameters) {
        return c.invokestatic(ACCESS, name, MethodTypeDesc.of(result, parameters));
    }

    private static void generic(CodeBuilder c, Shape s) {
        c.aload(CORE_VAR).aload(THIS).getfield(OP, "imm", CD_long).putfield(CPU, "rip", CD_long);
        c.aload(CORE_VAR).aload(THIS).getfield(OP, "insn", INSTRUCTION);
        invoke(c, s.method);
    }

    private static void invoke(CodeBuilder c, Method m) {
        MethodTypeDesc type =
                MethodTypeDesc.of(
                        desc(m.getReturnType()),
                        java.util.Arrays.stream(m.getParameterTypes())
                                .map(Spinner::desc)
                                .toArray(ClassDesc[]::new));
        c.invokestatic(desc(m.getDeclaringClass()), m.getName(), type);
    }

    private static void value(CodeBuilder c, Shape s) {
        if (s.hasMemory()) {
            address(c, s);
        }
        if (s.lanes) {
            lanes(c, s);
        } else if (s.lock) {
            locked(c, s);
        } else {
            if (s.memoryRead && s.memoryWritten) {
                access(
                        c.aload(CORE_VAR).lload(LA).loadConstant(s.memoryBytes),
                        "begin",
                        CD_long,
                        CORE,
                        CD_long,
                        CD_int);
                c.lstore(HPA);
            }
            call(c, s);
            store(c, s);
            enterMmx(c, s, s.memoryWritten);
        }
    }

    /** The change to MMX comes after the faults of a load or store, before the arithmetic's. */
    private static void enterMmx(CodeBuilder c, Shape s, boolean now) {
        if (s.mmx && now) {
            access(c.aload(CORE_VAR), "enterMmx", CD_void, CORE);
        }
    }

    private static void address(CodeBuilder c, Shape s) {
        if (s.address.equals("slow") || s.address.equals("offset")) {
            c.aload(CORE_VAR).aload(THIS).getfield(OP, "insn", INSTRUCTION);
            if (s.address.equals("offset")) {
                c.invokestatic(
                        desc(Operands.class),
                        "offset",
                        MethodTypeDesc.of(CD_long, CPU, INSTRUCTION));
            } else {
                c.loadConstant(s.memoryBytes).loadConstant(s.memoryWritten ? 1 : 0);
                c.invokestatic(
                        desc(Operands.class),
                        s.aligned ? "linearAligned" : "linear",
                        MethodTypeDesc.of(CD_long, CPU, INSTRUCTION, CD_int, CD_boolean));
            }
        } else {
            access(c.aload(CORE_VAR).aload(THIS), "ea" + s.address, CD_long, CORE, OP);
        }
        c.lstore(LA);
        if (s.aligned) {
            String check = s.move ? "aligned" : "alignedOperand";
            access(c.aload(CORE_VAR).lload(LA), check, CD_void, CORE, CD_long);
        }
    }

    /** Arguments and the call; leaves the result on the stack. */
    private static void call(CodeBuilder c, Shape s) {
        Class<?>[] types = s.method.getParameterTypes();
        int at = 0;
        if (types.length > 0 && types[0] == Cpu.class) {
            c.aload(CORE_VAR);
            at = 1;
        }
        for (Place p : s.arguments) {
            argument(c, s, p, types[at] == long.class);
            at += p.bytes() == 16 && p.kind() != Kind.XMM_NUMBER ? 2 : 1;
        }
        enterMmx(c, s, !s.memoryWritten);
        invoke(c, s.method);
    }

    private static CodeBuilder register(CodeBuilder c, Place p) {
        return c.aload(THIS).getfield(OP, "r" + p.slot(), CD_byte);
    }

    private static ClassDesc carrier(int bytes) {
        return bytes == 8 ? CD_long : CD_int;
    }

    private static void argument(CodeBuilder c, Shape s, Place p, boolean wantsLong) {
        boolean isLong = true;
        switch (p.kind()) {
            case GPR, HIGH -> {
                String name = "get" + 8 * p.bytes() + (p.kind() == Kind.HIGH ? "H" : "");
                access(register(c.aload(CORE_VAR), p), name, carrier(p.bytes()), CORE, CD_int);
                isLong = p.bytes() == 8;
            }
            case MEMORY -> isLong = memory(c, s, p);
            case IMMEDIATE -> c.aload(THIS).getfield(OP, "imm", CD_long);
            case ADDRESS -> c.lload(LA);
            case XMM -> {
                access(register(c.aload(CORE_VAR), p), "xmmLow", CD_long, CORE, CD_int);
                if (p.bytes() == 16) {
                    access(register(c.aload(CORE_VAR), p), "xmmHigh", CD_long, CORE, CD_int);
                }
            }
            case XMM_NUMBER -> {
                register(c, p);
                isLong = false;
            }
            case MMX -> access(register(c.aload(CORE_VAR), p), "mmx", CD_long, CORE, CD_int);
            case CONDITION -> {
                condition(c, s);
                return;
            }
        }
        if (wantsLong && !isLong) {
            c.i2l().loadConstant(0xffffffffL).land();
        } else if (!wantsLong && isLong) {
            c.l2i();
        }
    }

    /** Loads the memory operand. @return whether as a long */
    private static boolean memory(CodeBuilder c, Shape s, Place p) {
        if (p.bytes() == 16) {
            access(c.aload(CORE_VAR).lload(LA), "load64Low", CD_long, CORE, CD_long);
            access(c.aload(CORE_VAR).lload(LA), "load64High", CD_long, CORE, CD_long);
            return true;
        }
        ClassDesc type = carrier(p.bytes());
        if (s.lock) {
            c.lload(OLD);
            if (type == CD_int) {
                c.l2i();
            }
        } else if (s.memoryWritten) {
            access(
                    c.aload(CORE_VAR).lload(LA).lload(HPA),
                    "loadAt" + 8 * p.bytes(),
                    type,
                    CORE,
                    CD_long,
                    CD_long);
        } else {
            access(c.aload(CORE_VAR).lload(LA), "load" + 8 * p.bytes(), type, CORE, CD_long);
        }
        return type == CD_long;
    }

    private static void condition(CodeBuilder c, Shape s) {
        c.aload(CORE_VAR)
                .invokestatic(
                        desc(Branches.class),
                        CONDITIONS[s.condition],
                        MethodTypeDesc.of(CD_boolean, CPU));
    }

    /** Takes the result from the stack to where it belongs. */
    private static void store(CodeBuilder c, Shape s) {
        Place p = s.result;
        if (p == null) {
            return;
        }
        ClassDesc has = s.method.getReturnType() == long.class ? CD_long : CD_int;
        boolean vector = p.kind() == Kind.MMX;
        ClassDesc wants = vector ? CD_long : carrier(p.bytes());
        if (has == CD_long && wants == CD_int) {
            c.l2i();
        } else if (has == CD_int && wants == CD_long) {
            c.i2l().loadConstant(0xffffffffL).land();
        }
        switch (p.kind()) {
            case GPR, HIGH -> {
                String name = "set" + 8 * p.bytes() + (p.kind() == Kind.HIGH ? "H" : "");
                access(register(c.aload(CORE_VAR), p), name, CD_void, wants, CORE, CD_int);
            }
            case MMX ->
                    access(
                            register(c.aload(CORE_VAR), p),
                            "setMmx",
                            CD_void,
                            CD_long,
                            CORE,
                            CD_int);
            case MEMORY -> {
                c.aload(CORE_VAR).lload(LA);
                if (s.memoryRead) {
                    access(
                            c.lload(HPA),
                            "storeAt" + 8 * p.bytes(),
                            CD_void,
                            wants,
                            CORE,
                            CD_long,
                            CD_long);
                } else {
                    access(c, "store" + 8 * p.bytes(), CD_void, wants, CORE, CD_long);
                }
            }
            default -> throw new IllegalStateException("no way to store to " + p);
        }
    }

    /**
     * A locked read-modify-write: tried until nobody came between. The flags that the semantics
     * reads are those before.
     */
    private static void locked(CodeBuilder c, Shape s) {
        access(
                c.aload(CORE_VAR).lload(LA).loadConstant(s.memoryBytes),
                "begin",
                CD_long,
                CORE,
                CD_long,
                CD_int);
        c.pop2();
        c.aload(CORE_VAR).getfield(CPU, "flagResult", CD_long).lstore(FLAGS);
        c.aload(CORE_VAR).getfield(CPU, "flagAux", CD_long).lstore(AUX);
        Label again = c.newBoundLabel();
        c.aload(CORE_VAR).lload(FLAGS).putfield(CPU, "flagResult", CD_long);
        c.aload(CORE_VAR).lload(AUX).putfield(CPU, "flagAux", CD_long);
        ClassDesc type = carrier(s.memoryBytes);
        access(c.aload(CORE_VAR).lload(LA), "load" + 8 * s.memoryBytes, type, CORE, CD_long);
        if (type == CD_int) {
            c.i2l();
        }
        c.lstore(OLD);
        call(c, s);
        c.lload(OLD);
        if (type == CD_int) {
            c.l2i();
        }
        access(
                c.aload(CORE_VAR).lload(LA),
                "swap" + 8 * s.memoryBytes,
                CD_boolean,
                type,
                type,
                CORE,
                CD_long);
        c.ifeq(again);
    }

    /**
     * Calls a method on 64-bit lanes twice. Both sources are read before the destination is
     * written.
     */
    private static void lanes(CodeBuilder c, Shape s) {
        Place source = s.arguments.getLast();
        if (source.kind() == Kind.MEMORY) {
            access(c.aload(CORE_VAR).lload(LA), "load64Low", CD_long, CORE, CD_long);
            c.lstore(LOW);
            access(c.aload(CORE_VAR).lload(LA), "load64High", CD_long, CORE, CD_long);
            c.lstore(HIGH);
        } else {
            access(register(c.aload(CORE_VAR), source), "xmmLow", CD_long, CORE, CD_int);
            c.lstore(LOW);
            access(register(c.aload(CORE_VAR), source), "xmmHigh", CD_long, CORE, CD_int);
            c.lstore(HIGH);
        }
        Place target = java.util.Objects.requireNonNull(s.result);
        boolean two = s.arguments.size() == 2;
        if (two) {
            access(register(c.aload(CORE_VAR), target), "xmmLow", CD_long, CORE, CD_int);
        }
        c.lload(LOW);
        invoke(c, s.method);
        c.lstore(NEW);
        c.lload(NEW);
        if (two) {
            access(register(c.aload(CORE_VAR), target), "xmmHigh", CD_long, CORE, CD_int);
        }
        c.lload(HIGH);
        invoke(c, s.method);
        access(
                register(c.aload(CORE_VAR), target),
                "setXmm",
                CD_void,
                CD_long,
                CD_long,
                CORE,
                CD_int);
    }

    private static void tail(CodeBuilder c, Shape s) {
        MethodTypeDesc way = MethodTypeDesc.of(OP, CORE);
        switch (s.tail) {
            case NEXT -> c.aload(THIS).getfield(OP, "next", OP);
            case BRANCH -> {
                c.aload(THIS).aload(CORE_VAR);
                condition(c, s);
                c.invokevirtual(BRANCH_OP, "go", MethodTypeDesc.of(OP, CORE, CD_boolean));
            }
            case AFTER -> c.aload(THIS).aload(CORE_VAR).invokevirtual(BRANCH_OP, "after", way);
            case LEAVE -> c.aload(THIS).aload(CORE_VAR).invokevirtual(BRANCH_OP, "leave", way);
        }
        c.areturn();
    }
}

package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Binds instructions to their semantics methods. Belongs to one thread. */
public final class Binder {
    private static final String PACKAGE = Binder.class.getPackageName() + '.';

    private static final Set<String> BIT_TESTS =
            Set.of("BitOps.bt", "BitOps.bts", "BitOps.btr", "BitOps.btc");

    /** Their 32-bit form gets and gives the whole destination. */
    private static final Set<String> BIT_SCANS = Set.of("BitOps.bsf", "BitOps.bsr");

    private final Map<String, Class<?>> classes = new HashMap<>();
    private final Map<String, Map<String, Method>> methods = new HashMap<>();

    /** The method and whether it takes the instruction whole. */
    public Binding start(Instruction insn) {
        Method method = resolve(insn);
        return new Binding(method, isGeneric(method));
    }

    /** Whether a semantics method takes the instruction whole. */
    public static boolean isGeneric(Method method) {
        Class<?>[] types = method.getParameterTypes();
        return types.length == 2 && types[1] == Instruction.class;
    }

    /**
     * Fills a binding whose method is that of {@link #resolve}.
     *
     * @param long64 whether the code runs in 64-bit mode
     */
    public void bind(Binding to, Instruction insn, boolean long64) {
        Row row = insn.row;
        boolean mmx = row.has(Row.MMX);
        to.sse = row.has(Row.SSE);
        to.notReal = insn.space != Encoding.PLAIN && !long64;
        to.x87 = row.has(Row.X87) || mmx;
        to.pending = to.x87 && !row.has(Row.NO_WAIT);
        to.mmx = mmx;
        if (!to.generic) {
            operands(to, insn);
            to.lock = insn.lock && to.memoryRead && to.memoryWritten;
        }
    }

    private static void operands(Binding s, Instruction insn) {
        Row row = insn.row;
        List<Operand> operands = row.operands();
        boolean toXmm = !operands.isEmpty() && isXmm(operands.getFirst(), insn);
        s.lanes =
                toXmm
                        && !s.takesCpu()
                        && s.method.getReturnType() == long.class
                        && operands.getFirst().written();
        int slot = 1;
        for (Operand o : operands) {
            Place place = place(o, insn, slot);
            boolean first = slot++ == 1;
            if (first && place.bytes() == 4 && BIT_SCANS.contains(row.semantics())) {
                place = new Place(place.kind(), 8, place.slot());
            }
            if (place.kind() == Kind.MEMORY) {
                s.addressed = true;
                s.memoryBytes = place.bytes();
                s.memoryRead |= o.read();
                s.memoryWritten |= o.written();
                s.aligned |= row.has(Row.ALIGNED) && place.bytes() == 16;
                s.move = row.semantics().startsWith("SseMemory.");
            } else if (place.kind() == Kind.ADDRESS) {
                s.addressed = true;
            }
            if (first && o.written() && place.kind() == Kind.XMM && !s.lanes) {
                s.arguments.add(new Place(Kind.XMM_NUMBER, place.bytes(), place.slot()));
                continue;
            }
            if (o.read()) {
                s.arguments.add(place);
            }
            if (first && o.written() && s.method.getReturnType() != void.class) {
                s.result = place;
            }
        }
        if (row.has(Row.CONDITIONAL)) {
            s.condition = insn.opcode & 15;
            s.arguments.add(new Place(Kind.CONDITION, 1, 0));
        }
        check(s);
    }

    private static void check(Binding s) {
        int n = s.takesCpu() ? 1 : 0;
        for (Place p : s.arguments) {
            n += p.bytes() == 16 && p.kind() != Kind.XMM_NUMBER && !s.lanes ? 2 : 1;
        }
        if (n != s.method.getParameterCount()) {
            throw new IllegalStateException("semantics does not fit its row: " + s);
        }
    }

    private static boolean isXmm(Operand o, Instruction insn) {
        return switch (o.kind()) {
            case XMM_REG, XMM_RM_REGISTER -> true;
            case XMM_RM -> !insn.memory;
            default -> false;
        };
    }

    private static Place place(Operand o, Instruction insn, int slot) {
        int bytes = o.bytes(insn);
        return switch (o.kind()) {
            case RM, MEMORY, ABSOLUTE, RM_REGISTER -> {
                boolean memory = insn.memory || o.kind() == OperandKind.ABSOLUTE;
                if (!memory) {
                    yield general(insn.rm, bytes, insn, slot);
                }
                yield new Place(
                        o.size() == OperandSize.NONE ? Kind.ADDRESS : Kind.MEMORY, bytes, slot);
            }
            case REG -> general(insn.reg, bytes, insn, slot);
            case OPCODE_REGISTER -> general(insn.rm, bytes, insn, slot);
            case VVVV_REGISTER -> new Place(Kind.GPR, bytes, slot);
            case FIXED_REGISTER -> new Place(Kind.GPR, bytes, slot);
            case IMMEDIATE, IMMEDIATE2, ONE, RELATIVE -> new Place(Kind.IMMEDIATE, 4, slot);
            case XMM_REG, XMM_RM_REGISTER, XMM0 -> new Place(Kind.XMM, bytes, slot);
            case XMM_RM -> new Place(insn.memory ? Kind.MEMORY : Kind.XMM, bytes, slot);
            case MMX_REG, MMX_RM_REGISTER -> new Place(Kind.MMX, bytes, slot);
            case MMX_RM -> new Place(insn.memory ? Kind.MEMORY : Kind.MMX, bytes, slot);
            default -> throw new IllegalStateException("no value form for operand " + o);
        };
    }

    private static Place general(int register, int bytes, Instruction insn, int slot) {
        boolean high = bytes == 1 && insn.rex == 0 && register >= 4 && register < 8;
        return new Place(high ? Kind.HIGH : Kind.GPR, bytes, slot);
    }

    /** The number of the register that an operand names; 0 for others. */
    public static int registerOf(Operand o, Instruction insn) {
        return switch (o.kind()) {
            case REG, XMM_REG, MMX_REG -> insn.reg;
            case RM,
                    RM_REGISTER,
                    OPCODE_REGISTER,
                    XMM_RM,
                    XMM_RM_REGISTER,
                    MMX_RM,
                    MMX_RM_REGISTER ->
                    insn.rm;
            case FIXED_REGISTER -> o.fixed();
            case VVVV_REGISTER -> insn.vvvv;
            default -> 0;
        };
    }

    // ---- semantics methods by name

    /** The semantics method of an instruction. */
    public Method resolve(Instruction insn) {
        String semantics = insn.row.semantics();
        if (BIT_TESTS.contains(semantics)
                && (!insn.memory || insn.row.operands().get(1).kind() == OperandKind.IMMEDIATE)) {
            semantics += "In";
        }
        int dot = semantics.indexOf('.');
        Map<String, Method> all =
                methods.computeIfAbsent(semantics.substring(0, dot), this::methodsOf);
        String name = semantics.substring(dot + 1);
        Method method = all.get(name);
        if (method == null) {
            method = all.get(name + 8 * suffix(insn));
        }
        if (method == null) {
            throw new IllegalStateException("no semantics " + semantics + " for " + insn.row);
        }
        return method;
    }

    /** Bytes of the first operand whose size varies, else of the first. */
    private static int suffix(Instruction insn) {
        for (Operand o : insn.row.operands()) {
            switch (o.size()) {
                case V, Z, Y, ADDRESS -> {
                    return o.bytes(insn);
                }
                default -> {}
            }
        }
        return insn.row.operands().isEmpty() ? 0 : insn.row.operands().getFirst().bytes(insn);
    }

    private Map<String, Method> methodsOf(String name) {
        Class<?> type =
                classes.computeIfAbsent(
                        name,
                        n -> {
                            try {
                                return Class.forName(PACKAGE + n);
                            } catch (ClassNotFoundException e) {
                                throw new IllegalStateException("no semantics class " + n, e);
                            }
                        });
        Map<String, Method> all = new HashMap<>();
        for (Method m : type.getDeclaredMethods()) {
            if (Modifier.isPublic(m.getModifiers())) {
                all.put(m.getName(), m);
            }
        }
        return all;
    }
}

package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.interpreter.Shape.Tail;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.semantics.Binder;
import org.jspecify.annotations.Nullable;

import java.lang.reflect.Method;
import java.util.Set;

/**
 * From a decoded instruction to its node. Most rows go by their semantics method and operands
 * alone, see {@link Shape}; control flow and the stack in 64-bit mode have nodes written by hand.
 * One factory belongs to one core; the {@link Spinner} behind it is shared.
 */
final class NodeFactory {
    /**
     * Generic semantics that reads the clock, so that the count of retired instructions has to be
     * exact: they end blocks.
     */
    private static final Set<String> TIMED =
            Set.of(
                    "SystemInstructions.rdtsc",
                    "SystemInstructions.rdtscp",
                    "SystemInstructions.rdmsr",
                    "SystemInstructions.rdpmc",
                    "SystemInstructions.pause");

    /** Ends a block by the table, but the next block in memory follows whatever happens. */
    private static final Set<String> HARMLESS =
            Set.of("Flags.cli", "SystemInstructions.clac", "SystemInstructions.stac");

    /** Changes a segment: other nodes may be needed afterwards, but for 64-bit mode. */
    private static final Set<String> SEGMENT_LOADS =
            Set.of(
                    "SystemInstructions.movToSegment",
                    "Stack.popSegment",
                    "SystemInstructions.les",
                    "SystemInstructions.lds",
                    "SystemInstructions.lfs",
                    "SystemInstructions.lgs");

    private static final Set<String> FUSED =
            Set.of(
                    "Alu.cmp",
                    "Alu.test",
                    "Alu.sub",
                    "Alu.and",
                    "Alu.add",
                    "Alu.dec",
                    "Alu.inc",
                    "Alu.or");

    private static final Method NOTHING;

    static {
        try {
            NOTHING = Access.class.getDeclaredMethod("nothing");
        } catch (NoSuchMethodException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Spinner spinner;
    private final @Nullable Op[] branches = new @Nullable Op[16];
    private final Binder binder = new Binder();

    /** Prototypes by what of an instruction decides its shape. */
    private final LongMap<Op> known = new LongMap<>();

    NodeFactory(Spinner spinner) {
        this.spinner = spinner;
    }

    /** Whether an instruction ends its block. */
    static boolean endsBlock(Instruction insn, int key) {
        Row row = insn.row;
        String semantics = row.semantics();
        return row.has(Row.ENDS_BLOCK) && !HARMLESS.contains(semantics)
                || row.has(Row.SHADOW)
                || insn.repeat != 0 && row.has(Row.REPEATABLE)
                || TIMED.contains(semantics)
                || (key & Block.MODE) != Block.MODE_64 && SEGMENT_LOADS.contains(semantics);
    }

    static boolean isConditionalBranch(Instruction insn) {
        return insn.row.semantics().equals("Branches.jcc");
    }

    /**
     * Whether a conditional branch behind may become part of its node. What writes to memory might
     * write over the branch.
     */
    static boolean fuses(Instruction insn) {
        if (!FUSED.contains(insn.row.semantics()) || insn.lock) {
            return false;
        }
        Operand first = insn.row.operands().getFirst();
        return !insn.memory || first.kind() != OperandKind.RM || !first.written();
    }

    /**
     * Makes the node of an instruction.
     *
     * @param nextRip address behind it
     * @param condition 0 to 15 if the conditional branch that follows is to be part of the node,
     *     else -1
     */
    Op make(Instruction insn, long nextRip, int key, int condition) {
        Op op = null;
        if (condition < 0) {
            op = byHand(insn, nextRip, key);
        }
        if (op == null) {
            op = prototype(insn, key, condition).fresh();
        }
        if (op instanceof BranchOp branch) {
            branch.fallRip = nextRip;
        }
        fill(op, insn, nextRip, key);
        return op;
    }

    /** The node of a conditional branch alone. */
    Op conditional(Instruction insn, long nextRip) {
        int condition = insn.opcode & 15;
        Op prototype = branches[condition];
        if (prototype == null) {
            Shape s = new Shape(NOTHING, false);
            s.condition = condition;
            s.tail = Tail.BRANCH;
            prototype = spinner.prototype(s);
            branches[condition] = prototype;
        }
        Op op = prototype.fresh();
        op.length = (byte) insn.length;
        op.insn = insn;
        ((BranchOp) op).fallRip = nextRip;
        return op;
    }

    // ---- nodes written by hand

    private @Nullable Op byHand(Instruction insn, long nextRip, int key) {
        String semantics = insn.row.semantics();
        if (semantics.equals("SystemInstructions.nop")) {
            return new Flow.Nop();
        }
        boolean legacyFlat = (key & Block.FLAT) != 0 && insn.operandSize == 4;
        boolean native64 = (key & Block.MODE) == Block.MODE_64 && insn.operandSize == 8;
        if (!native64 && !legacyFlat) {
            return null;
        }
        boolean relative = insn.modrm < 0;
        if (relative) {
            long target = insn.immediate + nextRip & (native64 ? -1L : 0xffffffffL);
            if (native64 && target << 16 >> 16 != target) {
                return null;
            }
            if (semantics.equals("Branches.jmp")) {
                return taken(new Flow.Jump(), target);
            }
            if (semantics.equals("Branches.call") && native64) {
                return taken(new Flow.Call64(), target);
            }
        }
        return native64 ? stack64(insn, semantics) : null;
    }

    private static Op taken(BranchOp op, long target) {
        op.takenRip = target;
        return op;
    }

    private static @Nullable Op stack64(Instruction insn, String semantics) {
        boolean memory = insn.memory;
        boolean fast = !memory || insn.addressSize == 8;
        return switch (semantics) {
            case "Branches.call" ->
                    insn.modrm < 0 || !fast
                            ? null
                            : memory ? new Flow.CallMemory64() : new Flow.CallRegister64();
            case "Branches.jmp" ->
                    insn.modrm < 0 || !fast
                            ? null
                            : memory ? new Flow.JumpMemory64() : new Flow.JumpRegister64();
            case "Branches.ret" -> new Flow.Return64();
            case "Stack.push" ->
                    switch (insn.row.operands().getFirst().kind()) {
                        case IMMEDIATE -> new Flow.PushImmediate64();
                        case OPCODE_REGISTER -> new Flow.PushRegister64();
                        default ->
                                !fast
                                        ? null
                                        : memory
                                                ? new Flow.PushMemory64()
                                                : new Flow.PushRegister64();
                    };
            case "Stack.pop" ->
                    insn.row.operands().getFirst().kind() == OperandKind.OPCODE_REGISTER
                            ? new Flow.PopRegister64()
                            : null;
            case "Stack.leave" -> new Flow.Leave64();
            default -> null;
        };
    }

    // ---- fields

    private static void fill(Op op, Instruction insn, long nextRip, int key) {
        if (op.wantsInstruction()) {
            op.insn = insn;
        }
        op.describe(insn);
        op.length = (byte) insn.length;
        op.imm = insn.immediate;
        int slot = 1;
        for (Operand o : insn.row.operands()) {
            int r = Binder.registerOf(o, insn);
            switch (slot++) {
                case 1 -> op.r1 = (byte) r;
                case 2 -> op.r2 = (byte) r;
                case 3 -> op.r3 = (byte) r;
                default -> {}
            }
            if (o.kind() == OperandKind.ONE) {
                op.imm = 1;
            }
        }
        if (op instanceof Flow.Return64) {
            op.imm = insn.row.operands().isEmpty() ? 0 : insn.immediate & 0xffff;
        }
        boolean relative = insn.base == Instruction.RIP_RELATIVE;
        op.base = (byte) (relative ? Instruction.NO_REGISTER : insn.base);
        op.index = (byte) insn.index;
        op.scale = (byte) insn.scale;
        op.segment = (byte) insn.segment;
        op.disp = insn.displacement + (relative ? nextRip : 0);
        if (insn.addressSize == 4 && insn.index < 0 && op.base < 0) {
            op.disp &= 0xffffffffL;
        }
        if (op.isGeneric()) {
            op.imm = nextRip;
        }
    }

    // ---- shapes

    /** All that {@link #shape} looks at, in one number. */
    private static long digest(Instruction insn, int key, int condition) {
        long d = insn.row.id();
        d = d << 4 | insn.operandSize;
        d = d << 4 | insn.addressSize;
        d = d << 2 | (insn.memory ? 2 : 0) | (insn.lock ? 1 : 0);
        d = d << 1 | (insn.rex != 0 ? 1 : 0);
        d = d << 1 | (insn.reg >= 4 && insn.reg < 8 ? 1 : 0);
        d = d << 1 | (insn.rm >= 4 && insn.rm < 8 ? 1 : 0);
        d = d << 2 | (insn.base < 0 ? 0 : insn.base == Instruction.RIP_RELATIVE ? 2 : 1);
        d = d << 1 | (insn.index < 0 ? 0 : 1);
        d = d << 3 | insn.segment;
        d = d << 1 | (insn.repeat != 0 ? 1 : 0);
        d = d << 4 | insn.opcode & 15;
        d = d << 5 | condition + 1;
        return d << 4 | key & (Block.MODE | Block.FLAT);
    }

    private Op prototype(Instruction insn, int key, int condition) {
        long digest = digest(insn, key, condition);
        Op found = known.get(digest);
        if (found == null) {
            found = spinner.prototype(shape(insn, key, condition));
            known.put(digest, found);
        }
        return found;
    }

    /** What the class of an instruction's node has to be like. */
    Shape shape(Instruction insn, int key, int condition) {
        Row row = insn.row;
        Method method = binder.resolve(insn);
        Shape s = new Shape(method, Binder.isGeneric(method));
        binder.bind(s, insn, (key & Block.MODE) == Block.MODE_64);
        if (s.addressed) {
            String form = address(insn, key);
            boolean slow = form.equals("slow");
            s.address = s.memoryBytes > 0 ? form : slow ? "offset" : form.replace("S", "");
        }
        s.tail = Tail.NEXT;
        if (condition >= 0) {
            s.condition = condition;
            s.tail = Tail.BRANCH;
        } else if (endsBlock(insn, key)) {
            boolean stays =
                    TIMED.contains(row.semantics()) || insn.repeat != 0 && row.has(Row.REPEATABLE);
            s.tail = stays ? Tail.AFTER : Tail.LEAVE;
        }
        return s;
    }

    /**
     * Suffix of the address methods in {@link Access}, or "slow" where segments have to be looked
     * at.
     */
    private static String address(Instruction insn, int key) {
        boolean long64 = (key & Block.MODE) == Block.MODE_64;
        boolean based = long64 && insn.segment >= 4;
        boolean flat = long64 || (key & Block.FLAT) != 0 && insn.segment != 1 && insn.segment < 4;
        if (!flat || insn.addressSize == 2) {
            return "slow";
        }
        boolean base = insn.base >= 0 && insn.base != Instruction.RIP_RELATIVE;
        boolean index = insn.index >= 0;
        String form = base ? index ? "BI" : "B" : index ? "I" : "D";
        if (insn.addressSize == 4 && !form.equals("D")) {
            form += "32";
        }
        return based ? form + "S" : form;
    }
}

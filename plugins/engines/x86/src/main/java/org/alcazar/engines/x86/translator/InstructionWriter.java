package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.semantics.Binder;
import org.alcazar.engines.x86.semantics.Binding;
import org.alcazar.engines.x86.semantics.Binding.Kind;
import org.alcazar.engines.x86.semantics.Binding.Place;
import org.alcazar.engines.x86.translator.Graph.At;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the bytecode of instructions that do not branch. Arithmetic and moves are written out,
 * with their flags deferred; the rest calls the semantics that the interpreter calls too.
 */
final class InstructionWriter {
    private static final long LOW32 = 0xffffffffL;

    private static final MethodTypeDesc ADDRESS =
            MethodTypeDesc.of(CD_long, CD_long, Frame.CPU, CD_int, CD_int, CD_boolean);

    private static final MethodTypeDesc FIND =
            MethodTypeDesc.of(CD_long, Frame.LONGS, CD_long, CD_long, CD_int);
    private static final MethodTypeDesc HAS =
            MethodTypeDesc.of(CD_boolean, Frame.LONGS, CD_long, CD_long, CD_int);
    private static final MethodTypeDesc FOUND = MethodTypeDesc.of(CD_long, Frame.LONGS, CD_long);

    /** Arithmetic that is written out, with the deferred kind of its flags. */
    private static final Map<String, Integer> ARITHMETIC =
            Map.ofEntries(
                    Map.entry("Alu.add", DeferredFlags.ADD),
                    Map.entry("Alu.sub", DeferredFlags.SUB),
                    Map.entry("Alu.cmp", DeferredFlags.SUB),
                    Map.entry("Alu.neg", DeferredFlags.SUB),
                    Map.entry("Alu.and", DeferredFlags.LOGIC),
                    Map.entry("Alu.or", DeferredFlags.LOGIC),
                    Map.entry("Alu.xor", DeferredFlags.LOGIC),
                    Map.entry("Alu.test", DeferredFlags.LOGIC),
                    Map.entry("Alu.inc", DeferredFlags.INC),
                    Map.entry("Alu.dec", DeferredFlags.DEC),
                    Map.entry("MulDiv.imul", DeferredFlags.IMUL),
                    Map.entry("Alu.adc", DeferredFlags.ADC),
                    Map.entry("Alu.sbb", DeferredFlags.SBB));

    private static final Set<String> COMPARISONS = Set.of("Alu.cmp", "Alu.test");

    /**
     * Take the instruction whole, but touch no more than its registers, RAX, RDX, flags and the
     * bases of FS and GS.
     */
    private static final Set<String> WHOLE =
            Set.of(
                    "MulDiv.mul",
                    "MulDiv.imul1",
                    "MulDiv.div",
                    "MulDiv.idiv",
                    "Moves.cbw",
                    "Moves.cwd",
                    "Moves.lahf",
                    "Moves.sahf",
                    "Flags.clc",
                    "Flags.stc",
                    "Flags.cmc",
                    "Flags.cld",
                    "Flags.std",
                    "ExtendedState.rdpkru",
                    "SystemInstructions.rdfsbase",
                    "SystemInstructions.rdgsbase",
                    "SystemInstructions.wrfsbase",
                    "SystemInstructions.wrgsbase");

    private static final Set<String> BITS =
            Set.of("BitOps.bt", "BitOps.bts", "BitOps.btr", "BitOps.btc");

    private static final Set<String> EXCHANGES = Set.of("Moves.xchg", "Alu.xadd", "Alu.cmpxchg");

    /** Have registers as operands that their rows don't name. */
    private static final Set<String> UNNAMED =
            Set.of(
                    "Sse42.pcmpestri",
                    "Sse42.pcmpestriq",
                    "Sse42.pcmpestrm",
                    "Sse42.pcmpestrmq",
                    "Sse42.pcmpistrm");

    private final CodeBuilder c;
    private final Frame frame;
    private final RamWriter ram;
    private final ExchangeWriter exchanges;
    private final WideWriter wide;
    final WholeWriter whole;
    private final ShiftWriter shifts;
    final StackWriter stack;
    final PageWriter pages;
    private final BitWriter bits;
    private final StringWriter strings;
    private final StateWriter state;
    private final VectorWriter vectors;
    private final Binder binder;
    private final boolean long64;
    private final boolean flat;

    /** Deferred flags' kind, or -1 if the local variable has it. */
    int kind;

    private At at = new At(0, 0, new Instruction());

    /** Instructions of the node from the present one on. */
    private int back;

    InstructionWriter(
            CodeBuilder c,
            Frame frame,
            Binder binder,
            boolean long64,
            boolean flat,
            List<Instruction> constants,
            ClassDesc self,
            boolean lazy) {
        this.c = c;
        this.frame = frame;
        vectors = new VectorWriter(c, frame, this, lazy);
        this.binder = binder;
        this.long64 = long64;
        this.flat = flat;
        ram = new RamWriter(c, frame.quick);
        exchanges = new ExchangeWriter(c, frame, this);
        wide = new WideWriter(c, frame, this);
        state = new StateWriter(c, frame, this);
        whole = new WholeWriter(c, frame, this, state, binder, constants, self);
        shifts = new ShiftWriter(c, frame, this);
        pages = new PageWriter(c, frame, this, long64, flat);
        bits = new BitWriter(c, frame, this, exchanges);
        strings = new StringWriter(c, frame, this);
        stack = new StackWriter(c, frame, this, state, long64, flat);
    }

    /**
     * Writes an instruction.
     *
     * @return false if it is one for the interpreter, with nothing written
     */
    boolean write(At what, int left) {
        at = what;
        back = left;
        Instruction insn = what.insn();
        Row row = insn.row;
        String semantics = row.semantics();
        if (insn.lock && !insn.memory || insn.repeat != 0 && row.has(Row.REPEATABLE)) {
            return false;
        }
        boolean ends = semantics.equals("FxSave.ldmxcsr"); // may end what Guards.lazy says
        boolean odd = ends || UNNAMED.contains(semantics);
        if (odd || StateWriter.ends(insn) || row.has(Row.SHADOW)) {
            return false;
        }
        if (state.write(insn)) {
            return true;
        }
        if (semantics.startsWith("Strings.")) {
            return strings.write(insn);
        }
        if (semantics.startsWith("Stack.")) {
            return stack.write(insn);
        }
        if (WHOLE.contains(semantics)) {
            return wide.write(insn) || whole.write(insn, at.next());
        }
        if (EXCHANGES.contains(semantics)) {
            return insn.memory ? exchanges.write(insn) : exchange(insn);
        }
        if (semantics.equals("SseMemory.store128")) {
            return storeVector(insn);
        }
        Method method = binder.resolve(insn);
        if (Binder.isGeneric(method) && BITS.contains(semantics)) {
            bits.write(insn);
            return true;
        }
        if (Binder.isGeneric(method)) {
            boolean known = !row.has(Row.MMX) || semantics.equals("Mmx.emms");
            return row.has(Row.X87) && known && whole.write(insn, at.next());
        }
        Binding b = new Binding(method, false);
        binder.bind(b, insn, long64);
        if (b.notReal && !long64 || b.mmx && b.lanes || b.lock && b.memoryBytes > 8) {
            return false;
        }
        frame.sse |= b.sse;
        if (ShiftWriter.writes(semantics) && !b.lock) {
            operands(insn, b);
            shifts.write(insn, b);
            return true;
        }
        Integer deferred = ARITHMETIC.get(semantics);
        if (deferred != null && !b.lock && written(insn, b, deferred)) {
            return true;
        }
        value(insn, b);
        if (semantics.equals("Sse42.pcmpistri")) {
            int rcx = 1 << X86.RCX;
            frame.loaded |= rcx;
            frame.dirty |= rcx;
            frame.reload(c, rcx);
        }
        return true;
    }

    /** Calls semantics that has nothing to do with operands, general registers and status flags. */
    void apart(Instruction insn) {
        Label start = c.newBoundLabel();
        c.aload(Frame.CPU_VAR).aconst_null();
        invoke(binder.resolve(insn));
        handler(start, c.newBoundLabel(), false);
    }

    /** A label for leaving to the interpreter, which then executes this instruction. */
    Label out() {
        return frame.stub(c, at.rip(), back, kind, Region.PLAIN);
    }

    // ---- addresses and memory

    /** Leaves the offset of the memory operand, truncated to the address size. */
    void offset(Instruction insn) {
        boolean relative = insn.base == Instruction.RIP_RELATIVE;
        long displacement = insn.displacement + (relative ? at.next() : 0);
        boolean any = false;
        if (insn.base >= 0 && !relative) {
            frame.get(c, insn.base);
            any = true;
        }
        if (insn.index >= 0) {
            frame.get(c, insn.index);
            if (insn.scale != 0) {
                c.loadConstant(insn.scale).lshl();
            }
            if (any) {
                c.ladd();
            }
            any = true;
        }
        if (!any) {
            c.loadConstant(displacement);
        } else if (displacement != 0) {
            c.loadConstant(displacement).ladd();
        }
        truncate(insn.addressSize);
    }

    /** Of the long on the stack, leaves as many bytes. */
    void truncate(int bytes) {
        if (bytes < 8) {
            c.loadConstant(bytes == 4 ? LOW32 : bytes == 2 ? 0xffffL : 0xffL).land();
        }
    }

    /** Puts the linear address of the memory operand where {@link Frame#LA} is. */
    void address(Instruction insn, int bytes, boolean write) {
        offset(insn);
        linear(insn, bytes, write);
    }

    /** The same for an offset on the stack, truncated to the address size. */
    void linear(Instruction insn, int bytes, boolean write) {
        inSegment(insn.segment, bytes, write);
    }

    /** The same in any segment. */
    void inSegment(int segment, int bytes, boolean write) {
        if (!long64 && (!flat || segment == X86.CS || segment >= X86.FS)) {
            c.aload(Frame.CPU_VAR).loadConstant(segment).loadConstant(bytes);
            c.loadConstant(write ? 1 : 0);
            c.invokestatic(Frame.desc(Guards.class), "address", ADDRESS);
            c.dup2().lstore(Frame.LA).loadConstant(0L).lcmp().iflt(out());
            return;
        }
        if (long64 && segment >= X86.FS) {
            c.dup2().lstore(Frame.LA);
            // The offset by itself must be canonical too.
            c.lload(Frame.LA).loadConstant(16).lshl().loadConstant(16).lshr();
            c.lcmp().ifne(out());
            c.lload(Frame.LA);
            frame.base(c, segment).ladd();
        }
        c.lstore(Frame.LA);
    }

    /** Finds {@link Frame#HPA} for {@link Frame#LA}, or leaves. */
    void find(int bytes, boolean write) {
        Instruction insn = at.insn();
        boolean plain = insn.index < 0 || insn.base == X86.RSP && !write;
        boolean near = (insn.base == X86.RSP || insn.base == X86.RBP) && plain;
        if (near && insn.segment == X86.SS && bytes <= 8) {
            stack.find(bytes, write);
        } else if (bytes > 8 || !pages.find(insn, bytes, write)) {
            search(bytes, write);
        }
    }

    /** {@link #find} by the view. */
    void search(int bytes, boolean write) {
        c.aload(Frame.VIEW).lload(Frame.TAG).lload(Frame.LA).loadConstant(bytes - 1);
        String access = write ? "Write" : "Read";
        if (frame.quick) { // one call
            c.invokestatic(Frame.VIEWS, "find" + access, FIND);
            c.dup2().lstore(Frame.HPA).loadConstant(0L).lcmp().iflt(out());
            return;
        }
        c.invokestatic(Frame.VIEWS, "has" + access, HAS).ifeq(out());
        c.aload(Frame.VIEW).lload(Frame.LA).invokestatic(Frame.VIEWS, "found", FOUND);
        c.lstore(Frame.HPA);
    }

    /** The memory operand, zero-extended to a long. */
    void load(int bytes) {
        ram.load(bytes, 0);
    }

    /** Stores the long on the stack. */
    void store(int bytes) {
        ram.store(bytes, 0);
    }

    // ---- general registers

    private int register(Instruction insn, Place p) {
        return Binder.registerOf(insn.row.operands().get(p.slot() - 1), insn);
    }

    /** Leaves an operand as a long; what is above its size means nothing. */
    void raw(Instruction insn, Place p) {
        switch (p.kind()) {
            case GPR -> frame.low(c, register(insn, p), p.bytes());
            case HIGH -> frame.get(c, register(insn, p) - 4).loadConstant(8).lushr();
            case MEMORY -> load(p.bytes());
            case IMMEDIATE -> c.loadConstant(immediate(insn, p));
            default -> throw new IllegalStateException("not a number: " + p);
        }
    }

    static long immediate(Instruction insn, Place p) {
        Operand o = insn.row.operands().get(p.slot() - 1);
        return switch (o.kind()) {
            case ONE -> 1;
            case IMMEDIATE2 -> insn.immediate2;
            default -> insn.immediate;
        };
    }

    /** Stores the long on the stack to an operand. */
    void result(Instruction insn, Place p) {
        switch (p.kind()) {
            case GPR -> toRegister(register(insn, p), p.bytes());
            case HIGH -> {
                int r = register(insn, p) - 4;
                c.loadConstant(0xffL).land().loadConstant(8).lshl();
                frame.get(c, r).loadConstant(~0xff00L).land().lor();
                frame.set(c, r);
            }
            case MEMORY -> store(p.bytes());
            case MMX -> state.toMmx(register(insn, p));
            default -> throw new IllegalStateException("no way to store to " + p);
        }
    }

    void toRegister(int r, int bytes) {
        switch (bytes) {
            case 8 -> {}
            case 4 -> c.loadConstant(LOW32).land();
            default -> {
                long mask = bytes == 1 ? 0xff : 0xffff;
                c.loadConstant(mask).land();
                frame.get(c, r).loadConstant(~mask).land().lor();
            }
        }
        frame.set(c, r);
    }

    // ---- arithmetic that is written out

    private boolean written(Instruction insn, Binding b, int operation) {
        String semantics = insn.row.semantics();
        Place first = b.arguments.getFirst();
        int bytes = first.bytes();
        if (operation == DeferredFlags.IMUL && bytes < 4) {
            return false;
        }
        operands(insn, b);
        int size = Integer.numberOfTrailingZeros(bytes);
        boolean counts = operation == DeferredFlags.INC || operation == DeferredFlags.DEC;
        boolean carries = operation == DeferredFlags.ADC || operation == DeferredFlags.SBB;
        boolean unary = b.arguments.size() == 1;
        if (semantics.equals("Alu.neg")) {
            c.loadConstant(0L).lstore(Frame.T0);
            raw(insn, first);
            c.lstore(Frame.T1);
        } else if (counts) {
            carry();
            c.lstore(Frame.T1);
            raw(insn, first);
            c.lstore(Frame.T0);
        } else {
            if (carries) {
                carry();
                c.lstore(Frame.C);
            }
            raw(insn, first);
            c.lstore(Frame.T0);
            if (!unary) {
                raw(insn, b.arguments.get(1));
                c.lstore(Frame.T1);
            }
        }
        combine(semantics);
        boolean logic = operation == DeferredFlags.LOGIC;
        if (logic) {
            c.dup2().lstore(Frame.A);
        }
        if (COMPARISONS.contains(semantics)) {
            c.pop2();
        } else if (b.result != null) {
            partial(insn, b.result);
        }
        if (!logic) {
            c.lload(Frame.T0).lstore(Frame.A).lload(Frame.T1).lstore(Frame.B);
        }
        kind = operation | size;
        return true;
    }

    private void carry() {
        c.aload(Frame.CPU_VAR);
        if (kind < 0) {
            c.iload(Frame.KIND);
        } else {
            c.loadConstant(kind);
        }
        frame.operands(c);
        c.invokestatic(
                Frame.FLAGS,
                "carry",
                MethodTypeDesc.of(
                        CD_boolean, Frame.CPU, CD_int, CD_long, CD_long, CD_long, CD_long));
        c.i2l();
    }

    private void combine(String semantics) {
        c.lload(Frame.T0);
        switch (semantics) {
            case "Alu.inc" -> c.loadConstant(1L).ladd();
            case "Alu.dec" -> c.loadConstant(1L).lsub();
            default -> {
                c.lload(Frame.T1);
                switch (semantics) {
                    case "Alu.add" -> c.ladd();
                    case "Alu.adc" -> c.ladd().lload(Frame.C).ladd();
                    case "Alu.sbb" -> c.lsub().lload(Frame.C).lsub();
                    case "Alu.sub", "Alu.cmp", "Alu.neg" -> c.lsub();
                    case "Alu.and", "Alu.test" -> c.land();
                    case "Alu.or" -> c.lor();
                    case "Alu.xor" -> c.lxor();
                    default -> c.lmul();
                }
            }
        }
    }

    /** Address and page of the memory operand, if there is one. */
    private void operands(Instruction insn, Binding b) {
        if (!b.addressed) {
            return;
        }
        if (b.memoryBytes == 0) {
            offset(insn);
            c.lstore(Frame.LA);
            return;
        }
        address(insn, b.memoryBytes, b.memoryWritten);
        if (b.aligned) {
            c.lload(Frame.LA).l2i().loadConstant(15).iand().ifne(out());
        }
        find(b.memoryBytes, b.memoryWritten);
    }

    // ---- the general form: a call of the semantics by values

    private void value(Instruction insn, Binding b) {
        int conditions = b.condition;
        operands(insn, b);
        if (b.mmx) {
            state.enterMmx(b.pending);
        } else if (b.sse && vectors.write(insn, b)) {
            return;
        }
        boolean toVector =
                !b.arguments.isEmpty() && b.arguments.getFirst().kind() == Kind.XMM_NUMBER;
        boolean usesFlags = b.takesCpu() && !toVector;
        if (conditions >= 0) {
            condition(conditions);
        }
        if (usesFlags) {
            frame.settle(c, kind);
            kind = DeferredFlags.NONE;
        }
        if (b.lock) {
            // Even for NOT, which has no flags: those in waiting lie where it keeps others.
            frame.settle(c, kind);
            kind = DeferredFlags.NONE;
            exchanges.locked(b, () -> call(insn, b));
            return;
        }
        if (simple(insn, b)) {
            return;
        }
        int number = toVector ? register(insn, b.arguments.getFirst()) : -1;
        if (toVector) {
            int halves = 3 << 2 * number;
            frame.vectors.loaded |= halves;
            frame.vectors.dirty |= halves;
            frame.vectors.spill(c, halves);
        }
        boolean floats = b.sse && b.takesCpu();
        if (floats) {
            c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "mxcsr", CD_int).istore(Frame.MXCSR);
        }
        Label start = c.newBoundLabel();
        call(insn, b);
        Label end = c.newBoundLabel();
        if (b.takesCpu()) {
            handler(start, end, floats);
        }
        if (toVector) {
            frame.vectors.reload(c, 3 << 2 * number);
        }
        if (b.mmx) {
            state.entered();
        }
        store(insn, b);
    }

    /** Moves without any semantics worth a call. */
    private boolean simple(Instruction insn, Binding b) {
        if (b.result == null || b.arguments.size() != 1) {
            return false;
        }
        Place from = b.arguments.getFirst();
        switch (insn.row.semantics()) {
            case "Moves.mov" -> raw(insn, from);
            case "Moves.lea" -> c.lload(Frame.LA);
            case "Moves.movzx" -> {
                raw(insn, from);
                if (from.kind() != Kind.MEMORY) {
                    c.loadConstant(from.bytes() == 1 ? 0xffL : 0xffffL).land();
                }
            }
            default -> {
                return false;
            }
        }
        partial(insn, b.result);
        return true;
    }

    /** {@link #result} in the course of every execution, and what it is is kept for a while. */
    private void partial(Instruction insn, Place p) {
        boolean low = p.kind() == Kind.GPR && p.bytes() < 4;
        if (low) {
            frame.keep(c);
        }
        result(insn, p);
        if (low) {
            frame.kept(register(insn, p), p.bytes());
        }
    }

    /** Arguments and the call; leaves the result. */
    private void call(Instruction insn, Binding b) {
        Class<?>[] types = b.method.getParameterTypes();
        int index = 0;
        if (b.takesCpu()) {
            c.aload(Frame.CPU_VAR);
            index = 1;
        }
        for (Place p : b.arguments) {
            argument(insn, p, types[index] == long.class, b);
            index += p.bytes() == 16 && p.kind() != Kind.XMM_NUMBER ? 2 : 1;
        }
        invoke(b.method);
    }

    void invoke(Method m) {
        MethodTypeDesc type =
                MethodTypeDesc.of(
                        Frame.desc(m.getReturnType()),
                        java.util.Arrays.stream(m.getParameterTypes())
                                .map(Frame::desc)
                                .toArray(ClassDesc[]::new));
        c.invokestatic(Frame.desc(m.getDeclaringClass()), m.getName(), type);
    }

    private void argument(Instruction insn, Place p, boolean wantsLong, Binding b) {
        switch (p.kind()) {
            case CONDITION -> {
                c.iload(Frame.T2 + 1);
                return;
            }
            case XMM_NUMBER -> {
                c.loadConstant(register(insn, p));
                return;
            }
            case ADDRESS -> c.lload(Frame.LA);
            case MMX -> state.mmx(register(insn, p));
            case XMM -> {
                int r = VectorWriter.register(insn, p);
                frame.vectors.get(c, 2 * r);
                if (p.bytes() == 16) {
                    frame.vectors.get(c, 2 * r + 1);
                    return;
                }
            }
            case MEMORY -> {
                if (p.bytes() == 16) {
                    load(8);
                    loadHigh();
                    return;
                }
                if (b.lock) {
                    c.lload(Frame.T0);
                } else {
                    load(p.bytes());
                }
            }
            case HIGH -> {
                raw(insn, p);
                c.loadConstant(0xffL).land();
            }
            case GPR -> {
                raw(insn, p);
                if (p.bytes() < 4) {
                    c.loadConstant(p.bytes() == 1 ? 0xffL : 0xffffL).land();
                } else if (p.bytes() == 4 && wantsLong) {
                    c.loadConstant(LOW32).land();
                }
            }
            default -> raw(insn, p);
        }
        if (!wantsLong) {
            c.l2i();
        }
    }

    /** The second half of a memory operand of 16 bytes. */
    void loadHigh() {
        ram.load(8, 8);
    }

    /** Stores the long on the stack as the second half of a memory operand of 16 bytes. */
    void storeHigh() {
        ram.store(8, 8);
    }

    /** Takes the result from the stack to where it belongs. */
    private void store(Instruction insn, Binding b) {
        Place p = b.result;
        if (p == null) {
            return;
        }
        if (b.method.getReturnType() != long.class) {
            c.i2l();
            if (p.bytes() == 8) {
                c.loadConstant(LOW32).land();
            }
        }
        if (p.kind() == Kind.XMM) {
            throw new IllegalStateException("no way to store to " + p);
        }
        result(insn, p);
    }

    /** Has a condition as 0 or 1 in the second half of {@link Frame#T2}. */
    private void condition(int code) {
        Label yes = c.newLabel();
        Label done = c.newLabel();
        kind = Conditions.jump(c, frame, kind, code, yes);
        c.loadConstant(0).istore(Frame.T2 + 1).goto_(done);
        c.labelBinding(yes);
        c.loadConstant(1).istore(Frame.T2 + 1);
        c.labelBinding(done);
    }

    /**
     * What the semantics throws, the interpreter finds again.
     *
     * @param floats it has set flags in MXCSR before
     */
    void handler(Label start, Label end, boolean floats) {
        Label caught = c.newLabel();
        Label over = c.newLabel();
        c.goto_(over);
        c.labelBinding(caught);
        c.pop();
        if (floats) {
            c.aload(Frame.CPU_VAR).iload(Frame.MXCSR).putfield(Frame.CPU, "mxcsr", CD_int);
        }
        c.goto_(out());
        c.labelBinding(over);
        c.exceptionCatch(
                start, end, caught, Frame.desc(org.alcazar.engines.x86.state.CpuFault.class));
    }

    /** Leaves the operand by ModRM.rm, of 4 or 8 bytes; with memory its page is found. */
    void rm(Instruction insn, int bytes) {
        if (insn.memory) {
            address(insn, bytes, false);
            find(bytes, false);
            load(bytes);
        } else {
            frame.get(c, insn.rm);
        }
    }

    // ---- vectors

    private boolean storeVector(Instruction insn) {
        frame.sse = true;
        if (insn.memory) {
            address(insn, 16, true);
            if (insn.row.has(Row.ALIGNED)) {
                c.lload(Frame.LA).l2i().loadConstant(15).iand().ifne(out());
            }
            find(16, true);
        }
        vectors.store128(insn);
        return true;
    }

    private boolean exchange(Instruction insn) {
        if (!insn.row.semantics().equals("Moves.xchg")) {
            return false;
        }
        List<Operand> operands = insn.row.operands();
        int bytes = operands.getFirst().bytes(insn);
        if (bytes == 1) {
            return false;
        }
        int a = Binder.registerOf(operands.get(0), insn);
        int b = Binder.registerOf(operands.get(1), insn);
        frame.get(c, a);
        frame.get(c, b);
        toRegister(a, bytes);
        toRegister(b, bytes);
        return true;
    }

    /** Puts the value of a branch's operand into {@link Frame#T0}. */
    void target(At what, int left) {
        at = what;
        back = left;
        Instruction insn = what.insn();
        if (insn.memory) {
            address(insn, stack.word(), false);
            find(stack.word(), false);
            load(stack.word());
        } else {
            frame.get(c, insn.rm);
            truncate(insn.operandSize);
        }
        c.lstore(Frame.T0);
    }

    /** Bytes of the present instruction's operands. */
    int operandSize() {
        return at.insn().operandSize;
    }

    /** Makes an instruction the present one, for what is written by hand. */
    void at(At what, int left) {
        at = what;
        back = left;
    }
}

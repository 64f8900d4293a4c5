package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.MTD_void;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.semantics.Binder;
import org.alcazar.engines.x86.translator.Graph.At;
import org.alcazar.engines.x86.translator.Graph.Node;
import org.jspecify.annotations.Nullable;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the class of a region: its nodes with the branches between them, calls of other regions,
 * polls at the heads of loops. Guest code is written twice: the first pass finds out which
 * registers are in use, which the second has to know from its start.
 */
final class RegionWriter {
    private static final ClassDesc REGION = Frame.desc(Region.class);
    private static final ClassDesc PARENT = Frame.desc(TranslatedRegion.class);
    private static final ClassDesc GUARDS = Frame.desc(Guards.class);
    private static final ClassDesc PASSAGES = Frame.desc(Passages.class);
    private static final ClassDesc INSTRUCTION = Frame.desc(Instruction.class);

    /** The method for when {@link Guards#lazy} does not hold. */
    private static final String EXACT = "exact";

    /** Beginnings of the names of classes by which {@link CompilerDirectives} knows them. */
    static final String QUICK = "Quick_", FULL = "Region_";

    /** So many targets of a branch are compared one after the other, more found by a switch. */
    private static final int CHAIN = 3;

    private static final MethodTypeDesc RUN = MethodTypeDesc.of(CD_int, Frame.CPU);

    /**
     * A region's class.
     *
     * @param exits by number the address that it leads to
     * @param ways {@link Ways#table}
     * @param codeBytes of its method
     */
    record Written(
            byte[] bytes, long[] exits, long[] ways, Instruction[] constants, int codeBytes) {}

    private final Graph graph;
    private final Binder binder;
    private final @Nullable List<At> lines;
    private final boolean quick;
    private final ClassDesc self;

    /** What all passes share: exits by number, and instructions that semantics want whole. */
    private final List<Long> exits = new ArrayList<>();

    private final Ways ways = new Ways();
    private final List<Instruction> constants = new ArrayList<>();
    private final Map<Node, Label> labels = new HashMap<>();

    /** Where the heads of loops are polled: one place for all ways back. */
    private final Map<Node, Label> polls = new LinkedHashMap<>();

    /** Kinds of deferred flags at the entries of nodes with one way in. */
    private final Map<Node, Integer> kinds = new HashMap<>();

    private CodeBuilder c;
    private boolean lazy;
    private Frame frame;
    private InstructionWriter writer;
    private Node present;

    @SuppressWarnings("NullAway.Init") // set at the start of each pass
    private RegionWriter(Graph graph, Binder binder, boolean quick, @Nullable List<At> lines) {
        this.graph = graph;
        this.binder = binder;
        this.quick = quick;
        this.lines = lines;
        self =
                ClassDesc.of(
                        TranslatedRegion.class.getPackageName()
                                + "."
                                + (quick ? QUICK : FULL)
                                + Long.toHexString(graph.nodes.getFirst().rip));
    }

    /**
     * Writes a graph's class.
     *
     * @param quick whether to write what C1 makes machine code of soon, not what C2 makes the best
     *     of
     * @param lines gets the instructions in the order in which they are written, and the class line
     *     numbers that count them from 1; null for neither
     */
    static Written write(Graph graph, Binder binder, boolean quick, @Nullable List<At> lines) {
        RegionWriter writer = new RegionWriter(graph, binder, quick, lines);
        Frame[] known = new Frame[2];
        writer.build(known);
        byte[] bytes = writer.build(known);
        long[] exits = writer.exits.stream().mapToLong(Long::longValue).toArray();
        return new Written(
                bytes,
                exits,
                writer.ways.table(),
                writer.constants.toArray(Instruction[]::new),
                writer.size(bytes));
    }

    private int size(byte[] bytes) {
        return ClassFile.of().parse(bytes).methods().stream()
                .filter(m -> !m.methodName().equalsString("<init>"))
                .mapToInt(m ->
                        m.findAttribute(java.lang.classfile.Attributes.code())
                                .orElseThrow()
                                .codeLength())
                .max()
                .orElseThrow();
    }

    private byte[] build(Frame[] known) {
        if (lines != null) {
            lines.clear();
        }
        return ClassFile.of(
                        lines == null
                                ? ClassFile.DebugElementsOption.DROP_DEBUG
                                : ClassFile.DebugElementsOption.PASS_DEBUG)
                .build(
                        self,
                        cb -> {
                            cb.withFlags(AccessFlag.FINAL, AccessFlag.SUPER);
                            cb.withSuperclass(PARENT);
                            cb.withMethodBody(
                                    "<init>",
                                    MTD_void,
                                    0,
                                    m ->
                                            m.aload(0)
                                                    .invokespecial(PARENT, "<init>", MTD_void)
                                                    .return_());
                            cb.withMethodBody(
                                    "run",
                                    RUN,
                                    java.lang.classfile.ClassFile.ACC_PUBLIC,
                                    m -> known[0] = body(m, known[0], !quick));
                            if (known[0].lazy) {
                                cb.withMethodBody(
                                        EXACT, RUN, 0, m -> known[1] = body(m, known[1], false));
                            }
                        });
    }

    /**
     * Writes the method.
     *
     * @param lazily whether arithmetic is written for {@link Guards#lazy}; where that does not hold
     *     at the entry, the other form runs
     */
    private Frame body(CodeBuilder code, @Nullable Frame before, boolean lazily) {
        c = code;
        lazy = lazily;
        frame = new Frame(code, exits, ways, quick);
        if (before != null) {
            frame.expect(before);
        }
        labels.clear();
        polls.clear();
        kinds.clear();
        writer =
                new InstructionWriter(
                        code, frame, binder, graph.mode == 64, graph.flat, constants, PARENT, lazy);
        if (lazy && frame.lazy) {
            Label here = c.newLabel();
            lazily(here);
            c.aload(Frame.THIS).aload(Frame.CPU_VAR).invokevirtual(self, EXACT, RUN).ireturn();
            c.labelBinding(here);
        }
        frame.writeEntry(c, graph.instructions(), REGION);
        count();
        for (Node node : graph.nodes) {
            labels.put(node, c.newLabel());
        }
        for (Node node : graph.nodes) {
            node(node);
        }
        polls.forEach(this::poll);
        frame.writeStubs(c);
        frame.writeTail(c, PARENT);
        return frame;
    }

    private void count() {
        if (quick) {
            c.aload(Frame.THIS).invokevirtual(REGION, "count", MTD_void);
        }
    }

    private void lazily(Label to) {
        c.aload(Frame.CPU_VAR);
        c.invokestatic(GUARDS, "lazy", MethodTypeDesc.of(CD_boolean, Frame.CPU)).ifne(to);
    }

    private void node(Node node) {
        c.labelBinding(labels.get(node));
        frame.vectors.forget();
        frame.forget(-1);
        boolean entry = node == graph.nodes.getFirst();
        writer.kind =
                entry && node.entries == 1
                        ? DeferredFlags.NONE
                        : node.entries == 1 ? kinds.getOrDefault(node, -1) : -1;
        present = node;
        writer.pages.loop = node.loops;
        boolean shadowed = false;
        int count = node.body.size();
        if (count > 0) {
            c.lload(Frame.RETIRED).loadConstant((long) count).ladd().lstore(Frame.RETIRED);
        }
        for (int i = 0; i < count; i++) {
            At at = node.body.get(i);
            boolean last = i == count - 1;
            if (lines != null) {
                lines.add(at);
                c.lineNumber(lines.size());
            }
            if (last && (branch(at) || passage(at))) {
                return;
            }
            boolean opens = i + 1 < count && opens(at, node.body.get(i + 1), count - i);
            if (!opens && !writer.write(at, count - i)) {
                frame.leave(c, at.rip(), count - i, writer.kind, Region.PLAIN);
                return;
            }
            if (shadowed) {
                c.aload(Frame.CPU_VAR).loadConstant(0).putfield(Frame.CPU, "shadow", CD_int);
            }
            shadowed = opens;
        }
        edge(node.after);
    }

    /**
     * Writes STI. Its shadow is open while the next instruction runs, which may leave the region,
     * but can't do so for good.
     *
     * @return false if it is not STI, or the shadow would outlast the node
     */
    private boolean opens(At at, At next, int back) {
        if (!at.insn().row.semantics().equals("Flags.sti") || Graph.ends(next.insn())) {
            return false;
        }
        writer.at(at, back);
        c.aload(Frame.REQUESTS_VAR);
        c.invokevirtual(Frame.REQUESTS, "pending", MethodTypeDesc.of(CD_int));
        c.ifne(writer.out());
        writer.apart(at.insn());
        return true;
    }

    /**
     * Writes SYSCALL or SYSRET to 64-bit code, the ways to another privilege that are taken most.
     *
     * @return false if it is none of these
     */
    private boolean passage(At at) {
        String semantics = at.insn().row.semantics();
        boolean known =
                semantics.equals("FarTransfers.syscall")
                        || semantics.equals("FarTransfers.sysret") && at.insn().operandSize == 8;
        if (!known || graph.mode != 64) {
            return false;
        }
        writer.at(at, 1);
        frame.writeBack(c, writer.kind);
        writer.kind = DeferredFlags.NONE;
        c.aload(Frame.CPU_VAR).loadConstant(at.next()).putfield(Frame.CPU, "rip", CD_long);
        c.aload(Frame.CPU_VAR);
        writer.whole.constant(at.insn());
        String name = semantics.substring(semantics.indexOf('.') + 1);
        c.invokestatic(PASSAGES, name, MethodTypeDesc.of(CD_boolean, Frame.CPU, INSTRUCTION));
        c.ifeq(writer.out());
        c.loadConstant(Region.ELSEWHERE).ireturn();
        return true;
    }

    /**
     * On the way back to the head of a loop: whether something waits for the core, or the budget
     * ends. Not at the head itself: what is entered goes on at least that far, whatever waits.
     */
    private void poll(Node node, Label here) {
        c.labelBinding(here);
        count();
        Label out = frame.stub(c, node.rip, 0, -1, frame.exit(node.rip));
        c.lload(Frame.RETIRED).lload(Frame.LIMIT).lcmp().ifgt(out);
        c.aload(Frame.REQUESTS_VAR);
        c.invokevirtual(Frame.REQUESTS, "pending", MethodTypeDesc.of(CD_int));
        c.ifne(out);
        if (!lazy && !quick) {
            lazily(out);
        }
        c.goto_(labels.get(node));
    }

    /**
     * Before a way out that is taken often: flags of a known kind cost less than others.
     *
     * @return the kind that is left for it
     */
    private int settled() {
        if (writer.kind < 0 || quick) {
            return writer.kind;
        }
        frame.settle(c, writer.kind);
        return DeferredFlags.NONE;
    }

    private void edge(long rip) {
        Node to = graph.byRip.get(rip);
        if (to == null) {
            frame.leave(c, rip, 0, settled(), frame.exit(rip));
            return;
        }
        boolean back = graph.nodes.indexOf(to) <= graph.nodes.indexOf(present);
        if (to.entries == 1) {
            kinds.put(to, writer.kind);
        } else if (writer.kind >= 0) {
            c.loadConstant(writer.kind).istore(Frame.KIND);
        }
        c.goto_(back ? polls.computeIfAbsent(to, head -> c.newLabel()) : labels.get(to));
    }

    /**
     * Writes a branch at the end of a node.
     *
     * @return false if it is none, or one for the interpreter
     */
    private boolean branch(At at) {
        Instruction insn = at.insn();
        if (!insn.row.semantics().startsWith("Branches.") || !writer.stack.fits(insn)) {
            return false;
        }
        writer.at(at, 1);
        boolean direct = Graph.isDirect(insn);
        long target = at.target();
        if (direct && graph.mode == 64 && target << 16 >> 16 != target) {
            return false;
        }
        if (Graph.isJcc(insn)) {
            conditional(insn, target, at.next());
            return true;
        }
        if (Graph.counts(insn)) {
            return counted(insn, target, at.next());
        }
        if (Graph.isJump(insn)) {
            return direct ? jump(target) : indirect(at);
        }
        if (Graph.isCall(insn)) {
            return call(at, direct, target);
        }
        return insn.row.semantics().equals("Branches.ret") && ret(insn);
    }

    private void conditional(Instruction insn, long target, long next) {
        Label taken = c.newLabel();
        writer.kind = Conditions.jump(c, frame, writer.kind, insn.opcode & 15, taken);
        edge(next);
        c.labelBinding(taken);
        within(target);
        edge(target);
    }

    /** LOOP, LOOPE, LOOPNE and JCXZ. */
    private boolean counted(Instruction insn, long target, long next) {
        if (insn.repeat != 0) {
            return false;
        }
        Label taken = c.newLabel();
        Label over = c.newLabel();
        boolean loops = !insn.row.semantics().equals("Branches.jcxz");
        frame.get(c, X86.RCX).loadConstant(loops ? 1L : 0L).lsub();
        writer.truncate(insn.addressSize);
        c.lstore(Frame.RIP);
        boolean equal = insn.row.semantics().equals("Branches.loope");
        if (equal || insn.row.semantics().equals("Branches.loopne")) {
            int other = equal ? Conditions.NE : Conditions.E;
            writer.kind = Conditions.jump(c, frame, writer.kind, other, over);
        }
        c.lload(Frame.RIP).loadConstant(0L).lcmp();
        if (loops) {
            c.ifne(taken);
        } else {
            c.ifeq(taken);
        }
        c.labelBinding(over);
        count(insn, loops);
        edge(next);
        c.labelBinding(taken);
        within(target);
        count(insn, loops);
        edge(target);
        return true;
    }

    private void count(Instruction insn, boolean loops) {
        if (loops) {
            c.lload(Frame.RIP);
            writer.toRegister(X86.RCX, insn.addressSize);
        }
    }

    private boolean jump(long target) {
        within(target);
        edge(target);
        return true;
    }

    private boolean indirect(At at) {
        writer.target(at, 1);
        among(() -> {});
        canonical();
        leaveTo();
        return true;
    }

    /**
     * Goes on within the region if {@link Frame#T0} is one of the node's targets.
     *
     * @param arrive writes what the branch does besides
     */
    private void among(Runnable arrive) {
        List<Long> targets = present.targets;
        if (targets.isEmpty()) {
            return;
        }
        Label elsewhere = c.newLabel();
        if (targets.size() <= CHAIN) {
            for (long target : targets) {
                Label other = c.newLabel();
                c.lload(Frame.T0).loadConstant(target).lcmp().ifne(other);
                arrive.run();
                edge(target);
                c.labelBinding(other);
            }
            return;
        }
        Spread spread = Spread.of(targets);
        List<SwitchCase> cases = new ArrayList<>();
        targets.stream()
                .sorted(Comparator.comparingInt(spread::place))
                .forEach(t -> cases.add(SwitchCase.of(spread.place(t), c.newLabel())));
        c.lload(Frame.T0).l2i().loadConstant(spread.factor()).imul();
        c.loadConstant(spread.shift()).iushr();
        c.tableswitch(0, spread.places() - 1, elsewhere, cases);
        Map<Integer, Label> labels = new HashMap<>();
        cases.forEach(one -> labels.put(one.caseValue(), one.target()));
        for (long target : targets) {
            c.labelBinding(labels.get(spread.place(target)));
            c.lload(Frame.T0).loadConstant(target).lcmp().ifne(elsewhere);
            arrive.run();
            edge(target);
        }
        c.labelBinding(elsewhere);
    }

    /** Leaves to the interpreter if {@link Frame#T0} is no address. */
    private void canonical() {
        if (graph.mode == 64) {
            c.lload(Frame.T0).loadConstant(16).lshl().loadConstant(16).lshr();
            c.lload(Frame.T0).lcmp().ifne(writer.out());
        } else if (!graph.flat) {
            c.lload(Frame.T0);
            limited();
        }
    }

    /** Leaves to the interpreter if a target that is no part of this region is beyond the limit. */
    private void within(long target) {
        if (!graph.flat && !graph.byRip.containsKey(target)) {
            c.loadConstant(target);
            limited();
        }
    }

    private void limited() {
        c.aload(Frame.CPU_VAR);
        c.invokestatic(GUARDS, "beyond", MethodTypeDesc.of(CD_boolean, CD_long, Frame.CPU));
        c.ifne(writer.out());
    }

    /** Leaves to the address in {@link Frame#T0}. */
    private void leaveTo() {
        int kind = settled();
        if (kind >= 0) {
            c.loadConstant(kind).istore(Frame.KIND);
        }
        c.lload(Frame.T0).lstore(Frame.RIP);
        c.loadConstant(Region.INDIRECT).istore(Frame.WAY);
        c.goto_(frame.indirect);
    }

    private boolean ret(Instruction insn) {
        int release = insn.row.operands().isEmpty() ? 0 : (int) insn.immediate & 0xffff;
        writer.stack.peek();
        c.lstore(Frame.T0);
        Runnable drop = () -> writer.stack.drop(writer.stack.word() + release);
        among(drop);
        canonical();
        drop.run();
        leaveTo();
        return true;
    }

    private boolean call(At at, boolean direct, long target) {
        if (!direct) {
            writer.target(at, 1);
            canonical();
        } else if (present.targets.isEmpty()) {
            within(target);
        }
        writer.stack.room();
        c.loadConstant(at.next());
        writer.store(writer.stack.word());
        writer.stack.pushed();
        if (direct && !present.targets.isEmpty()) {
            edge(target);
            return true;
        }
        among(() -> {});
        Node after = graph.byRip.get(at.next());
        if (after == null) {
            if (direct) {
                frame.leave(c, target, 0, writer.kind, frame.exit(target));
            } else {
                leaveTo();
            }
            return true;
        }
        nested(direct, target, at.next());
        return true;
    }

    /** Runs the callee's region within this one, if there is one, and goes on when it returns. */
    private void nested(boolean direct, long target, long next) {
        frame.writeBack(c, writer.kind);
        writer.kind = DeferredFlags.NONE;
        c.aload(Frame.THIS).aload(Frame.CPU_VAR);
        if (direct) {
            c.loadConstant(frame.exit(target));
            c.invokevirtual(REGION, "callee", MethodTypeDesc.of(REGION, Frame.CPU, CD_int));
        } else {
            c.lload(Frame.T0);
            c.invokevirtual(REGION, "calleeAt", MethodTypeDesc.of(REGION, Frame.CPU, CD_long));
        }
        c.astore(Frame.CALLEE);
        Label run = c.newLabel();
        c.aload(Frame.CALLEE).ifnonnull(run);
        if (direct) {
            frame.leave(c, target, 0, writer.kind, frame.exit(target));
        } else {
            leaveTo();
        }
        c.labelBinding(run);
        depth(1);
        c.aload(Frame.CALLEE).aload(Frame.CPU_VAR);
        c.invokevirtual(REGION, "run", RUN).istore(Frame.WAY);
        Label elsewhere = c.newLabel();
        Label returned = c.newLabel();
        Label follow = c.newLabel();
        returned(next, follow);
        c.goto_(returned);
        c.labelBinding(follow);
        c.aload(Frame.THIS).aload(Frame.CPU_VAR).iload(Frame.WAY).loadConstant(next);
        c.invokevirtual(REGION, "follow", MethodTypeDesc.of(CD_int, Frame.CPU, CD_int, CD_long));
        c.istore(Frame.WAY);
        returned(next, elsewhere);
        c.labelBinding(returned);
        depth(-1);
        frame.loadAll(c);
        Label over = frame.stub(c, next, 0, DeferredFlags.NONE, frame.exit(next));
        c.lload(Frame.RETIRED).lload(Frame.LIMIT).lcmp().ifgt(over);
        edge(next);
        c.labelBinding(elsewhere);
        depth(-1);
        c.iload(Frame.WAY).ireturn();
    }

    /** Jumps if a callee has ended otherwise than by returning. */
    private void returned(long next, Label otherwise) {
        c.iload(Frame.WAY).loadConstant(Region.INDIRECT).if_icmpne(otherwise);
        c.aload(Frame.CPU_VAR).getfield(Frame.CPU, "rip", CD_long).loadConstant(next);
        c.lcmp().ifne(otherwise);
    }

    private void depth(int change) {
        c.aload(Frame.CPU_VAR).dup().getfield(Frame.CPU, "depth", CD_int);
        c.loadConstant(change).iadd().putfield(Frame.CPU, "depth", CD_int);
    }
}

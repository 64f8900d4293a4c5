package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import org.alcazar.engines.x86.mmu.Mmu;
import org.alcazar.engines.x86.mmu.View;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.Requests;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The local variables of a region's method, and its ways out. Guest registers live in locals: those
 * in use are loaded at the entry, those that may have changed are stored by the one tail that all
 * ways out share.
 */
final class Frame {
    static final ClassDesc CPU = desc(Cpu.class);
    static final ClassDesc MMU = desc(Mmu.class);
    static final ClassDesc VIEWS = desc(View.class);
    static final ClassDesc REQUESTS = desc(Requests.class);
    static final ClassDesc FLAGS = desc(DeferredFlags.class);
    static final ClassDesc LONGS = CD_long.arrayType();

    static final int THIS = 0, CPU_VAR = 1, GPR = 2, VIEW = 3, TAG = 4;

    /** Retired instructions: those before the present node's end. */
    static final int RETIRED = 6;

    /** {@link #RETIRED} may be that much at a loop's head. */
    static final int LIMIT = 8;

    static final int RIP = 10;

    /** What {@link #VIEW} was at the entry, if it may change. */
    static final int CALLERS_VIEW = 176;

    /** Deferred flags; see {@link DeferredFlags}. */
    static final int KIND = 12, A = 13, B = 15, C = 132, TURNED = 174;

    /**
     * The page of the stack that was written last, or no page, and what to add to a linear address
     * in it. Views stay as they are while a region runs.
     */
    static final int STACK_PAGE = 170, STACK_ADDEND = 172;

    /** From here on, for each of {@link #tables} what to add to a linear address in it. */
    private static final int TABLES = 182;

    private static final int MAX_TABLES = 4;

    /** Not known yet: no multiple of a page. */
    private static final long NO_ADDEND = 1;

    /** From here on, for each of {@link #pages} a page and what to add to an address in it. */
    private static final int PAGES = TABLES + 2 * MAX_TABLES;

    private static final int MAX_PAGES = 4;

    /** Linear and host-physical address of the present instruction's memory operand. */
    static final int LA = 17, HPA = 19;

    static final int REQUESTS_VAR = 21, XMM = 22, CALLEE = 24;

    /** The number of the way out, later the result. */
    static final int WAY = 23;

    /** Before the present instruction. */
    static final int MXCSR = 25;

    /** For the present instruction. */
    static final int T0 = 26, T1 = 28, T2 = 30;

    /** No linear address is this when masked to its page and the alignment of a quadword. */
    private static final long NO_PAGE = 8;

    /** On its way to a register in {@link #quick} regions, where they stay in the core's state. */
    private static final int SET = 178;

    /** The low bytes of {@link #part}, and whatever above these. */
    private static final int PART = 180;

    private static final int BASES = 32;
    private static final int GENERAL = 36;

    /** Sets of registers by number. */
    int loaded;

    int dirty;

    final VectorLocals vectors = new VectorLocals();

    /**
     * The register of which some low bytes were written last, which who reads no more of it need
     * not take out of the whole; -1 for none.
     */
    private int part = -1;

    private int partBytes;

    /** FS and GS whose bases are needed: bits 0 and 1. */
    int bases;

    /** Whether {@link #STACK_PAGE} is in use. */
    boolean stack;

    /** Pages with tables at constant addresses, which are looked up once in a run. */
    private final List<Long> tables = new ArrayList<>();

    /** For what {@link #page} gives: a register, and 32 if it is for writing. */
    private final List<Integer> pages = new ArrayList<>();

    boolean sse;
    boolean x87;

    /** Has instructions that change which view the core looks into. */
    boolean views;

    /** Has arithmetic that is right only while {@link Guards#lazy} holds. */
    boolean lazy;

    /** Ways out in the midst of nodes. */
    private final Map<Integer, Label> stubs = new LinkedHashMap<>();

    private final List<Long> exits;
    private final Ways ways;
    private final Label tail;

    /** As {@link #tail}, with {@link #RIP}, {@link #KIND} and the result in {@link #WAY} set. */
    final Label indirect;

    /** For the time being: small and soon compiled rather than fast. */
    final boolean quick;

    Frame(CodeBuilder c, List<Long> exits, Ways ways, boolean quick) {
        this.exits = exits;
        this.ways = ways;
        this.quick = quick;
        tail = c.newLabel();
        indirect = c.newLabel();
    }

    /** Takes over what an earlier pass has found. */
    void expect(Frame before) {
        loaded = before.loaded;
        dirty = before.dirty;
        vectors.expect(before.vectors);
        bases = before.bases;
        stack = before.stack;
        tables.addAll(before.tables);
        pages.addAll(before.pages);
        sse = before.sse;
        x87 = before.x87;
        lazy = before.lazy;
        views = before.views;
    }

    static ClassDesc desc(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }

    // ---- registers

    CodeBuilder get(CodeBuilder c, int r) {
        if (quick) {
            return c.aload(GPR).loadConstant(r).laload();
        }
        loaded |= 1 << r;
        return c.lload(GENERAL + 2 * r);
    }

    CodeBuilder set(CodeBuilder c, int r) {
        if (quick) {
            return c.lstore(SET).aload(GPR).loadConstant(r).lload(SET).lastore();
        }
        loaded |= 1 << r;
        dirty |= 1 << r;
        forget(1 << r);
        return c.lstore(GENERAL + 2 * r);
    }

    /** Leaves a register, of which only so many low bytes mean something. */
    CodeBuilder low(CodeBuilder c, int r, int bytes) {
        return r == part && bytes <= partBytes ? c.lload(PART) : get(c, r);
    }

    /**
     * Has the low bytes of a register kept as the long on the stack has them. To be called before
     * that is put into the register.
     */
    void keep(CodeBuilder c) {
        if (!quick) {
            c.dup2().lstore(PART);
        }
    }

    /** After that. */
    void kept(int r, int bytes) {
        if (!quick) {
            part = r;
            partBytes = bytes;
        }
    }

    /** What is kept of registers is so no more. */
    void forget(int set) {
        if (part >= 0 && (set >> part & 1) != 0) {
            part = -1;
        }
    }

    CodeBuilder base(CodeBuilder c, int segment) {
        bases |= 1 << segment - 4;
        return c.lload(BASES + 2 * (segment - 4));
    }

    /** Stores registers to the core's state, though they stay dirty. */
    void spill(CodeBuilder c, int set) {
        for (int r = 0; r < 16 && !quick; r++) {
            if ((set >> r & 1) != 0) {
                c.aload(GPR).loadConstant(r).lload(GENERAL + 2 * r).lastore();
            }
        }
    }

    void reload(CodeBuilder c, int set) {
        forget(set);
        for (int r = 0; r < 16 && !quick; r++) {
            if ((set >> r & 1) != 0) {
                c.aload(GPR).loadConstant(r).laload().lstore(GENERAL + 2 * r);
            }
        }
    }

    // ---- memory

    /**
     * The variable with what to add to a linear address in a page of tables.
     *
     * @return -1 if there are too many such pages
     */
    int table(long page) {
        int known = tables.indexOf(page);
        if (known < 0 && tables.size() < MAX_TABLES) {
            tables.add(page);
            known = tables.size() - 1;
        }
        return known < 0 ? -1 : TABLES + 2 * known;
    }

    /**
     * The variable with the page that was found last by an address in a register, read or written;
     * what to add to an address in it is in the next one.
     *
     * @return -1 if there are too many such registers
     */
    int page(int base, boolean write) {
        int key = write ? base | 32 : base;
        int known = pages.indexOf(key);
        if (known < 0 && pages.size() < MAX_PAGES) {
            pages.add(key);
            known = pages.size() - 1;
        }
        return known < 0 ? -1 : PAGES + 4 * known;
    }

    /** Jumps if {@link #table}'s variable does not know yet. */
    void unknown(CodeBuilder c, int addend, Label to) {
        c.lload(addend).loadConstant(NO_ADDEND).lcmp().ifeq(to);
    }

    // ---- flags

    /** Has the flags in the core's state. */
    void settle(CodeBuilder c, int kind) {
        if (kind == DeferredFlags.NONE) {
            return;
        }
        Label settled = c.newLabel();
        if (kind < 0) {
            c.iload(KIND).ifeq(settled);
        }
        c.aload(CPU_VAR);
        if (kind < 0) {
            c.iload(KIND);
        } else {
            c.loadConstant(kind);
        }
        operands(c);
        c.invokestatic(
                FLAGS,
                kind < 0 ? "settleAny" : "settle",
                MethodTypeDesc.of(CD_void, CPU, CD_int, CD_long, CD_long, CD_long, CD_long));
        c.labelBinding(settled);
    }

    /** Leaves what flags are deferred by. */
    void operands(CodeBuilder c) {
        c.lload(A).lload(B).lload(C).lload(TURNED);
    }

    // ---- ways out

    /** The number of the exit to an address. */
    int exit(long rip) {
        int known = exits.indexOf(rip);
        if (known < 0) {
            exits.add(rip);
        }
        return known < 0 ? exits.size() - 1 : known;
    }

    /**
     * A label from where the region is left.
     *
     * @param back instructions of the node from this one on, which are not retired
     * @param kind of the deferred flags there, or -1 if the local variable has it
     */
    Label stub(CodeBuilder c, long rip, int back, int kind, int result) {
        return stubs.computeIfAbsent(ways.number(rip, back, kind, result), w -> c.newLabel());
    }

    void writeStubs(CodeBuilder c) {
        stubs.forEach((way, at) -> {
            c.labelBinding(at);
            c.loadConstant(way).istore(WAY).goto_(tail);
        });
    }

    void leave(CodeBuilder c, long rip, int back, int kind, int result) {
        c.loadConstant(ways.number(rip, back, kind, result)).istore(WAY).goto_(tail);
    }

    /** Stores what is dirty and returns the result. */
    void writeTail(CodeBuilder c, ClassDesc region) {
        c.labelBinding(tail);
        c.aload(THIS).iload(WAY).invokevirtual(region, "rip", MethodTypeDesc.of(CD_long, CD_int));
        c.lstore(RIP);
        c.aload(THIS).iload(WAY).invokevirtual(region, "rest", MethodTypeDesc.of(CD_long, CD_int));
        c.lstore(T0);
        c.lload(RETIRED).lload(T0).loadConstant((long) Ways.MASK).land().lsub().lstore(RETIRED);
        c.lload(T0).loadConstant(Ways.RESULT_SHIFT).lshr().l2i().istore(WAY);
        kindOfWay(c);
        c.ifeq(indirect);
        kindOfWay(c);
        c.loadConstant(1).isub().istore(KIND);
        c.labelBinding(indirect);
        writeBack(c, -1);
        c.aload(CPU_VAR).lload(RIP).putfield(CPU, "rip", CD_long);
        if (views) {
            // A region that has called this one must not go on with another view.
            Label same = c.newLabel();
            c.aload(VIEW).aload(CALLERS_VIEW).if_acmpeq(same);
            c.loadConstant(Region.PLAIN).istore(WAY);
            c.labelBinding(same);
        }
        Label numbered = c.newLabel();
        c.iload(WAY).ifge(numbered);
        c.iload(WAY).ireturn();
        c.labelBinding(numbered);
        c.aload(THIS).iload(WAY);
        c.invokevirtual(region, "leave", MethodTypeDesc.of(CD_int, CD_int)).ireturn();
    }

    /** Leaves the part of {@link #T0} that is the kind and 1. */
    private static void kindOfWay(CodeBuilder c) {
        c.lload(T0).loadConstant(Ways.KIND_SHIFT).lshr().l2i().loadConstant(Ways.MASK).iand();
    }

    void writeBack(CodeBuilder c, int kind) {
        spill(c, dirty);
        vectors.spill(c, vectors.dirty);
        settle(c, kind);
        c.aload(CPU_VAR).lload(RETIRED).putfield(CPU, "retired", CD_long);
    }

    /** After other code has run: everything is in the core's state. */
    void loadAll(CodeBuilder c) {
        c.aload(CPU_VAR).getfield(CPU, "retired", CD_long).lstore(RETIRED);
        reload(c, loaded);
        vectors.reload(c, vectors.loaded);
        loadBases(c);
    }

    /** The entry: refuses to run if it may not. */
    void writeEntry(CodeBuilder c, int longest, ClassDesc region) {
        c.aload(CPU_VAR).getfield(CPU, "retired", CD_long).lstore(RETIRED);
        c.aload(CPU_VAR).getfield(CPU, "limit", CD_long);
        c.loadConstant((long) longest).lsub().lstore(LIMIT);
        Label refuse = c.newLabel();
        Label enter = c.newLabel();
        c.lload(RETIRED).lload(LIMIT).lcmp().ifgt(refuse);
        if (sse) {
            guard(c, "sse", refuse);
        }
        if (x87) {
            guard(c, "x87", refuse);
        }
        c.goto_(enter);
        c.labelBinding(refuse);
        c.aload(THIS).loadConstant(Region.REFUSED);
        c.invokevirtual(region, "leave", MethodTypeDesc.of(CD_int, CD_int)).ireturn();
        c.labelBinding(enter);
        c.aload(CPU_VAR).getfield(CPU, "gpr", LONGS).astore(GPR);
        loadView(c);
        if (views) {
            c.aload(VIEW).astore(CALLERS_VIEW);
        }
        c.aload(CPU_VAR).getfield(CPU, "requests", REQUESTS).astore(REQUESTS_VAR);
        c.loadConstant(0).istore(KIND);
        c.loadConstant(0L).lstore(A);
        c.loadConstant(0L).lstore(B);
        c.loadConstant(0L).lstore(C);
        c.loadConstant(0L).lstore(TURNED);
        reload(c, loaded);
        if (vectors.loaded != 0) {
            c.aload(CPU_VAR).getfield(CPU, "xmm", LONGS).astore(XMM);
            vectors.reload(c, vectors.loaded);
        }
        loadBases(c);
    }

    /** Looks into the core's present view. */
    void loadView(CodeBuilder c) {
        c.aload(CPU_VAR)
                .getfield(CPU, "mmu", MMU)
                .invokevirtual(MMU, "view", MethodTypeDesc.of(LONGS))
                .astore(VIEW);
        c.aload(CPU_VAR)
                .getfield(CPU, "mmu", MMU)
                .invokevirtual(MMU, "tag", MethodTypeDesc.of(CD_long))
                .lstore(TAG);
        if (stack) {
            c.loadConstant(NO_PAGE).lstore(STACK_PAGE).loadConstant(0L).lstore(STACK_ADDEND);
        }
        for (int i = 0; i < tables.size(); i++) {
            c.loadConstant(NO_ADDEND).lstore(TABLES + 2 * i);
        }
        for (int i = 0; i < pages.size(); i++) {
            c.loadConstant(NO_PAGE).lstore(PAGES + 4 * i);
            c.loadConstant(0L).lstore(PAGES + 4 * i + 2);
        }
    }

    /** Has the bases of FS and GS from the core's state, as far as they are needed. */
    void loadBases(CodeBuilder c) {
        for (int s = 0; s < 2; s++) {
            if ((bases >> s & 1) != 0) {
                c.aload(CPU_VAR).getfield(CPU, "segmentBase", LONGS).loadConstant(s + 4).laload();
                c.lstore(BASES + 2 * s);
            }
        }
    }

    private static void guard(CodeBuilder c, String name, Label refuse) {
        c.aload(CPU_VAR);
        c.invokestatic(desc(Guards.class), name, MethodTypeDesc.of(CD_boolean, CPU));
        c.ifeq(refuse);
    }
}

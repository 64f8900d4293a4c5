package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.semantics.Interrupts;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.state.GroupExchange;
import org.alcazar.engines.x86.state.RandomStream;
import org.alcazar.engines.x86.state.Reset;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.jspecify.annotations.Nullable;

import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One core of the interpreter: its run loop.
 *
 * <p>Nodes run from block to block by themselves. They come back here when a link is missing, when
 * something has been posted, when the budget is short, and after instructions that may have changed
 * anything.
 */
final class X86Core implements VirtualCore {
    /** No exit. */
    private static final int ON = -1;

    private static final long SEGMENT_OR_CONTROL = 1L << X86.SEGMENTS | 1L << X86.CONTROL;

    /** As CPUID function 1 says it. */
    private static final int IDENTITY = CpuModel.SIGNATURE;

    private static final int DR6_BS = 1 << 14;

    private final Core core;
    private final X86Engine engine;
    private final CodeCache cache;
    private final BlockFinder finder;
    private final Replies replies;
    private final Upkeep upkeep;
    private final Deliveries deliveries = new Deliveries();

    /** Within {@link #run}. */
    private volatile boolean running;

    /** While the core stands: between two blocks. */
    private boolean betweenBlocks;

    private volatile @Nullable Thread thread;

    /** What {@link Core#retired} was when a block was entered in the shadow of STI, or -1. */
    private long shadowed = -1;

    /** 1 if an instruction began the task switch that goes on, 0 if an event did. */
    private int taskInstruction;

    private long rootSeen;
    private Translation translationSeen = Translation.NONE;

    private long dispatches;
    private long steps;
    private long faults;

    X86Core(int index, ControlBlock block, PhysicalBus bus, X86Engine engine, Spinner spinner) {
        this.engine = engine;
        core = new Core(index, block, bus, engine);
        cache = core.cache;
        upkeep = new Upkeep(core, engine);
        RandomStream.seed(core, engine.seed);
        finder =
                new BlockFinder(
                        core, new BlockBuilder(new NodeFactory(spinner), engine.model), engine);
        if (engine.verifyEvery > 0) {
            core.lockstep = new Lockstep(core, engine, finder, engine.verifyEvery);
        }
        replies = new Replies(core);
        reset(block);
    }

    /** The machine has so many cores by now. */
    void cores(int count) {
        core.cores = count;
    }

    boolean is(Core other) {
        return core == other;
    }

    Core state() {
        return core;
    }

    /** Whether it can't run now, because the present thread is its own or it never ran. */
    boolean standsFor(Thread present) {
        return thread == null || thread == present;
    }

    // ---- VirtualCore

    @Override
    public int run(ControlBlock block) {
        if (thread != Thread.currentThread()) {
            thread = Thread.currentThread();
        }
        running = true;
        betweenBlocks = true;
        core.party.go();
        betweenBlocks = false;
        try {
            upkeep.obey(false);
            settle();
            return enter(block);
        } finally {
            upkeep.obeyIfWaiting();
            core.party.stand();
            running = false;
        }
    }

    private int enter(ControlBlock block) {
        long before = block.retired; // a restored core goes on counting from what was saved
        if (core.retired != before) {
            core.retiredElsewhere += before - core.retired;
            core.retired = before;
            core.counters.loaded();
        }
        core.end = block.budget == ControlBlock.UNLIMITED ? Long.MAX_VALUE : before + block.budget;
        deliveries.charged = 0;
        load(block);
        core.breakpoints.enter();
        int reason = replies.take();
        if (reason == Replies.FAULT) {
            reason = deliver();
        } else if (reason == Replies.SKIP) {
            reason = skip();
        }
        if (reason == ON) {
            if (block.windowWanted) {
                core.requests.post(Requests.ENGINE);
            }
            reason = loop();
        }
        if (block.budget != ControlBlock.UNLIMITED) {
            block.budget -= core.retired - before + deliveries.charged;
        }
        block.retired = core.retired;
        core.breakpoints.leave();
        ExitFrame frame = block.frame();
        frame.reason = reason;
        replies.expect(reason);
        return reason;
    }

    private void load(ControlBlock block) {
        long oldRip = core.rip;
        long loaded = GroupExchange.load(core, block);
        block.valid = 0;
        if (core.rip != oldRip) {
            replies.forget();
        }
        boolean shadows = block.translation == Translation.SHADOW; // a root is the guest's choice
        boolean moved =
                !shadows && block.translationRoot != rootSeen
                        || block.translation != translationSeen;
        rootSeen = block.translationRoot;
        if (moved || (loaded & SEGMENT_OR_CONTROL) != 0) {
            translationSeen = block.translation;
            core.mmu.reset();
        } else if ((loaded & 1L << X86.GENERAL) != 0) {
            core.mmu.modeChanged();
        }
        if ((loaded & 1L << X86.EXTENDED) != 0) {
            core.mmu.keysChanged();
        }
        core.link = null;
        core.findKey();
    }

    @Override
    public void fetch(ControlBlock block, long mask) {
        GroupExchange.fetch(core, block, mask);
    }

    @Override
    public void reset(ControlBlock block) {
        Reset.power(core, IDENTITY);
        GroupExchange.tell(core);
        replies.clear();
        core.mmu.reset();
        block.valid = 0;
        block.dirty = 0;
        core.findKey();
    }

    @Override
    public long translate(ControlBlock block, long address, int rights) {
        return core.mmu.translate(address, rights);
    }

    @Override
    public String describe(ControlBlock block, long address) {
        return Describe.core(core, address) + replies.describe();
    }

    @Override
    public List<String> disassemble(ControlBlock block, long address, int count) {
        return Describe.code(core, address, count);
    }

    @Override
    public List<String> walk(ControlBlock block, long address) {
        return core.mmu.describe(address);
    }

    @Override
    public String summary(ControlBlock block) {
        return Describe.summary(core);
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> all = new TreeMap<>();
        all.put("blocks-decoded", finder.decoded);
        all.put("blocks-dropped", cache.dropped);
        all.put("dispatches", dispatches);
        all.put("single-steps", steps);
        all.put("faults", faults);
        all.put("tlb-misses", core.mmu.misses);
        all.put("page-walks", core.mmu.walks);
        core.count(all);
        if (core.index == 0) {
            engine.count(all);
        }
        return all;
    }

    @Override
    public void close() {
        engine.remove(this);
        cache.clear(Loss.CLOSED);
        core.party.leave();
    }

    boolean hasCode(long page) {
        return cache.has(page);
    }

    Set<Long> codePages() {
        return cache.pages();
    }

    // ---- from other threads

    /** The VMM's tables have changed. The core stands. */
    void invalidate() {
        core.mmu.invalidate();
        if (running && !betweenBlocks) {
            // In a device access, say: the rest of the block is from the old translation.
            cache.clear(Loss.REMAPPED);
        }
        if (core.monitor.lose()) {
            core.requests.wake(Requests.ENGINE);
        }
    }

    void dropCode(long page) {
        if (thread == Thread.currentThread()) {
            cache.drop(page, Loss.WRITTEN);
        } else {
            upkeep.order(page, Orders.DROP);
        }
    }

    void dropAllCode() {
        upkeep.orderForAll(Orders.DROP);
    }

    void protectCode(long page) {
        upkeep.order(page, Orders.PROTECT);
    }

    /**
     * Whether the core has closed its unseen ways to write to the page of a protection, or will
     * before it goes on.
     */
    boolean hasClosed(long protection) {
        return !running || upkeep.closed() >= protection;
    }

    /** A page that a core may wait for was written, or was written unseen some time ago. */
    void monitored(long page, boolean seen) {
        if (core.monitor.waitsFor(page)) {
            if (seen) {
                core.monitor.written();
            }
            core.requests.wake(Requests.ENGINE);
        }
    }

    /** After a serialising instruction, and at entry: code is as memory is. */
    private void settle() {
        core.serialized = false;
        core.unsettled.settle();
    }

    // ---- the loop

    private int loop() {
        while (true) {
            int reason = unfinished() ? ON : attend();
            if (reason == ON && core.taskLoading) {
                reason = finishTaskSwitch();
            } else if (reason == ON) {
                reason = core.special() ? step() : proceed();
            }
            if (reason != ON) {
                return reason;
            }
        }
    }

    /**
     * Whether something under way has to be finished before anything else can come: an access, a
     * task switch, an instruction that the VMM has let pass or has granted a page to.
     */
    private boolean unfinished() {
        boolean granted = core.proceed || core.mmu.granted.any;
        return replies.accessPending()
                || core.taskLoading
                || granted && core.pendingEvent == 0 && core.retired < core.end;
    }

    /** Everything that can come between two instructions. */
    private int attend() {
        if (core.retired >= core.counters.next) {
            core.counters.settle(core.retired);
        }
        core.bound();
        if (core.serialized) {
            settle();
        }
        int pending = core.requests.pending();
        if (pending == 0 && core.pendingEvent == 0 && core.activity == X86.ACTIVE) {
            return core.retired < core.end ? ON : Exit.BUDGET;
        }
        while (true) {
            int reason = attendOnce();
            if (reason != ON + ON) {
                return reason;
            }
        }
    }

    /** {@link #ON}, an exit, or twice {@link #ON} to look again. */
    private int attendOnce() {
        final int again = ON + ON;
        int pending = core.requests.pending();
        if ((pending & Requests.ENGINE) != 0) {
            core.requests.take(Requests.ENGINE);
            betweenBlocks = true;
            core.party.pause();
            betweenBlocks = false;
            upkeep.obey(true);
            if (core.regions != null) {
                core.regions.settle();
            }
        }
        boolean kicked = (pending & Requests.KICK) != 0;
        // A delivery that never ends must not keep the VMM out.
        if (core.pendingEvent != 0 && !(kicked && deliveries.fruitless())) {
            return then(inject());
        }
        if (kicked) {
            core.requests.take(Requests.KICK);
            return Exit.KICK;
        }
        if ((pending & (Requests.INIT | Requests.STARTUP)) != 0 && started(pending)) {
            return again;
        }
        if (core.activity == X86.SHUT_DOWN) {
            return Exit.SHUTDOWN;
        }
        if (core.activity == X86.WAIT_FOR_STARTUP) {
            return Exit.IDLE;
        }
        if (core.activity == X86.MONITORING && !waits(pending)) {
            core.monitor.end();
            core.activity = X86.ACTIVE;
            core.counters.wake();
            core.bound();
            return again;
        }
        if (core.shadow == 0) {
            if ((pending & Requests.NMI) != 0 && !core.nmiBlocked) {
                core.requests.take(Requests.NMI);
                core.activity = X86.ACTIVE;
                return then(delivered(interrupt(-1)));
            }
            if (core.interruptsEnabled()) {
                if ((pending & Requests.INTERRUPT) != 0) {
                    core.requests.take(Requests.INTERRUPT);
                    int vector = acknowledge();
                    return vector < 0 ? again : then(delivered(interrupt(vector)));
                }
                if (core.block.windowWanted) {
                    return Exit.WINDOW;
                }
            }
        }
        if (core.activity == X86.HALTED || core.activity == X86.MONITORING) {
            core.counters.halt();
            return Exit.IDLE;
        }
        if (core.block.windowWanted) {
            core.requests.post(Requests.ENGINE);
        }
        return core.retired < core.end ? ON : Exit.BUDGET;
    }

    /** After a delivery another event may come first, before the handler's first instruction. */
    private static int then(int outcome) {
        return outcome == ON ? ON + ON : outcome;
    }

    private int acknowledge() {
        betweenBlocks = true;
        int vector = core.interrupts.acknowledge();
        betweenBlocks = false;
        return vector;
    }

    /** Whether MWAIT goes on waiting. The page is watched before the last look at the line. */
    private boolean waits(int pending) {
        if (!core.monitor.watching()) {
            engine.watch(core.monitor.begin(), core);
        }
        boolean interrupted = core.monitor.anyInterrupt && (pending & Requests.INTERRUPT) != 0;
        return !interrupted && !core.monitor.over();
    }

    private boolean started(int pending) {
        if ((pending & Requests.INIT) != 0) {
            core.requests.take(Requests.INIT);
            Reset.init(core, IDENTITY);
            core.interrupts.initialised();
        } else {
            int vector = core.requests.startupVector();
            core.requests.take(Requests.STARTUP);
            if (core.activity != X86.WAIT_FOR_STARTUP) {
                return true;
            }
            Reset.startUp(core, vector);
        }
        core.counters.wake();
        core.mmu.reset();
        core.findKey();
        return true;
    }

    // ---- events

    private static final int TRIPLE_FAULT = Exit.SHUTDOWN;

    /**
     * @param vector below 0 for an NMI
     */
    private int interrupt(int vector) {
        try {
            boolean alive =
                    vector < 0 ? Interrupts.nonMaskable(core) : Interrupts.interrupt(core, vector);
            return alive ? ON : TRIPLE_FAULT;
        } catch (CpuExit exit) {
            return exit(null, exit);
        }
    }

    private int inject() {
        if (Interrupts.isTrap(core.pendingEvent)) {
            core.pendingEvent = 0;
            return fault(null, core.fault(Bits.DB));
        }
        try {
            boolean alive = Interrupts.inject(core);
            core.proceed = false;
            return delivered(alive ? ON : TRIPLE_FAULT);
        } catch (CpuExit exit) {
            return delivered(exit(null, exit));
        }
    }

    /** After an exit in its midst. The instruction that began it counts now. */
    private int finishTaskSwitch() {
        try {
            core.accesses.rewind();
            Interrupts.finishTaskSwitch(core);
            core.retired += taskInstruction;
            core.proceed = false;
            return delivered(ON);
        } catch (CpuFault fault) {
            core.taskLoading = false;
            return fault(null, fault);
        } catch (CpuExit exit) {
            return delivered(exit(null, exit));
        }
    }

    /** Delivers the exception that the reply or {@link Replies} holds. */
    private int deliver() {
        core.mmu.granted.end();
        try {
            boolean alive = Interrupts.raise(core, replies.fault());
            core.accesses.clear();
            core.proceed = false;
            return delivered(alive ? ON : TRIPLE_FAULT);
        } catch (CpuExit exit) {
            return delivered(exit(null, exit));
        }
    }

    /** After an attempt to deliver an event: looks at requests again unless it ended in an exit. */
    private int delivered(int outcome) {
        VarHandle.fullFence();
        core.link = null;
        core.taskSwitched = false;
        core.counters.wake();
        core.bound();
        core.findKey();
        if (outcome == TRIPLE_FAULT) {
            core.activity = X86.SHUT_DOWN;
            replies.over();
            ExitFrame frame = core.block.frame();
            frame.code = 0;
            frame.pc = linear();
            frame.address = replies.lastAddress();
            return Exit.SHUTDOWN;
        }
        if (outcome != ON) {
            return outcome;
        }
        replies.over();
        // Breakpoints on the frame, the table or the task state that the delivery used.
        int hits = core.breakpoints.take();
        if (hits != 0) {
            return debug(hits);
        }
        core.breakpoints.forgetPass();
        deliveries.count(core);
        return core.retired < core.end ? ON : Exit.BUDGET;
    }

    // ---- running

    private int proceed() {
        shadowed = core.shadow == 0 ? -1 : core.retired;
        core.shadow = 0;
        int reason = runBlocks();
        if (core.retired == shadowed) {
            core.shadow = 1;
        }
        return reason;
    }

    private int runBlocks() {
        Op op;
        try {
            BranchOp link = core.link;
            if (link == null) {
                core.findKey();
            }
            int key = core.plainNext ? core.key | Block.PLAIN : core.key;
            core.plainNext = false;
            Block block = finder.lookup(key);
            if (link != null) {
                core.link = null;
                if (core.linkTaken) {
                    link.taken = block;
                } else {
                    link.fall = block;
                }
            }
            long after = core.retired + block.count;
            if (after > core.limit) {
                core.shadow = shadowed < 0 ? 0 : 1;
                return step();
            }
            dispatches++;
            core.retired = after;
            // Without breakpoints nobody sees when exactly the first instruction clears it.
            core.flags &= ~Bits.RF;
            op = core.begin(block);
        } catch (CpuFault fault) {
            return fault(null, fault);
        } catch (CpuExit exit) {
            return exit(null, exit);
        }
        return execute(op);
    }

    private int execute(@Nullable Op first) {
        Op op = first;
        try {
            while (op != null) {
                op = op.exec(core);
            }
            return ON;
        } catch (CpuFault fault) {
            return fault(op, fault);
        } catch (CpuExit exit) {
            return exit(op, exit);
        }
    }

    /** A debugger's breakpoint comes before the next instruction, which nothing has begun yet. */
    private boolean debugged() {
        return core.breakpoints.debugged(linear()) && core.accesses.isEmpty() && !core.proceed;
    }

    private int leaveForDebugger() {
        ExitFrame frame = core.block.frame();
        frame.pc = linear();
        frame.address = frame.pc;
        frame.length = 0;
        return Exit.DEBUG;
    }

    /** Runs one instruction alone. */
    private int step() {
        if (debugged()) {
            return leaveForDebugger();
        }
        steps++;
        int flags = core.flags;
        int shadow = core.shadow;
        long faultsBefore = faults;
        core.link = null;
        core.accesses.rewind();
        core.findKey();
        core.mmu.watch(core.breakpoints.watchData());
        if ((flags & Bits.RF) == 0 && shadow != 2) {
            int hits = core.breakpoints.execution(linear());
            if (hits != 0) {
                return debug(hits);
            }
        }
        core.shadow = 0;
        core.flags &= ~Bits.RF;
        long retired = core.retired;
        long rip = core.rip;
        Block block = Block.NONE;
        int reason;
        try {
            block = finder.lookup(core.key | Block.SINGLE);
            core.retired++;
            core.limit = core.retired;
            reason = execute(block.first);
        } catch (CpuFault fault) {
            reason = fault(null, fault);
        } catch (CpuExit exit) {
            reason = exit(null, exit);
        } finally {
            core.limit = core.end;
            core.link = null;
        }
        if (reason != ON && !core.taskLoading) {
            core.shadow = shadow;
            core.flags |= flags & Bits.RF;
        }
        if (reason != ON || faults != faultsBefore) {
            return reason;
        }
        replies.over();
        core.proceed = false;
        if (core.retired == retired) {
            // A repetition goes on here: its breakpoint does not hit again.
            core.flags |= Bits.RF;
        }
        return stepped(block, (flags & Bits.TF) != 0, rip);
    }

    /** Debug traps after an instruction; MOV SS puts them off until the next one is done. */
    private int stepped(Block block, boolean traced, long from) {
        boolean transferred = core.breakpoints.watchTransfers() && block.transferred(core);
        if (transferred) {
            core.breakpoints.transfer(from, core.rip);
        }
        if (core.shadow == 2 || core.pendingEvent != 0) {
            return ON;
        }
        int hits = core.breakpoints.take();
        if (traced
                && ((core.flags & Bits.TF) != 0 || block.loadsFlags())
                && (!core.breakpoints.stepsTransfers() || transferred)) {
            hits |= DR6_BS;
        }
        return hits == 0 ? ON : debug(hits);
    }

    private long linear() {
        return core.code64() ? core.rip : core.segmentBase[1] + core.rip & 0xffffffffL;
    }

    /** #DB with bits for DR6; those of earlier breakpoints go if there are new ones (13.1.1.3). */
    private int debug(int hits) {
        core.dr[6] = ((hits & 0xf) != 0 ? core.dr[6] & ~0xfL : core.dr[6]) | hits;
        return fault(null, core.fault(Bits.DB));
    }

    /** The instruction was emulated by the VMM: on behind it. */
    private int skip() {
        core.rip += core.block.frame().length;
        if (!core.code64()) {
            core.rip &= (core.key & Block.MODE) == Block.MODE_16 ? 0xffff : 0xffffffffL;
        }
        core.retired++;
        core.shadow = 0;
        replies.over();
        boolean traced = (core.flags & Bits.TF) != 0 && !core.breakpoints.stepsTransfers();
        return traced ? debug(DR6_BS) : ON;
    }

    /**
     * An exception on its way to the guest; {@code op} is the node that raised it, if it was one.
     */
    private int fault(@Nullable Op op, CpuFault fault) {
        faults++;
        shadowed = -1;
        core.mmu.granted.end();
        core.taskLoading = false;
        if (op != null) {
            core.retired -= op.block.count - op.at;
            if (!core.taskSwitched) {
                core.rip = op.rip();
            }
        }
        core.taskSwitched = false;
        if (fault.vector == CpuFault.FREEZE) {
            return freeze();
        }
        if (fault.vector == Bits.GP && core.mmu.nonCanonical) {
            core.mmu.nonCanonical = false;
            if (op != null && op.usesStack(core)) {
                fault.vector = Bits.SS;
            }
        }
        core.link = null;
        // What the instruction did before it faulted is undone, or not to be seen yet.
        core.breakpoints.take();
        boolean debug = fault.vector == Bits.DB;
        replies.remember(fault, linear());
        try {
            boolean alive = Interrupts.raise(core, fault);
            core.accesses.clear();
            core.proceed = false;
            if (debug) {
                core.breakpoints.take();
            }
            return delivered(alive ? ON : TRIPLE_FAULT);
        } catch (CpuExit exit) {
            return delivered(exit(null, exit));
        }
    }

    private int freeze() {
        core.link = null;
        core.accesses.clear();
        core.proceed = false;
        core.activity = X86.HALTED;
        return ON;
    }

    private int exit(@Nullable Op op, CpuExit exit) {
        ExitFrame frame = core.block.frame();
        frame.length = 0;
        core.breakpoints.take();
        core.taskSwitched = false;
        if (op != null) {
            core.retired -= op.block.count - op.at;
        }
        if (core.taskLoading) {
            taskInstruction = op != null ? 1 : 0;
        } else if (op != null) {
            core.rip = op.rip();
            frame.length = op.length;
        }
        frame.pc = linear();
        core.link = null;
        return exit.reason;
    }
}

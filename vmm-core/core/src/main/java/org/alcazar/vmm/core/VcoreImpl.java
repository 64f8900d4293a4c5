package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.VirtualCore;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.plugin.ExtensionType.Extension;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** One virtual core: runs the engine's core once and serves its exit. */
final class VcoreImpl implements Vcore, PagedCore {
    /** What the vcore's thread is in, for messages about failures. */
    static final int IN_LOOP = 0;

    static final int IN_ENGINE = 1;
    static final int IN_EXIT = 2;
    static final int IN_EXTENSION = 3;
    static final int IN_EVENT = 4;

    /** One exit of so many is timed. */
    private static final int SAMPLING = 16;

    /** 2^64 divided by the golden ratio, odd: spreads the bits of what it multiplies. */
    private static final long TRACE_PRIME = 0x9e37_79b9_7f4a_7c15L;

    private record Source(long order, InterruptSource source) {}

    private final Vm vm;
    private final int index;
    private final ControlBlock block;

    /** Exchanged in the barrier. */
    private VirtualCore core;

    private final HostClock clock;
    private final HookMaps hooks;
    private final ExitDispatcher dispatcher;
    private final List<Source> sources = new ArrayList<>();
    private final long[] exits = new long[Exit.COUNT];
    private volatile Extension[] extensions = {};
    private @Nullable VcoreThread thread;
    private @Nullable ExitPortal portal;

    /** Changed in the barrier: it does not enter the guest. */
    private boolean stopped;

    /** What the core went idle for may have come, says its engine. */
    private volatile boolean woken;

    private int phase = IN_LOOP;
    private String event = "";
    private long events;
    private int sample;
    private long sampledNanos;
    private long trace;
    private boolean replyPending;
    private long replyRetired;

    /** Instructions before the last reset, from which the engine counts anew. */
    private long retiredBefore;

    private long retiredElsewhere;

    VcoreImpl(Vm vm, int index, ControlBlock block, VirtualCore core, PagingMode paging) {
        this.vm = vm;
        this.index = index;
        this.block = block;
        this.core = core;
        this.clock = vm.hostClock();
        this.hooks = vm.hooks();
        this.dispatcher = new ExitDispatcher(this, hooks, vm.memory(), vm.physicalMap(), paging);
    }

    /** Lets the engine run until its next exit, and serves that. */
    int enter() {
        block.registers = hooks.registerIntercepts;
        block.features = hooks.featureIntercepts;
        Extension[] around = extensions;
        if (around.length != 0) {
            phase = IN_EXTENSION;
            for (Extension extension : around) {
                extension.onEntry(this);
            }
        }
        phase = IN_ENGINE;
        ExitPortal apart = portal;
        int reason = apart == null ? core.run(block) : apart.run(this);
        phase = IN_EXIT;
        exits[reason]++;
        if (++sample == SAMPLING) {
            sample = 0;
            long start = clock.nanoTime();
            serve(reason);
            sampledNanos += clock.nanoTime() - start;
        } else {
            serve(reason);
        }
        if (around.length != 0) {
            phase = IN_EXTENSION;
            for (Extension extension : around) {
                extension.onExit(this, reason);
            }
        }
        phase = IN_LOOP;
        return reason;
    }

    /** See {@link Pages#writtenOnce}. */
    long writtenOnce(long page, boolean let) throws HostRefusal {
        return vm.machine().pages().writtenOnce(index, page, let);
    }

    /** It is about to sleep, and nothing is under way that could wake it. */
    void idles() {
        phase = IN_EXTENSION;
        for (Extension extension : extensions) {
            extension.onIdle(this);
        }
        phase = IN_LOOP;
    }

    private void serve(int reason) {
        switch (reason) {
            case Exit.ACCESS, Exit.INSTRUCTION, Exit.FAULT, Exit.TRANSLATION, Exit.CALL -> {
                replyPending = true;
                replyRetired = block.retired;
            }
            case Exit.KICK -> replyPending &= block.retired == replyRetired;
            default -> replyPending = false;
        }
        if (reason == Exit.SHUTDOWN) {
            vm.died(this);
            return;
        }
        try {
            dispatcher.dispatch(block, reason);
            if (reason == Exit.ACCESS || reason == Exit.CALL) {
                trace(block.frame());
            }
        } catch (HostRefusal e) {
            vm.machine().refused(e);
        }
    }

    /** Mixes an exit into the trace: when, where, what, and what came of it. */
    private void trace(ExitFrame frame) {
        long hash = trace ^ block.retired;
        hash = (hash ^ frame.pc) * TRACE_PRIME;
        hash = (hash ^ frame.address + ((long) frame.space << 56)) * TRACE_PRIME;
        hash = (hash ^ frame.value) * TRACE_PRIME;
        trace = hash ^ hash >>> 32;
    }

    /**
     * A hash over all accesses and calls that left to the VMM: the instruction count, the place,
     * the address and the value of each, in order. Equal runs have equal traces.
     */
    long trace() {
        return trace;
    }

    /** Whether an access may still wait for its instruction to be finished by the next run. */
    boolean replyPending() {
        return replyPending || block.depth != 0;
    }

    /** What the vcore does, or did when a part failed, for messages. */
    String doing() {
        String at = " (vcore " + index + ")";
        return switch (phase) {
            case IN_ENGINE ->
                    String.format(
                            "engine %s at instruction %d%s", vm.engineName(), block.retired, at);
            case IN_EXIT ->
                    block.frame().reason == Exit.ACCESS
                            ? dispatcher.describeAccess(block.frame()) + at
                            : "the VMM at exit " + Exit.name(block.frame().reason) + at;
            case IN_EXTENSION -> "an extension" + at;
            case IN_EVENT -> event + at;
            default -> "the VMM between two runs" + at;
        };
    }

    /**
     * Whether the vcore's thread may be in a device or an extension, or in an engine that was
     * kicked. Any thread; racy.
     */
    boolean owesReturn() {
        return switch (phase) {
            case IN_EXIT, IN_EXTENSION, IN_EVENT -> true;
            case IN_ENGINE -> (requests().pending() & Requests.KICK) != 0;
            default -> false;
        };
    }

    /** Whether its thread waits for guest code, or runs it. Any thread; racy. */
    boolean inEngine() {
        return phase == IN_ENGINE;
    }

    /** Changes with every exit and event. Any thread; racy. */
    long progress() {
        long sum = events;
        for (long count : exits) {
            sum += count;
        }
        return sum;
    }

    /** A timer fires or input comes, until {@link #eventsDone}. */
    void event(String name) {
        event = name;
        events++;
        phase = IN_EVENT;
    }

    void eventsDone() {
        phase = IN_LOOP;
    }

    @Override
    public long translate(long address) {
        return core.translate(block, address, Rights.READ);
    }

    @Override
    public List<String> disassemble(long address, int count) {
        return core.disassemble(block, address, count);
    }

    @Override
    public List<String> walk(long address) {
        return core.walk(block, address);
    }

    @Override
    public String describe() {
        try {
            return core.describe(block, block.frame().address);
        } catch (RuntimeException e) {
            return "no description: " + e;
        }
    }

    @Override
    public String summary() {
        String where;
        try {
            where = core.summary(block);
        } catch (RuntimeException e) {
            where = "no description: " + e;
        }
        return "vcore %d: %s; pending %s; %d instructions"
                .formatted(index, where, requests().describe(), retiredInAll());
    }

    void reset() {
        block.requests().take(-1);
        block.windowWanted = false;
        block.depth = 0;
        long before = block.retired;
        core.reset(block);
        retiredBefore += before - block.retired;
        replyPending = false;
    }

    VirtualCore core() {
        return core;
    }

    void core(VirtualCore other) {
        core = other;
    }

    void paging(PagingMode other) {
        dispatcher.paging(other);
    }

    void forgetHooks() {
        dispatcher.forgetHooks();
    }

    boolean stopped() {
        return stopped;
    }

    void stopped(boolean stops) {
        stopped = stops;
    }

    void extensions(Extension[] list) {
        extensions = list;
    }

    void thread(VcoreThread serving) {
        thread = serving;
        block.requests().waker(this::engineWakes);
    }

    private void engineWakes() {
        woken = true;
        wake();
    }

    boolean woken() {
        return woken;
    }

    /** It is about to look at what it waits for. */
    void looks() {
        woken = false;
    }

    /** Its guest code runs on a thread of its own. Before the first run. */
    void portal(ExitPortal opened) {
        portal = opened;
    }

    /** Makes the thread look at the barrier and the events. */
    void kick() {
        block.requests().post(Requests.KICK);
        wake();
    }

    private void wake() {
        VcoreThread serving = thread;
        if (serving != null) {
            serving.wake();
        }
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public VirtualMachine vm() {
        return vm;
    }

    @Override
    public ControlBlock block() {
        return block;
    }

    @Override
    public void fetch(long groups) {
        core.fetch(block, groups);
    }

    @Override
    public long read(long address, int bytes) {
        return dispatcher.readMemory(address, bytes);
    }

    @Override
    public void write(long address, int bytes, long value) {
        dispatcher.writeMemory(address, bytes, value);
    }

    @Override
    public Requests requests() {
        return block.requests();
    }

    @Override
    public void post(int requests) {
        block.requests().post(requests);
        wake();
    }

    /** The source of the highest order counts. In the barrier, or before the start. */
    void addSource(long order, InterruptSource source) {
        sources.add(new Source(order, source));
        chooseSource();
    }

    void removeSource(InterruptSource source) {
        sources.removeIf(entry -> entry.source == source);
        chooseSource();
    }

    private void chooseSource() {
        block.interrupts =
                sources.stream()
                        .max(Comparator.comparingLong(Source::order))
                        .map(Source::source)
                        .orElse(InterruptSource.EMPTY);
    }

    @Override
    public void decline() {
        block.frame().reply = ExitFrame.PROCEED;
    }

    @Override
    public long retired() {
        return block.retired;
    }

    /** The state was replaced by a saved one: what that had retired took none of our time. */
    void restored() {
        retiredElsewhere = block.retired;
    }

    /** Guest instructions that took time here. */
    long retiredHere() {
        return retiredInAll() - retiredElsewhere;
    }

    /** Guest instructions in the VM's whole life. */
    long retiredInAll() {
        return retiredBefore + block.retired;
    }

    long exits(int reason) {
        return exits[reason];
    }

    /** Nanoseconds in the service of exits, from a sample. */
    long serviceNanos() {
        return sampledNanos * SAMPLING;
    }

    Map<String, Long> engineCounters() {
        return core.counters();
    }

    void close() {
        core.close();
    }
}

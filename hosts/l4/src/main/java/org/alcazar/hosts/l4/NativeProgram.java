package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A program that runs on the micro-kernel itself. Its threads share one core of an engine; the
 * scheduler here gives it to one after the other, round robin, each for its time slice in
 * instructions, and to the receiver of a message at once, as L4 does.
 */
final class NativeProgram implements HostNative.Program {
    private static final Logger LOG = LoggerFactory.getLogger(NativeProgram.class);

    /** Threads that a program may have. */
    static final int MOST_THREADS = 64;

    /** Mappings that the spaces of a program may have together: some 28 MB. */
    private static final long MOST_MAPPINGS = 1 << 18;

    /** Mappings that a program may have for each page of its memory, within that bound. */
    private static final long MAPPINGS_PER_PAGE = 4;

    private static final long DEFAULT_SLICE = 100_000;

    /** Where the image ends at most; the stack is behind. */
    static final long IMAGE_END = UserMemory.END - 0x100_0000;

    private static final long STACK_TOP = UserMemory.END - 0x1_0000;
    private static final int MOST_ARGUMENT_BYTES = 1 << 16;
    private static final int MOST_COMPLAINTS = 20;

    /** Turns between two looks at the clock while threads are ready. */
    private static final int TURNS_PER_TICK = 64;

    private final MicroKernel kernel;
    private final HostNative.Wish wish;
    private final HostMemory hostMemory;
    private final PagePool pool;
    private final MappingBudget mappings;
    private final UserCore core;
    private final UserMemory memory;
    private final SystemCalls calls;
    private final InputQueue input = new InputQueue();
    private final OutputQueue output;
    private final @Nullable NativeThread[] threads = new NativeThread[MOST_THREADS];
    private final List<NativeSpace> spaces = new ArrayList<>();
    private final List<String> complaints = new ArrayList<>();
    private final AtomicLong systemCalls = new AtomicLong();
    private final AtomicLong pageFaults = new AtomicLong();
    private final AtomicLong switches = new AtomicLong();
    private volatile long instructions;

    private @Nullable NativeThread inCore;
    private @Nullable NativeThread preferred;
    private int lastIndex;
    private boolean translationsChanged;
    private boolean exited;
    private int code;

    private volatile boolean stopping;
    private volatile @Nullable Thread carrier;

    /** Guarded by {@link #listeners}. */
    private HostNative.@Nullable End end;

    private final List<Consumer<HostNative.End>> listeners = new ArrayList<>();

    private NativeProgram(
            MicroKernel kernel, HostMemory hostMemory, HostNative.Wish wish, UserCore core) {
        this.kernel = kernel;
        this.wish = wish;
        this.hostMemory = hostMemory;
        pool =
                new PagePool(
                        hostMemory,
                        L4Memory.NATIVE + wish.name(),
                        wish.memory() >> HostMemory.PAGE_SHIFT);
        this.core = core;
        long pages = wish.memory() >> HostMemory.PAGE_SHIFT;
        mappings =
                new MappingBudget(
                        (int)
                                (MAPPINGS_PER_PAGE
                                        * Math.min(pages, MOST_MAPPINGS / MAPPINGS_PER_PAGE)));
        memory = new UserMemory(kernel, pool);
        output = new OutputQueue(wish.console(), () -> LockSupport.unpark(carrier));
        calls = new SystemCalls(kernel, this, memory, core, output);
    }

    /**
     * Loads a program and starts it.
     *
     * @param image the wish's
     * @param engine is closed at the program's end, and if it does not start
     * @param ended called after all is returned, before the listeners
     * @throws HostRefusal if there is no room for it; all is returned then
     */
    static NativeProgram start(
            MicroKernel kernel,
            HostMemory hostMemory,
            L4Processors processors,
            HostNative.Wish wish,
            ElfImage image,
            Engine engine,
            Runnable ended)
            throws HostRefusal {
        NativeProgram program = new NativeProgram(kernel, hostMemory, wish, core(engine));
        boolean started = false;
        try {
            program.load(image);
            wish.console().onInput(program::typed);
            program.output.start(wish.name());
            processors.start("native " + wish.name(), HostThread.ANY_CPU, () -> program.run(ended));
            started = true;
            return program;
        } finally {
            if (!started) {
                program.giveBack();
                program.output.close();
            }
        }
    }

    private static UserCore core(Engine engine) throws HostRefusal {
        boolean made = false;
        try {
            UserCore core = new UserCore(engine);
            made = true;
            return core;
        } finally {
            if (!made) {
                engine.close();
            }
        }
    }

    // Loading.

    private void load(ElfImage image) throws HostRefusal {
        NativeSpace space = newSpace();
        if (space == null) {
            throw lacking();
        }
        for (ElfImage.Segment segment : image.segments()) {
            loadSegment(space, segment);
        }
        long stack = loadArguments(space);
        NativeThread first =
                newThread(
                        space,
                        image.entry(),
                        stack,
                        wish.arguments().size() + 1L,
                        stack + 8,
                        ThreadIds.SIGMA0);
        if (first == null) {
            throw lacking();
        }
    }

    private HostRefusal lacking() {
        return new HostRefusal(
                "native program %s: does not fit into %d KiB of memory"
                        .formatted(wish.name(), wish.memory() >> 10));
    }

    private void loadSegment(NativeSpace space, ElfImage.Segment segment) throws HostRefusal {
        byte[] file = wish.image();
        for (long at = segment.address() & -4096; at < segment.end(); at += 4096) {
            long page = memory.pageAt(space, at);
            int rights = segment.rights();
            if (page == PagePool.NONE) {
                page = memory.take();
                if (page == PagePool.NONE) {
                    throw lacking();
                }
            }
            // A page of two segments has the rights of both.
            if (!memory.map(space, page, at, rights)) {
                throw lacking();
            }
            long from = Math.max(at, segment.address());
            long to = Math.min(at + 4096, segment.address() + segment.fileBytes());
            if (from < to) {
                UserMemory.fill(
                        page,
                        (int) (from - at),
                        file,
                        (int) (segment.offset() + (from - segment.address())),
                        (int) (to - from));
            }
        }
    }

    /**
     * Arguments as C has them, at the top of the stack: their count, pointers to them, null, text.
     *
     * @return where the count is; the pointers follow
     */
    private long loadArguments(NativeSpace space) throws HostRefusal {
        List<byte[]> texts = new ArrayList<>();
        texts.add((wish.name() + "\0").getBytes(StandardCharsets.UTF_8));
        int bytes = 0;
        for (String argument : wish.arguments()) {
            texts.add((argument + "\0").getBytes(StandardCharsets.UTF_8));
        }
        for (byte[] text : texts) {
            bytes += text.length + 8;
            if (bytes > MOST_ARGUMENT_BYTES) {
                throw new HostRefusal(
                        "native program %s: its arguments have more than %d bytes"
                                .formatted(wish.name(), MOST_ARGUMENT_BYTES));
            }
        }
        long start = STACK_TOP - bytes - 32 & -16;
        byte[] image = new byte[(int) (STACK_TOP - start)];
        long text = start + 8 * (texts.size() + 2L);
        putLong(image, 0, texts.size());
        for (int i = 0; i < texts.size(); i++) {
            byte[] one = texts.get(i);
            putLong(image, 8 * (i + 1), text);
            System.arraycopy(one, 0, image, (int) (text - start), one.length);
            text += one.length;
        }
        for (long at = start & -4096; at < STACK_TOP; at += 4096) {
            long page = memory.take();
            if (page == PagePool.NONE
                    || !memory.map(space, page, at, Flexpage.READ | Flexpage.WRITE)) {
                throw lacking();
            }
            long from = Math.max(at, start);
            int count = (int) (Math.min(at + 4096, STACK_TOP) - from);
            UserMemory.fill(page, (int) (from - at), image, (int) (from - start), count);
        }
        return start;
    }

    private static void putLong(byte[] to, int at, long value) {
        for (int i = 0; i < 8; i++) {
            to[at + i] = (byte) (value >> 8 * i);
        }
    }

    // Spaces and threads; on the carrier, or before it runs.

    /** A new space, or null if there is no memory for its table. */
    @Nullable NativeSpace newSpace() {
        long root = memory.keep();
        if (root == PagePool.NONE) {
            return null;
        }
        PageTables tables = new PageTables(pool, root, () -> translationsChanged = true);
        long current = memory.keep();
        if (current == PagePool.NONE || !tables.set(UserMemory.CURRENT, current, Flexpage.READ)) {
            if (current != PagePool.NONE) {
                memory.release(current);
            }
            tables.release();
            return null;
        }
        NativeSpace space =
                new NativeSpace(
                        new AddressSpace(
                                wish.name() + "/" + spaces.size(),
                                tables,
                                mappings,
                                UserMemory.END),
                        tables,
                        current);
        spaces.add(space);
        return space;
    }

    /** A new space that got no thread. */
    void drop(NativeSpace space) {
        spaces.remove(space);
        memory.release(space.current());
        space.tables().release();
    }

    /** A new thread, ready to run; null if there is no room for it. */
    @Nullable NativeThread newThread(
            NativeSpace space, long entry, long stack, long first, long second, long pager) {
        int index = 0;
        while (index < MOST_THREADS && threads[index] != null) {
            index++;
        }
        if (index == MOST_THREADS) {
            return null;
        }
        long utcb = memory.keep();
        if (utcb == PagePool.NONE) {
            return null;
        }
        long local = UserMemory.UTCBS + index * HostMemory.PAGE_SIZE;
        if (!space.tables().set(local, utcb, Flexpage.READ | Flexpage.WRITE)) {
            memory.release(utcb);
            return null;
        }
        try {
            Tcb tcb = kernel.newThread(space.space(), wish.name() + "#" + index);
            NativeThread thread =
                    new NativeThread(
                            tcb,
                            core.start(
                                    entry,
                                    stack,
                                    first,
                                    second,
                                    space.tables().root(),
                                    UserMemory.CURRENT),
                            space,
                            index,
                            utcb,
                            pager,
                            DEFAULT_SLICE);
            threads[index] = thread;
            calls.prepare(thread);
            return thread;
        } catch (HostRefusal e) {
            space.tables().clear(local);
            memory.release(utcb);
            return null;
        }
    }

    /** A thread of this program that lives. */
    @Nullable NativeThread find(long id) {
        for (NativeThread thread : threads) {
            if (thread != null && thread.tcb.id == id) {
                return thread;
            }
        }
        return null;
    }

    /** Ends one thread, and its space if it was the last one there. */
    void end(NativeThread thread) {
        if (inCore == thread) {
            inCore = null;
        }
        if (preferred == thread) {
            preferred = null;
        }
        threads[thread.index] = null;
        kernel.kill(thread.tcb, false);
        NativeSpace space = thread.space;
        space.tables().clear(UserMemory.UTCBS + thread.index * HostMemory.PAGE_SIZE);
        memory.release(thread.utcb);
        if (space.space().threads == 0) {
            drop(space);
        }
    }

    /** A thread did what it may not: it ends, and a line says why. */
    void fail(NativeThread thread, String what) {
        if (complaints.size() < MOST_COMPLAINTS) {
            complaints.add(
                    "native program %s: thread %d %s, by the instruction at 0x%x; it has ended"
                            .formatted(
                                    wish.name(),
                                    thread.index,
                                    what,
                                    registers(thread)[core.programCounter()]));
        }
        end(thread);
    }

    /** The whole program ends. */
    void exit(int status) {
        exited = true;
        code = status & 0xff;
    }

    /** The general registers of a thread, for reading. */
    long[] registers(NativeThread thread) {
        return thread == inCore ? core.registers() : core.registers(thread.context);
    }

    /** The same, for writing. */
    long[] changedRegisters(NativeThread thread) {
        return thread == inCore ? core.changedRegisters() : core.registers(thread.context);
    }

    /** Whom to run next, if he can. */
    void prefer(@Nullable NativeThread thread) {
        preferred = thread;
    }

    InputQueue input() {
        return input;
    }

    long instructions() {
        return core.retired();
    }

    // The scheduler.

    private void run(Runnable ended) {
        carrier = Thread.currentThread();
        HostNative.Cause cause = HostNative.Cause.FAILED;
        try {
            cause = schedule();
        } catch (RuntimeException | Error e) {
            LOG.error("native program {} failed", wish.name(), e);
            complaints.add("native program %s: a fault of the host: %s".formatted(wish.name(), e));
        } finally {
            giveBack();
            awaitOutput();
            ended.run();
            tell(new HostNative.End(cause, code, complaints));
        }
    }

    private HostNative.Cause schedule() {
        for (int turn = 0; ; turn++) {
            if (exited) {
                return HostNative.Cause.EXITED;
            }
            if (stopping) {
                return HostNative.Cause.STOPPED;
            }
            if (turn % TURNS_PER_TICK == 0) {
                expire();
            }
            NativeThread next = next();
            if (next != null) {
                dispatch(next);
                instructions = core.retired();
            } else if (alive() == 0) {
                return complaints.isEmpty() ? HostNative.Cause.EXITED : HostNative.Cause.FAILED;
            } else if (!rest()) {
                complaints.add(
                        ("native program %s: each of its %d threads waits for a message, and none"
                                        + " is left to send it")
                                .formatted(wish.name(), alive()));
                return HostNative.Cause.FAILED;
            }
        }
    }

    private int alive() {
        int alive = 0;
        for (NativeThread thread : threads) {
            alive += thread == null ? 0 : 1;
        }
        return alive;
    }

    private @Nullable NativeThread next() {
        NativeThread first = preferred;
        preferred = null;
        if (first != null && ready(first)) {
            return first;
        }
        for (int i = 1; i <= MOST_THREADS; i++) {
            NativeThread thread = threads[(lastIndex + i) % MOST_THREADS];
            if (thread != null && ready(thread)) {
                return threads[thread.index] == thread ? thread : null;
            }
        }
        return null;
    }

    /** Whether a thread can run; what it waited for is given to it then. */
    private boolean ready(NativeThread thread) {
        return switch (thread.wait) {
            case NOTHING -> true;
            case INPUT -> calls.finishRead(thread);
            case OUTPUT -> calls.finishWrite(thread);
            case IPC -> {
                if (thread.tcb.state != Tcb.RUNNING) {
                    yield false;
                }
                calls.finishIpc(thread);
                yield true;
            }
            case PAGER -> {
                if (thread.tcb.state != Tcb.RUNNING) {
                    yield false;
                }
                yield answered(thread);
            }
        };
    }

    private boolean answered(NativeThread thread) {
        thread.wait = NativeThread.Wait.NOTHING;
        thread.tcb.registers = thread.userMessage;
        if (thread.tcb.error != IpcError.NONE) {
            fail(
                    thread,
                    "could not tell its pager of a page fault at 0x%x (%s)"
                            .formatted(
                                    thread.faultMessage[1], IpcError.describe(thread.tcb.error)));
            return false;
        }
        return true;
    }

    /** Timeouts. */
    private void expire() {
        long now = 0;
        for (NativeThread thread : threads) {
            if (thread != null && deadline(thread) != Long.MAX_VALUE) {
                now = now == 0 ? kernel.nanoTime() : now;
                if (deadline(thread) <= now) {
                    kernel.primitives().count(L4Primitive.TIMER_TICK);
                    kernel.cancel(thread.tcb, IpcError.TIMEOUT);
                }
            }
        }
    }

    private long deadline(NativeThread thread) {
        if (thread.wait != NativeThread.Wait.IPC) {
            return Long.MAX_VALUE;
        }
        if (thread.tcb.state == Tcb.SENDING) {
            return thread.sendUntil;
        }
        if (thread.tcb.state != Tcb.RECEIVING || thread.receiveNanos == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        if (thread.receiveUntil == Long.MAX_VALUE) {
            thread.receiveUntil = kernel.nanoTime() + thread.receiveNanos;
        }
        return thread.receiveUntil;
    }

    /**
     * Sleeps until the next timeout, input, or room for output.
     *
     * @return whether there is anything to wait for
     */
    private boolean rest() {
        long until = Long.MAX_VALUE;
        boolean outside = false;
        for (NativeThread thread : threads) {
            if (thread != null) {
                until = Math.min(until, deadline(thread));
                outside |=
                        thread.wait == NativeThread.Wait.INPUT
                                || thread.wait == NativeThread.Wait.OUTPUT;
            }
        }
        if (until != Long.MAX_VALUE) {
            LockSupport.parkNanos(this, Math.max(until - kernel.nanoTime(), 0));
            expire();
        } else if (outside) {
            LockSupport.park(this);
        } else {
            return false;
        }
        return true;
    }

    private void dispatch(NativeThread thread) {
        NativeThread before = inCore;
        if (before != thread) {
            if (before != null) {
                core.save(before.context);
            }
            core.load(thread.context, before != null);
            UserMemory.word(
                    thread.space.current(), UserMemory.UTCBS + thread.index * HostMemory.PAGE_SIZE);
            inCore = thread;
            switches.incrementAndGet();
        }
        if (translationsChanged) {
            core.forgetTranslations();
            translationsChanged = false;
        }
        lastIndex = thread.index;
        int exit = core.run(thread.slice);
        switch (exit) {
            case Exit.BUDGET, Exit.KICK, Exit.WINDOW, Exit.SPIN -> {}
            case Exit.FAULT -> fault(thread, core.frame());
            default -> fail(thread, "left user mode by " + Exit.name(exit));
        }
    }

    private void fault(NativeThread thread, ExitFrame frame) {
        if (frame.code == X86Exceptions.GENERAL_PROTECTION && frame.value == SystemCalls.GATE) {
            systemCalls.incrementAndGet();
            kernel.primitives().count(L4Primitive.SYSTEM_CALL);
            calls.call(thread);
        } else if (frame.code == X86Exceptions.PAGE_FAULT) {
            pageFault(thread, frame.address, (int) frame.value);
        } else {
            fail(thread, "raised " + X86Exceptions.name(frame.code, frame.value));
        }
    }

    private void pageFault(NativeThread thread, long address, int error) {
        int rights = X86Exceptions.rights(error);
        switch (memory.see(thread.space, address, rights)) {
            case PRESENT -> {
                translationsChanged = true;
                return;
            }
            case EXHAUSTED -> {
                fail(thread, "found no memory for the tables of 0x%x".formatted(address));
                return;
            }
            default -> {}
        }
        pageFaults.incrementAndGet();
        kernel.primitives().count(L4Primitive.PAGE_FAULT);
        if (thread.pager == ThreadIds.SIGMA0) {
            askSigma0(thread, address, rights);
        } else {
            askPager(thread, address, rights);
        }
    }

    private void askSigma0(NativeThread thread, long address, int rights) {
        kernel.primitives().count(L4Primitive.IPC, 2);
        boolean there = memory.pageAt(thread.space, address & -4096) != PagePool.NONE;
        boolean fetch = (rights & Flexpage.EXECUTE) != 0;
        UserMemory.Outcome outcome =
                there || fetch
                        ? UserMemory.Outcome.FORBIDDEN
                        : memory.give(thread.space, address, Flexpage.READ | Flexpage.WRITE);
        if (outcome == UserMemory.Outcome.PRESENT) {
            memory.see(thread.space, address, rights);
            translationsChanged = true;
        } else {
            fail(
                    thread,
                    "%s 0x%x, %s"
                            .formatted(
                                    X86Exceptions.verb(rights),
                                    address,
                                    outcome == UserMemory.Outcome.EXHAUSTED
                                            ? "and its %d KiB of memory are used up"
                                                    .formatted(wish.memory() >> 10)
                                            : there ? "which it may not" : "where nothing is"));
        }
    }

    /** X.2, 3.7: the kernel sends on behalf of the thread, which goes on after the answer. */
    private void askPager(NativeThread thread, long address, int rights) {
        NativeThread pager = find(thread.pager);
        if (pager == null || pager == thread) {
            fail(
                    thread,
                    "%s 0x%x, and its pager is gone"
                            .formatted(X86Exceptions.verb(rights), address));
            return;
        }
        thread.faultMessage[0] = HostExitPortal.tag(Message.FAULT_LABEL | rights, 2, 0);
        thread.faultMessage[1] = address;
        thread.faultMessage[2] = registers(thread)[core.programCounter()];
        thread.tcb.registers = thread.faultMessage;
        thread.tcb.window = Flexpage.COMPLETE;
        thread.wait = NativeThread.Wait.PAGER;
        kernel.begin(thread.tcb, pager.tcb, pager.tcb.id);
        preferred = pager;
    }

    // From outside.

    private void typed(int octet) {
        input.add(octet);
        LockSupport.unpark(carrier);
    }

    @Override
    public void stop() {
        stopping = true;
        core.kick();
        LockSupport.unpark(carrier);
    }

    @Override
    public void onEnd(Consumer<HostNative.End> action) {
        HostNative.End reached;
        synchronized (listeners) {
            reached = end;
            if (reached == null) {
                listeners.add(action);
                return;
            }
        }
        action.accept(reached);
    }

    private void tell(HostNative.End reached) {
        List<Consumer<HostNative.End>> all;
        synchronized (listeners) {
            end = reached;
            all = List.copyOf(listeners);
        }
        all.forEach(action -> action.accept(reached));
    }

    @Override
    public Map<String, Long> statistics() {
        Map<String, Long> out = new LinkedHashMap<>();
        out.put("instructions", instructions);
        out.put("system-calls", systemCalls.get());
        out.put("page-faults", pageFaults.get());
        out.put("context-switches", switches.get());
        out.put("memory-in-use", hostMemory.bytesInUse(L4Memory.NATIVE + wish.name()));
        return out;
    }

    /** Everything that it had; its core does not run any more. */
    private void giveBack() {
        core.close();
        for (NativeThread thread : threads) {
            if (thread != null) {
                kernel.kill(thread.tcb, false);
            }
        }
        spaces.forEach(space -> kernel.empty(space.space()));
        pool.close();
    }

    /** What it wrote reaches the console, unless it shall stop: nobody may be reading. */
    private void awaitOutput() {
        while (!stopping && !output.isDone()) {
            LockSupport.park(this);
        }
        output.close();
    }
}

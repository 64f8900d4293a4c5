package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * The micro-kernel: threads, address spaces and synchronous IPC (L4 Kernel Reference Manual, X.2).
 * An operation of IPC is begun and then waited for; beginning it never blocks, so that threads of
 * the JVM and threads of native programs, which a scheduler of their own runs, can do it alike.
 */
final class MicroKernel {
    /** Mappings that are looked at before others get their turn at the lock. */
    private static final int PIECE = 512;

    private final KernelLock lock = new KernelLock();
    private final Primitives<L4Primitive> primitives;
    private final MappingDatabase database;
    private final LongSupplier clock;
    private final int most;

    private final Map<Long, Tcb> threads = new HashMap<>();
    private final Map<String, AddressSpace> spaces = new HashMap<>();
    private final ArrayDeque<Long> freeIds = new ArrayDeque<>();
    private int nextNumber = ThreadIds.USER_BASE + 1;

    /**
     * A kernel with the space of sigma0 and nothing else.
     *
     * @param most threads that there may be
     * @param clock nanoseconds, for timeouts
     */
    MicroKernel(Primitives<L4Primitive> primitives, int most, LongSupplier clock) {
        this.primitives = primitives;
        this.most = most;
        this.clock = clock;
        database = new MappingDatabase(primitives);
    }

    Primitives<L4Primitive> primitives() {
        return primitives;
    }

    long nanoTime() {
        return clock.getAsLong();
    }

    // Spaces and memory.

    /** The space of a name, made if there is none. */
    AddressSpace space(String name) {
        lock.lock();
        try {
            return known(name);
        } finally {
            lock.unlock();
        }
    }

    private AddressSpace known(String name) {
        return spaces.computeIfAbsent(
                name,
                n ->
                        new AddressSpace(
                                n,
                                AddressSpace.Tables.NONE,
                                MappingBudget.unlimited(),
                                Long.MAX_VALUE));
    }

    /** Does something with the database while nobody else does. Short. */
    <T> T with(Database<T> action) {
        lock.lock();
        try {
            return action.apply(database);
        } finally {
            lock.unlock();
        }
    }

    /** Something short. */
    @FunctionalInterface
    interface Database<T> {
        T apply(MappingDatabase database);
    }

    /** As {@link MappingDatabase#unmap}, in pieces. */
    void unmap(AddressSpace space, long page, boolean flush) {
        Revocation work = new Revocation(space, page, flush);
        while (!with(d -> d.unmap(work, PIECE))) {
            Thread.onSpinWait();
        }
    }

    /** A flexpage comes back to sigma0 from everybody, and sigma0 has it no more. */
    void disown(long page) {
        unmap(database.sigma0(), page, false);
        with(d -> {
            d.disown(page);
            return true;
        });
    }

    /** Takes all memory out of a space. */
    void empty(AddressSpace space) {
        while (!with(d -> d.empty(space, PIECE))) {
            Thread.onSpinWait();
        }
    }

    // Threads.

    /**
     * Makes a thread, which runs from now on.
     *
     * @throws HostRefusal if there are too many
     */
    Tcb newThread(AddressSpace space, String name) throws HostRefusal {
        lock.lock();
        try {
            return make(space, name);
        } finally {
            lock.unlock();
        }
    }

    /** The same in the space of a name, which is made if there is none. */
    Tcb newThread(String space, String name) throws HostRefusal {
        lock.lock();
        try {
            return make(known(space), name);
        } finally {
            lock.unlock();
        }
    }

    private Tcb make(AddressSpace space, String name) throws HostRefusal {
        if (threads.size() >= most) {
            throw new HostRefusal(
                    "host l4: no more threads for '%s'; the option 'threads' allows %d"
                            .formatted(name, most));
        }
        Long before = freeIds.poll();
        long id =
                before == null
                        ? ThreadIds.id(nextNumber++, 1)
                        : ThreadIds.id(
                                ThreadIds.number(before),
                                ThreadIds.next(ThreadIds.version(before)));
        Tcb thread = new Tcb(id, space, name);
        threads.put(id, thread);
        space.threads++;
        primitives.count(L4Primitive.THREAD_START);
        return thread;
    }

    /** The thread behind an interrupt line; it has no space of its own and lives for ever. */
    Tcb interruptThread(int line, AddressSpace space) {
        Tcb thread = new Tcb(ThreadIds.interrupt(line), space, "irq-" + line);
        lock.lock();
        try {
            threads.put(thread.id, thread);
        } finally {
            lock.unlock();
        }
        return thread;
    }

    /** The thread of an id, while it lives. */
    @Nullable Tcb find(long id) {
        lock.lock();
        try {
            return threads.get(id);
        } finally {
            lock.unlock();
        }
    }

    /** Threads that live, interrupts' apart. */
    int threadsAlive() {
        lock.lock();
        try {
            int alive = 0;
            for (Tcb thread : threads.values()) {
                alive += ThreadIds.number(thread.id) >= ThreadIds.USER_BASE ? 1 : 0;
            }
            return alive;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends a thread. Who sends to it or waits for it alone hears that there is no such partner. The
     * space of a name goes with its last thread, unless it is kept.
     *
     * @param keepSpace whether the space outlives its threads
     */
    void kill(Tcb thread, boolean keepSpace) {
        List<Tcb> freed = new ArrayList<>();
        boolean last;
        lock.lock();
        try {
            if (thread.state == Tcb.DEAD) {
                return;
            }
            leaveQueue(thread);
            thread.state = Tcb.DEAD;
            threads.remove(thread.id);
            freeIds.add(thread.id);
            for (Tcb at = thread.firstSender; at != null; at = thread.firstSender) {
                thread.dequeue(at);
                fail(at, IpcError.NO_PARTNER, freed);
            }
            for (Tcb other : threads.values()) {
                if (other.state == Tcb.RECEIVING && other.receivesFrom == thread.id) {
                    fail(other, IpcError.NO_PARTNER | IpcError.RECEIVE_PHASE, freed);
                }
            }
            last = --thread.space.threads == 0 && !keepSpace;
            if (last) {
                spaces.remove(thread.space.name(), thread.space);
            }
        } finally {
            lock.unlock();
        }
        freed.forEach(Tcb::wake);
        thread.wake();
        if (last) {
            empty(thread.space);
        }
    }

    // IPC.

    /**
     * Begins an operation of IPC (X.2, 5.6): sends if there is a destination, then waits if wanted,
     * without a gap between. The message in {@code self}'s registers is well-formed. When {@code
     * self.state} is {@link Tcb#RUNNING} it is done, with or without an {@link Tcb#error}.
     *
     * @param destination whom to send to, or null to send nothing
     * @param from whom to wait for, {@link ThreadIds#ANY}, or {@link ThreadIds#NIL} for nobody
     */
    void begin(Tcb self, @Nullable Tcb destination, long from) {
        Tcb receiver = null;
        lock.lock();
        try {
            self.error = IpcError.NONE;
            self.thenReceives = from != ThreadIds.NIL;
            self.receivesFrom = from;
            if (destination != null) {
                if (destination.state == Tcb.DEAD) {
                    self.error = IpcError.NO_PARTNER;
                    return;
                }
                if (!destination.accepts(self)) {
                    self.destination = destination;
                    destination.enqueue(self);
                    self.state = Tcb.SENDING;
                    return;
                }
                boolean sent = transfer(self, destination);
                destination.state = Tcb.RUNNING;
                receiver = destination;
                if (!sent) {
                    self.error = IpcError.OVERFLOW;
                    return;
                }
            }
            if (self.thenReceives) {
                beginReceive(self);
            }
        } finally {
            lock.unlock();
            if (receiver != null) {
                receiver.wake();
            }
        }
    }

    private void beginReceive(Tcb self) {
        Tcb sender = self.waitingSender(self.receivesFrom);
        if (sender != null) {
            self.dequeue(sender);
            sender.destination = null;
            boolean sent = transfer(sender, self);
            self.state = Tcb.RUNNING;
            if (!sent) {
                sender.error = IpcError.OVERFLOW;
            }
            if (sent && sender.thenReceives) {
                beginReceive(sender);
            } else {
                sender.state = Tcb.RUNNING;
            }
            if (sender.state == Tcb.RUNNING) {
                sender.wake();
            }
        } else if (self.closing) {
            self.error = IpcError.CANCELLED | IpcError.RECEIVE_PHASE;
            self.state = Tcb.RUNNING;
        } else if (isGone(self.receivesFrom)) {
            self.error = IpcError.NO_PARTNER | IpcError.RECEIVE_PHASE;
            self.state = Tcb.RUNNING;
        } else {
            primitives.count(L4Primitive.CONTEXT_SWITCH);
            self.state = Tcb.RECEIVING;
        }
    }

    /** Whether the only one who is waited for has ended: no end of it will be seen any more. */
    private boolean isGone(long from) {
        return from != ThreadIds.ANY && !threads.containsKey(from);
    }

    /**
     * Copies a message and does what its items say.
     *
     * @return whether all items could be done
     */
    private boolean transfer(Tcb from, Tcb to) {
        long[] source = from.registers;
        long tag = source[0];
        int words = Message.words(tag);
        boolean done = true;
        int typed = HostExitPortal.typed(tag);
        if (typed != 0) {
            MappingDatabase.Patience patience = new MappingDatabase.Patience();
            for (int at = words - typed; at < words; at += Message.itemWords(source[at])) {
                int kind = Message.kind(source[at]);
                if (Message.isPage(kind)) {
                    done &= transferPage(from.space, source[at], source[at + 1], to, patience);
                }
            }
        }
        System.arraycopy(source, 0, to.registers, 0, words);
        to.sender = from.id;
        to.error = done ? IpcError.NONE : IpcError.OVERFLOW | IpcError.RECEIVE_PHASE;
        primitives.count(L4Primitive.IPC);
        primitives.count(L4Primitive.MESSAGE_WORD, words);
        return done;
    }

    /** X.2, 5.3: what does not fit into the receiver's window is left out. */
    private boolean transferPage(
            AddressSpace from, long item, long page, Tcb to, MappingDatabase.Patience patience) {
        if (page == Flexpage.NIL) {
            return true;
        }
        if (to.window == Flexpage.NIL) {
            return false;
        }
        long sent = page;
        long at = Message.base(item);
        if (to.window != Flexpage.COMPLETE) {
            int window = Flexpage.shift(to.window);
            long mask = (1L << window) - 1;
            long start = Flexpage.start(to.window);
            if (Flexpage.shift(page) > window) {
                long inside = at & (Flexpage.bytes(page) - 1) & ~mask;
                sent = Flexpage.of(Flexpage.start(page) + inside, window, Flexpage.rights(page));
                at = start;
            } else {
                at = start + (at & mask);
            }
        }
        return Message.kind(item) == Message.GRANT
                ? database.grant(from, sent, to.space, at, patience)
                : database.map(from, sent, to.space, at, patience);
    }

    /**
     * Breaks off what a thread sends or waits for.
     *
     * @param error what it hears, without its phase
     * @return whether it did either
     */
    boolean cancel(Tcb thread, int error) {
        boolean done = false;
        lock.lock();
        try {
            if (thread.state == Tcb.SENDING || thread.state == Tcb.RECEIVING) {
                int phase = thread.state == Tcb.RECEIVING ? IpcError.RECEIVE_PHASE : 0;
                leaveQueue(thread);
                thread.error = error | phase;
                thread.state = Tcb.RUNNING;
                done = true;
            }
        } finally {
            lock.unlock();
        }
        if (done) {
            thread.wake();
        }
        return done;
    }

    /** It will wait for nobody any more; a wait of now ends. */
    void close(Tcb thread) {
        lock.lock();
        try {
            thread.closing = true;
            if (thread.state != Tcb.RECEIVING) {
                return;
            }
            thread.error = IpcError.CANCELLED | IpcError.RECEIVE_PHASE;
            thread.state = Tcb.RUNNING;
        } finally {
            lock.unlock();
        }
        thread.wake();
    }

    private static void leaveQueue(Tcb thread) {
        Tcb destination = thread.destination;
        if (destination != null) {
            destination.dequeue(thread);
            thread.destination = null;
        }
    }

    private static void fail(Tcb thread, int error, List<Tcb> freed) {
        thread.destination = null;
        thread.error = error;
        thread.state = Tcb.RUNNING;
        freed.add(thread);
    }

    /**
     * Waits on a thread of the JVM until an operation that was begun is done. An interrupt of the
     * thread does not end the wait; it is there again afterwards.
     *
     * @param spins how often to look before sleeping
     * @param sendUntil when the sending is given up, by the clock; {@link Long#MAX_VALUE} for never
     * @param receiveNanos how long the wait may be from when the message is sent on
     */
    void await(Tcb self, int spins, long sendUntil, long receiveNanos) {
        for (int i = 0; i < spins && self.state != Tcb.RUNNING; i++) {
            Thread.onSpinWait();
        }
        if (self.state == Tcb.RUNNING) {
            return;
        }
        boolean interrupted = false;
        long receiveUntil = Long.MAX_VALUE;
        self.parked = true;
        int state;
        while ((state = self.state) == Tcb.SENDING || state == Tcb.RECEIVING) {
            if (state == Tcb.RECEIVING
                    && receiveUntil == Long.MAX_VALUE
                    && receiveNanos != Long.MAX_VALUE) {
                receiveUntil = nanoTime() + receiveNanos;
            }
            long until = state == Tcb.SENDING ? sendUntil : receiveUntil;
            if (until == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                long left = until - nanoTime();
                if (left <= 0) {
                    primitives.count(L4Primitive.TIMER_TICK);
                    cancel(self, IpcError.TIMEOUT);
                } else {
                    LockSupport.parkNanos(this, left);
                }
            }
            interrupted |= Thread.interrupted();
        }
        self.parked = false;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Begins and waits, on a thread of the JVM. */
    void ipc(Tcb self, @Nullable Tcb destination, long from, int sendTimeout, int receiveTimeout) {
        self.runner = Thread.currentThread();
        begin(self, destination, from);
        await(self, 0, Timeouts.deadline(sendTimeout, nanoTime()), Timeouts.nanos(receiveTimeout));
    }
}

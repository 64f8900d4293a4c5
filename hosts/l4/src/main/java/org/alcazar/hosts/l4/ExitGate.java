package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.jspecify.annotations.Nullable;

/**
 * A thread of a VM and the VMM's thread that serves its exits. The VMM calls: it sends its reply
 * and waits for the next exit; the VM's thread runs the guest in between.
 */
final class ExitGate implements HostExitPortal.Gate {
    private static final StackTraceElement[] NOWHERE = {};

    private final MicroKernel kernel;
    private final AddressSpace vmm;
    private final Tcb server;
    private final Tcb thread;
    private final HostExitPortal.Guest guest;
    private final int cpu;
    private final Patience serverPatience = new Patience();
    private final Patience guestPatience = new Patience();

    /** The VM's thread has a processor of its own choice: nobody to spin for on the same one. */
    private volatile boolean pinned;

    private volatile boolean closed;

    @SuppressWarnings("NullAway.Init") // set before anybody sees the gate
    private HostThread carrier;

    /** What the VM's thread could not do; written before it answers. */
    private @Nullable RuntimeException failure;

    /** An interrupt that came before there was a thread. Guarded by this. */
    private boolean interruptedEarly;

    ExitGate(
            MicroKernel kernel,
            AddressSpace vmm,
            Tcb server,
            Tcb thread,
            HostExitPortal.Guest guest,
            int cpu) {
        this.kernel = kernel;
        this.vmm = vmm;
        this.server = server;
        this.thread = thread;
        this.guest = guest;
        pinned = cpu != HostThread.ANY_CPU;
        this.cpu = cpu;
    }

    /** Starts the VM's thread; it waits for the first message. */
    void start(L4Processors processors) throws HostRefusal {
        carrier = processors.start(thread, false, cpu, this::serveGuest);
    }

    /**
     * How long to look for the partner before sleeping: longer while that pays, shorter while it
     * does not. One thread's.
     */
    private static final class Patience {
        private static final int LEAST = 16;
        private static final int MOST = 2000;

        private int spins = 200;

        /** Whether the wait is over. */
        boolean spin(Tcb self) {
            int most = spins;
            for (int i = 0; i < most; i++) {
                if (self.state == Tcb.RUNNING) {
                    spins = Math.min(most + (most >> 2), MOST);
                    return true;
                }
                Thread.onSpinWait();
            }
            spins = Math.max(most >> 1, LEAST);
            return false;
        }
    }

    private void await(Tcb self, Patience patience) {
        if (pinned || !patience.spin(self)) {
            kernel.await(self, 0, Long.MAX_VALUE, Long.MAX_VALUE);
        }
    }

    // The VMM's side.

    @Override
    public void exchange(long[] message) {
        if (closed) {
            throw gone();
        }
        check(message);
        Thread current = Thread.currentThread();
        if (server.runner != current) {
            server.runner = current;
        }
        server.registers = message;
        kernel.begin(server, thread, thread.id);
        await(server, serverPatience);
        if (server.error != IpcError.NONE || failure != null) {
            RuntimeException why = failure;
            failure = null;
            throw why != null ? why : gone();
        }
    }

    private IllegalStateException gone() {
        return new IllegalStateException(
                "host l4: the thread " + thread + " of " + thread.space.name() + " has ended");
    }

    private void check(long[] message) {
        if (message.length < HostExitPortal.WORDS) {
            throw new IllegalStateException(
                    "host l4: a message for %s has %d words of memory, not %d"
                            .formatted(thread, message.length, HostExitPortal.WORDS));
        }
        String wrong = Message.wrong(message);
        if (!wrong.isEmpty()) {
            throw new IllegalStateException("host l4: a message for " + thread + " " + wrong);
        }
        if (HostExitPortal.typed(message[0]) != 0) {
            checkPages(message);
        }
    }

    private void checkPages(long[] message) {
        int end = Message.words(message[0]);
        for (int at = end - HostExitPortal.typed(message[0]); at < end; ) {
            long item = message[at];
            if (Message.kind(item) == Message.GRANT) {
                throw new IllegalStateException(
                        "host l4: a message for %s grants a page in word %d; it may only map"
                                .formatted(thread, at));
            }
            if (Message.kind(item) == HostExitPortal.MAP) {
                long page = message[at + 1];
                if (page != Flexpage.NIL && !kernel.with(d -> d.holds(vmm, page))) {
                    throw new IllegalStateException(
                            "host l4: a message for %s maps %s, which the VMM does not hold"
                                    .formatted(thread, Flexpage.describe(page)));
                }
            }
            at += Message.itemWords(item);
        }
    }

    @Override
    public void move(int cpu) throws HostRefusal {
        carrier.move(cpu);
        pinned = cpu != HostThread.ANY_CPU;
    }

    @Override
    public void interrupt() {
        synchronized (this) {
            Thread runs = thread.runner;
            if (runs == null) {
                interruptedEarly = true;
            } else {
                runs.interrupt();
            }
        }
    }

    @Override
    public StackTraceElement[] trace() {
        Thread runs = thread.runner;
        return runs == null ? NOWHERE : runs.getStackTrace();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            kernel.close(thread);
        }
    }

    // The VM's side.

    private void serveGuest() {
        synchronized (this) {
            thread.runner = Thread.currentThread();
            if (interruptedEarly) {
                Thread.currentThread().interrupt();
            }
        }
        try {
            kernel.begin(thread, null, server.id);
            await(thread, guestPatience);
            while (thread.error == IpcError.NONE) {
                if (!runGuest()) {
                    return;
                }
                kernel.begin(thread, server, server.id);
                await(thread, guestPatience);
            }
        } finally {
            closed = true;
            kernel.kill(thread, false);
            kernel.kill(server, true);
        }
    }

    /** Runs the guest until its exit lies in the registers. */
    private boolean runGuest() {
        long[] registers = thread.registers;
        try {
            guest.run(registers);
        } catch (RuntimeException | Error e) {
            failure =
                    new IllegalStateException(
                            "host l4: the guest's thread " + thread + " failed: " + e, e);
            return false;
        }
        String wrong = Message.wrong(registers);
        if (wrong.isEmpty() && HostExitPortal.typed(registers[0]) != 0 && hasPage(registers)) {
            wrong = "maps pages, which only the VMM may";
        }
        if (!wrong.isEmpty()) {
            failure = new IllegalStateException("host l4: an exit of " + thread + " " + wrong);
            registers[0] = HostExitPortal.tag(0, 0, 0);
        }
        return true;
    }

    private static boolean hasPage(long[] message) {
        int end = Message.words(message[0]);
        for (int at = end - HostExitPortal.typed(message[0]); at < end; ) {
            if (Message.isPage(Message.kind(message[at]))) {
                return true;
            }
            at += Message.itemWords(message[at]);
        }
        return false;
    }
}

package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import java.util.function.LongSupplier;

/**
 * Calls plugins on a thread of its own, so that who asked for the call is free again when it does
 * not return. Calls for one VM come one at a time; from a vcore's thread, and from within such a
 * call, they are direct.
 */
final class PluginCalls {
    private static final long MILLI = 1_000_000;

    /** Milliseconds after which the host's clock is looked at again: it need not be the JVM's. */
    private static final long LOOK = 20;

    /** How long an interrupted call may take to come back. */
    private static final long GRACE = 500 * MILLI;

    /** A call did not return in time. */
    static final class Overdue extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Overdue(long limit) {
            super("it did not return within " + limit / MILLI + " ms");
        }
    }

    /** For whom the calls are. */
    interface Caller {
        /** Number of the VM, or 0 for the VMM itself. */
        int id();

        String name();

        /** Whether this thread runs a vcore: its calls are looked after by {@link Watchdog}. */
        boolean isVcoreThread();

        /** A call that was given up has come back. On its thread. */
        void cameBack();
    }

    /** A call into a plugin. */
    interface Call<T> {
        T run() throws ConfigurationException, HostRefusal;
    }

    private final Caller caller;
    private final HostProcessors processors;
    private final HostClock clock;
    private final StuckCalls stuck;
    private final long limit;

    /** One call at a time; a call's limit begins with its turn. */
    private final Object turn = new Object();

    /** Under this object's monitor; replaced when it is abandoned. */
    private @Nullable Worker worker;

    PluginCalls(
            Caller caller,
            HostProcessors processors,
            HostClock clock,
            StuckCalls stuck,
            long limitNanos) {
        this.caller = caller;
        this.processors = processors;
        this.clock = clock;
        this.stuck = stuck;
        this.limit = limitNanos;
    }

    /**
     * Calls a plugin and gives what it returns or throws.
     *
     * @param what for messages: the call, and of which part
     * @throws PartFailure if it throws what it must not throw, or does not return in time
     */
    <T> T call(String what, Call<T> call) throws ConfigurationException, HostRefusal {
        return call(what, () -> 0, call);
    }

    /**
     * The same for a call that may take long: the limit begins anew whenever it gets on.
     *
     * @param progress another number whenever it has; from any thread
     */
    <T> T call(String what, LongSupplier progress, Call<T> call)
            throws ConfigurationException, HostRefusal {
        if (caller.isVcoreThread() || isWorker()) {
            return direct(what, call);
        }
        synchronized (turn) {
            return worker().execute(what, progress, call);
        }
    }

    /**
     * The keys that a type takes.
     *
     * @param what such as {@code device rtc}
     */
    Schema schema(String what, PluginType type) throws ConfigurationException, HostRefusal {
        return call("configuration of " + what, type::configuration);
    }

    private synchronized boolean isWorker() {
        return worker != null && worker.isCurrent();
    }

    private synchronized Worker worker() throws HostRefusal {
        Worker used = worker;
        if (used == null) {
            used = new Worker();
            used.host = processors.start(caller.name() + "/plugins", HostThread.ANY_CPU, used);
            worker = used;
        }
        return used;
    }

    private static <T> T direct(String what, Call<T> call)
            throws ConfigurationException, HostRefusal {
        try {
            return call.run();
        } catch (ConfigurationException | HostRefusal e) {
            throw e;
        } catch (
                Throwable e) { // a bundle's, and there are languages whose exceptions are all alike
            throw new PartFailure(what, e);
        }
    }

    /** Whether a call is out that was given up: it may still touch what the VM has. */
    boolean isOut() {
        return stuck.has(caller);
    }

    /** Ends the thread, when it has nothing to do. */
    void close() {
        Worker last;
        synchronized (this) {
            last = worker;
            worker = null;
        }
        if (last != null) {
            last.end();
            HostThread thread = last.host;
            if (thread != null && !last.isCurrent()) {
                thread.join(GRACE);
            }
        }
    }

    private synchronized void abandon(Worker deaf) {
        if (worker == deaf) {
            worker = null;
        }
    }

    /** The thread, and the one call that it may have. */
    private final class Worker implements Runnable {
        private @Nullable HostThread host;
        private @Nullable Thread self;
        private @Nullable Runnable next;
        private boolean ended;

        synchronized boolean isCurrent() {
            return Thread.currentThread() == self;
        }

        synchronized void end() {
            ended = true;
            notifyAll();
        }

        @Override
        public void run() {
            synchronized (this) {
                self = Thread.currentThread();
            }
            MDC.put("vm", caller.name());
            boolean more = true;
            while (more) {
                more = runNext();
            }
            MDC.remove("vm");
        }

        /** A method of its own: while the thread waits nothing on its stack holds the last call. */
        private boolean runNext() {
            Runnable call = take();
            if (call != null) {
                call.run();
            }
            return call != null;
        }

        private synchronized @Nullable Runnable take() {
            while (next == null && !ended) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    // Meant for a call that has come back meanwhile.
                }
            }
            Runnable taken = next;
            next = null;
            return taken;
        }

        private <T> T execute(String what, LongSupplier progress, Call<T> call)
                throws ConfigurationException, HostRefusal {
            Outcome<T> outcome = new Outcome<>(what, call);
            synchronized (this) {
                next = outcome;
                notifyAll();
            }
            long start = clock.nanoTime();
            if (!outcome.await(progress)) {
                interrupt();
                if (!outcome.await(clock.nanoTime() + GRACE)) {
                    abandon(this);
                    end();
                    if (outcome.giveUp()) {
                        stuck.add(caller, what, start, outcome::isDone);
                    }
                }
                throw new PartFailure(what, new Overdue(limit));
            }
            return outcome.get();
        }

        private synchronized void interrupt() {
            if (self != null) {
                self.interrupt();
            }
        }
    }

    /** A call and what came of it. */
    private final class Outcome<T> implements Runnable {
        private final String what;
        private final Call<T> call;
        private @Nullable T value;
        private @Nullable Throwable failure;
        private boolean done;
        private boolean givenUp;

        Outcome(String what, Call<T> call) {
            this.what = what;
            this.call = call;
        }

        @Override
        public void run() {
            @Nullable T got = null;
            Throwable thrown = null;
            try {
                got = direct(what, call);
            } catch (ConfigurationException | HostRefusal | RuntimeException | Error e) {
                thrown = e;
            }
            Thread.interrupted(); // a late one is for this call, not for the next
            if (done(got, thrown)) {
                caller.cameBack();
            }
        }

        /** Whether it had been given up. */
        private synchronized boolean done(@Nullable T got, @Nullable Throwable thrown) {
            value = got;
            failure = thrown;
            done = true;
            notifyAll();
            return givenUp;
        }

        /** False if it has come back just now. */
        synchronized boolean giveUp() {
            givenUp = !done;
            return givenUp;
        }

        synchronized boolean isDone() {
            return done;
        }

        /** Waits until it is done or has not got on for the limit; tells which. */
        boolean await(LongSupplier progress) {
            long before;
            boolean in;
            do {
                before = progress.getAsLong();
                in = await(clock.nanoTime() + limit);
            } while (!in && progress.getAsLong() != before);
            return in;
        }

        /** Waits until it is done or a time of the host's clock has come; tells which. */
        synchronized boolean await(long end) {
            boolean interrupted = false;
            while (!done && clock.nanoTime() < end) {
                try {
                    wait(LOOK);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return done;
        }

        @SuppressWarnings("NullAway") // what the call returns may be null where its type is Void
        synchronized T get() throws ConfigurationException, HostRefusal {
            return switch (failure) {
                case ConfigurationException e -> throw e;
                case HostRefusal e -> throw e;
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case null, default -> value;
            };
        }
    }
}

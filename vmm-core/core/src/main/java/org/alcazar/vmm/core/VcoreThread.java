package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.machine.Requests;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import java.lang.invoke.VarHandle;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A host thread that runs vcores. It exists from the VM's creation on and starts at the barrier.
 */
abstract class VcoreThread {
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    final String name;
    final Vm vm;
    final Barrier barrier;
    final EventQueue events;
    final HostClock clock;
    final HostProcessors processors;

    private volatile @Nullable Thread self;
    private volatile @Nullable HostThread host;
    private volatile boolean sleeping;
    private volatile boolean done;
    private volatile int cpu = HostThread.ANY_CPU;

    /** Where guest code runs, if that is not here. */
    private volatile @Nullable ExitPortal portal;

    private final IdleTime idle = new IdleTime();

    VcoreThread(String name, Vm vm) {
        this.name = name;
        this.vm = vm;
        this.barrier = vm.barrier();
        this.events = vm.events();
        this.clock = vm.hostClock();
        this.processors = vm.processors();
    }

    /**
     * @param on processor of the host, or ANY_CPU
     * @param apart where the guest's code runs, if that is not on this thread; closed at its end
     */
    void start(int on, Optional<ExitPortal> apart) throws HostRefusal {
        cpu = on;
        portal = apart.orElse(null);
        barrier.addThread(name);
        boolean started = false;
        try {
            host = processors.start(vm.name() + "/" + name, cpu, this::run);
            started = true;
        } finally {
            if (!started) {
                barrier.removeThread(name);
                apart.ifPresent(ExitPortal::close);
            }
        }
    }

    private void run() {
        self = Thread.currentThread();
        MDC.put("vm", vm.name());
        MDC.put("vcore", name);
        try {
            if (barrier.park(name)) {
                loop();
            }
        } catch (OutOfMemoryError e) {
            vm.fail("the VMM's heap is exhausted", e);
        } catch (Throwable e) { // some languages throw exceptions that nobody declares
            vm.partFailed(current(), e);
        } finally {
            ExitPortal open = portal;
            if (open != null) {
                open.close();
            }
            done = true;
            barrier.removeThread(name);
            MDC.remove("vm");
            MDC.remove("vcore");
        }
    }

    /**
     * @param to processor of the host, or ANY_CPU
     */
    final void move(int to) throws HostRefusal {
        HostThread thread = host;
        if (thread != null) {
            thread.move(to);
        }
        ExitPortal apart = portal;
        if (apart != null) {
            apart.move(to);
        }
        cpu = to;
    }

    /** Where it was put, or ANY_CPU. */
    final int cpu() {
        return cpu;
    }

    /** Runs until the VM ends. */
    abstract void loop();

    /** The vcore that runs, or ran last. */
    abstract VcoreImpl current();

    /** Makes the thread look at barrier and events soon. */
    final void kick() {
        current().requests().post(Requests.KICK);
        wake();
    }

    /** Ends a sleep. Called after whatever it should notice has been posted. */
    final void wake() {
        if (sleeping) {
            HostThread thread = host;
            if (thread != null) {
                thread.wake();
            }
        }
    }

    final boolean isCurrent() {
        return Thread.currentThread() == self;
    }

    /** Waits for the end of the thread. */
    final boolean join(long nanos) {
        HostThread thread = host;
        return thread == null || thread.join(nanos);
    }

    /** Interrupts what the thread waits for in the host. */
    final void interrupt() {
        Thread thread = self;
        ExitPortal apart = portal;
        if (apart != null && current().inEngine()) {
            apart.interrupt();
        } else if (thread != null) {
            thread.interrupt();
        }
    }

    /** Where the thread is, for the dump of a VM whose part does not return. */
    final Throwable trace() {
        Throwable out =
                new IllegalStateException(
                        "did not return within "
                                + vm.configuration().callLimit() / NANOS_PER_SECOND
                                + " s");
        Thread thread = self;
        ExitPortal apart = portal;
        if (apart != null && current().inEngine()) {
            out.setStackTrace(apart.trace());
        } else if (thread != null) {
            out.setStackTrace(thread.getStackTrace());
        }
        return out;
    }

    /** Whether it may be in a call to a plugin that is to return soon. Any thread. */
    final boolean owesReturn() {
        return current().owesReturn();
    }

    /** Changes whenever it goes on. Any thread. */
    final long progress() {
        return current().progress();
    }

    final boolean done() {
        return done;
    }

    final long idleNanos() {
        return idle.total(clock.nanoTime());
    }

    /**
     * Brings a vcore to a clean point: the instruction whose access was answered is finished, with
     * a budget of just that one.
     */
    final void settle(VcoreImpl vcore) {
        while (vcore.replyPending() && !barrier.ended()) {
            vcore.requests().take(Requests.KICK);
            vcore.block().budget = 1;
            vcore.enter();
        }
    }

    /** Sleeps unless somebody has posted something that {@code quiet} sees. */
    final void sleep(long nanos, BooleanSupplier quiet) {
        sleeping = true;
        // Before the look at what is posted: who posts looks in the other order.
        VarHandle.fullFence();
        if (quiet.getAsBoolean() && !barrier.wanted()) {
            idle.begins(clock.nanoTime());
            processors.sleep(nanos);
            idle.ends(clock.nanoTime());
        }
        sleeping = false;
    }
}

package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * A VM: its states and what leads from one to another. What it is made of lies in {@link Machine}.
 */
final class Vm implements VirtualMachine, PluginCalls.Caller {
    private static final Logger LOG = LoggerFactory.getLogger(Vm.class);

    /** Exit statuses of DESIGN §8. */
    static final int POWERED_OFF = 0;

    static final int GUEST_DIED = 4;
    static final int VMM_FAULT = 6;
    static final int RESET_REFUSED = 8;

    /** How long a pause or an end may wait for threads. */
    private static final long LIMIT = 10_000_000_000L;

    /** Hears of changes of state, for all VMs. */
    interface Changes {
        void changed(Vm vm, VmState from, VmState to);

        /** See {@code VmEvent}. */
        void happened(Vm vm, String kind, String text);
    }

    /** Who hears of an event of the host. */
    record EventListener(String event, Runnable action) {}

    private final int id;
    private final String name;
    private final VmConfiguration configuration;
    private final HostKernel host;
    private final Changes changes;
    private final Supervisor supervisor;
    private final Machine machine;
    private final PluginCalls calls;
    private final Phases phases;

    /** Held during each transition. */
    private final Object transition = new Object();

    private volatile VmState state = VmState.CREATED;
    private final AtomicReference<@Nullable VmEnd> wish = new AtomicReference<>();

    /** How often it went on after a pause. */
    private final AtomicInteger departures = new AtomicInteger();

    /**
     * With the listeners and the pending reset: guarded by them, as a transition may wait for a
     * plugin.
     */
    private @Nullable VmEnd end;

    /** Building failed, and a plugin's call is out that may touch what there is. */
    private volatile boolean halfMade;

    private boolean resetPending;
    private boolean destroyed;
    private final List<Consumer<VmEnd>> endListeners = new ArrayList<>();
    private final CopyOnWriteArrayList<EventListener> eventListeners = new CopyOnWriteArrayList<>();

    /**
     * Makes a VM up to a loaded guest, or leaves nothing behind.
     *
     * @param making says whether the guest is loaded; a restored VM brings its own memory
     */
    Vm(
            int id,
            String name,
            VmConfiguration configuration,
            HostKernel host,
            PluginTypes types,
            Changes changes,
            StuckCalls stuck,
            Machine.Making making)
            throws HostRefusal, ConfigurationException {
        this.id = id;
        this.name = name;
        this.configuration = configuration;
        this.host = host;
        this.changes = changes;
        this.phases = new Phases(host.clock());
        this.supervisor = new Supervisor(name, this::requestFailed);
        this.machine = new Machine(this, supervisor, host, types, making);
        this.calls =
                new PluginCalls(
                        this, host.processors(), host.clock(), stuck, configuration.callLimit());
        boolean made = false;
        try {
            supervisor.start(host.processors());
            machine.build();
            phases.created();
            if (making.boot()) {
                machine.load();
            }
            phases.loaded();
            machine.startThreads();
            made = true;
        } finally {
            if (!made && !release()) {
                halfMade = true;
                if (!calls.isOut()) {
                    cameBack();
                }
            }
        }
    }

    /**
     * A VM that was never whole, and can't be destroyed by anybody, goes when the last call has.
     */
    @Override
    public void cameBack() {
        if (halfMade) {
            supervisor.submit(this::release);
        }
    }

    /** Gives everything back, in the reverse order of creation. */
    private boolean release() {
        boolean all = machine.release(LIMIT);
        if (all) {
            calls.close();
            supervisor.quit(LIMIT);
        }
        return all;
    }

    /** Tells those who watch, and keeps it: see {@code VmEvent}. Any thread. */
    void note(String kind, String text) {
        changes.happened(this, kind, text);
    }

    // Transitions

    void start() throws HostRefusal {
        synchronized (transition) {
            require("start", VmState.CREATED);
            change(VmState.RUNNING);
            phases.running();
            machine.barrier().leave();
        }
    }

    void pause() throws HostRefusal {
        refuseVcore("pause");
        synchronized (transition) {
            require("pause", VmState.RUNNING, VmState.SIMULATING);
            stopAll();
            change(VmState.PAUSED);
        }
    }

    void resume() throws HostRefusal {
        synchronized (transition) {
            require("resume", VmState.PAUSED);
            change(VmState.RUNNING);
            depart();
        }
    }

    private void depart() {
        departures.incrementAndGet();
        phases.running();
        machine.barrier().leave();
    }

    /** Runs a created or paused VM for so long in guest time; it is paused then. */
    void simulate(long nanos) throws HostRefusal {
        synchronized (transition) {
            require("simulate", VmState.PAUSED, VmState.CREATED);
            machine.clock()
                    .timer("simulation", this::simulationOver)
                    .arm(machine.clock().nanos() + nanos);
            change(VmState.SIMULATING);
            depart();
        }
    }

    /** On a vcore's thread, which stops here; the supervisor does the rest. */
    private void simulationOver() {
        pauseSoon(List.of(VmState.SIMULATING));
    }

    @Override
    public void pause(String reason) {
        LOG.info("VM {} pauses: {}", name, reason);
        note("pause", reason);
        pauseSoon(List.of(VmState.RUNNING, VmState.SIMULATING));
    }

    /**
     * @param from states in which it is paused; it goes on in others, and if it was paused and went
     *     on meanwhile
     */
    void pauseSoon(List<VmState> from) {
        int asked = departures.get();
        machine.barrier().request();
        supervisor.submit(() -> {
            synchronized (transition) {
                try {
                    machine.barrier().await(LIMIT);
                    if (from.contains(state) && asked == departures.get()) {
                        change(VmState.PAUSED);
                    } else {
                        machine.barrier().leave();
                    }
                } catch (HostRefusal e) {
                    LOG.warn("VM {} {}", name, e.getMessage());
                }
            }
        });
    }

    void stop(String reason) throws HostRefusal {
        refuseVcore("stop");
        if (!isOver()) {
            requestEnd(new VmEnd(POWERED_OFF, reason, ""));
            finish();
        }
    }

    void destroy() throws HostRefusal {
        stop("destroyed");
        synchronized (transition) {
            if (!machine.threadsDone()) {
                throw new HostRefusal(
                        "VM "
                                + name
                                + ": a vcore does not come to its end; its memory stays in use");
            }
            if (destroyed) {
                return;
            }
        }
        // Not under the lock: the supervisor may wait for it.
        if (!release()) {
            throw new HostRefusal(
                    "VM " + name + ": a plugin's call has not come back; its memory stays in use");
        }
        synchronized (transition) {
            destroyed = true;
        }
    }

    // Single vcores

    void moveCore(int core, int cpu) throws HostRefusal {
        synchronized (transition) {
            requireCore(core);
            refuseOver();
            machine.move(core, cpu);
            boolean any = cpu == HostThread.ANY_CPU;
            note("core", core + " runs on " + (any ? "any processor" : "processor " + cpu));
        }
    }

    void stopCore(int core) throws HostRefusal {
        refuseVcore("the stop of a vcore");
        synchronized (transition) {
            VcoreImpl vcore = requireCore(core);
            refuseOver();
            if (vcore.stopped()) {
                throw new HostRefusal("VM " + name + ": vcore " + core + " is stopped already");
            }
            standing(() -> vcore.stopped(true));
            note("core", core + " is stopped");
        }
    }

    void startCore(int core) throws HostRefusal {
        refuseVcore("the start of a vcore");
        synchronized (transition) {
            VcoreImpl vcore = requireCore(core);
            refuseOver();
            if (!vcore.stopped()) {
                throw new HostRefusal("VM " + name + ": vcore " + core + " is not stopped");
            }
            standing(() -> vcore.stopped(false));
            note("core", core + " goes on");
        }
    }

    private VcoreImpl requireCore(int core) throws HostRefusal {
        List<VcoreImpl> all = machine.vcores();
        if (core < 0 || core >= all.size()) {
            throw new HostRefusal(
                    "VM "
                            + name
                            + " has no vcore "
                            + core
                            + "; there are 0 to "
                            + (all.size() - 1));
        }
        return all.get(core);
    }

    void refuseOver() throws HostRefusal {
        if (isEnding()) {
            throw new HostRefusal("VM " + name + " has ended");
        }
    }

    /** Does something short while all vcores and agents stand. */
    private void standing(Runnable action) throws HostRefusal {
        stopAll();
        try {
            action.run();
        } finally {
            machine.barrier().leave();
        }
    }

    /** Makes a created VM, whose state was replaced by a saved one, a paused one. */
    void restored() throws HostRefusal {
        synchronized (transition) {
            require("restore", VmState.CREATED);
            change(VmState.PAUSED);
        }
    }

    /**
     * Runs an action while the machine stands. From a vcore's thread use the supervisor.
     *
     * @throws HostRefusal if it can't be brought to a stop
     */
    <T> T underBarrier(Action<T> action) throws HostRefusal, ConfigurationException {
        refuseVcore("this");
        synchronized (transition) {
            if (state == VmState.CREATED || state == VmState.PAUSED || isOver()) {
                return action.run();
            }
            stopAll();
            try {
                return action.run();
            } finally {
                machine.barrier().leave();
            }
        }
    }

    /** Something to do in the barrier. */
    interface Action<T> {
        T run() throws HostRefusal, ConfigurationException;
    }

    /**
     * @throws HostRefusal unless the VM is paused
     */
    void requirePaused(String what) throws HostRefusal {
        require(what, VmState.PAUSED);
    }

    private void stopAll() throws HostRefusal {
        machine.barrier().request();
        try {
            machine.barrier().await(LIMIT);
        } catch (HostRefusal e) {
            throw new HostRefusal("VM " + name + " " + e.getMessage(), e);
        }
    }

    private void require(String what, VmState... allowed) throws HostRefusal {
        if (!List.of(allowed).contains(state) || wish.get() != null) {
            throw new HostRefusal(
                    "VM "
                            + name
                            + " is "
                            + (wish.get() != null && !isOver() ? "about to end" : lower(state))
                            + "; "
                            + what
                            + " needs one that is "
                            + String.join(
                                    " or ", List.of(allowed).stream().map(Vm::lower).toList()));
        }
    }

    private void refuseVcore(String what) throws HostRefusal {
        if (machine.isVcoreThread()) {
            throw new HostRefusal(
                    "VM " + name + ": a vcore's own thread can't wait for " + what + "; use post");
        }
    }

    private static String lower(VmState state) {
        return state.name().toLowerCase(java.util.Locale.ROOT);
    }

    private void change(VmState to) {
        VmState from = state;
        state = to;
        if (from == VmState.RUNNING || from == VmState.SIMULATING) {
            phases.standing();
        }
        LOG.info("VM {} is {}", name, lower(to));
        changes.changed(this, from, to);
        note("state", lower(to) + ", was " + lower(from));
    }

    /** It has ended, or is about to. */
    boolean isEnding() {
        return wish.get() != null || isOver();
    }

    boolean isOver() {
        return state == VmState.STOPPED || state == VmState.FAILED;
    }

    // The end

    /** The first wish counts; the vcores end, then the supervisor completes it. */
    private void requestEnd(VmEnd wanted) {
        if (wish.compareAndSet(null, wanted)) {
            machine.barrier().end();
            supervisor.submit(this::finish);
        } else if (wanted.status() == VMM_FAULT) {
            note("fault", "when it was to end already: " + wanted.reason());
        }
    }

    /** Waits for the vcores' end and tells those who want to know. */
    private void finish() {
        List<Consumer<VmEnd>> listeners;
        VmEnd how;
        synchronized (transition) {
            if (isOver()) {
                return;
            }
            boolean standing = machine.joinThreads(LIMIT);
            if (!standing) {
                LOG.error("VM {}: a vcore does not come to its end", name);
            }
            how = withOverview(java.util.Objects.requireNonNull(wish.get()), standing);
            machine.flush();
            synchronized (endListeners) {
                end = how;
                change(how.status() == VMM_FAULT ? VmState.FAILED : VmState.STOPPED);
                listeners = List.copyOf(endListeners);
                endListeners.clear();
            }
            note(
                    how.status() == VMM_FAULT ? "fault" : "end",
                    "status " + how.status() + ": " + how.reason());
        }
        listeners.forEach(listener -> tell(listener, how));
    }

    /** A dump ends with what all vcores do, if they stand. */
    private VmEnd withOverview(VmEnd how, boolean standing) {
        return how.dump().isEmpty() || !standing
                ? how
                : new VmEnd(
                        how.status(),
                        how.reason(),
                        how.dump().stripTrailing() + machine.overview());
    }

    void onEnd(Consumer<VmEnd> listener) {
        VmEnd how;
        synchronized (endListeners) {
            how = end;
            if (how == null) {
                endListeners.add(listener);
                return;
            }
        }
        tell(listener, how);
    }

    private void tell(Consumer<VmEnd> listener, VmEnd how) {
        try {
            listener.accept(how);
        } catch (RuntimeException e) {
            LOG.error("a listener for the end of VM {} failed", name, e);
        }
    }

    Optional<VmEnd> end() {
        synchronized (endListeners) {
            return Optional.ofNullable(end);
        }
    }

    /** A core stopped for good. On its thread. */
    void died(VcoreImpl vcore) {
        String reason =
                String.format(
                        "the guest died: vcore %d shut down (code %d) at 0x%x",
                        vcore.index(), vcore.block().frame().code, vcore.block().frame().pc);
        requestEnd(new VmEnd(GUEST_DIED, reason, vcore.describe()));
    }

    /** A part threw what it must not throw. On the vcore's thread. */
    void partFailed(VcoreImpl vcore, Throwable failure) {
        Throwable cause =
                failure instanceof PartFailure && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        String doing = failure instanceof PartFailure ? failure.getMessage() : vcore.doing();
        String reason = doing + " failed: " + cause + culprit(cause);
        String told = Failures.told(LOG, name, reason, cause);
        requestEnd(new VmEnd(VMM_FAULT, reason, told + vcore.describe()));
    }

    private String culprit(Throwable cause) {
        String culprit = machine.culprit(cause);
        return culprit.isEmpty() ? "" : "; a fault of " + culprit;
    }

    /** A reset, a pause or the end went wrong: nobody else knows in which state it left the VM. */
    private void requestFailed(Throwable e) {
        if (!isOver()) {
            fail("a request of the VM's own failed: " + e, e);
        }
    }

    /**
     * A part keeps a vcore's thread for too long.
     *
     * @param at where the thread is
     */
    void stuck(VcoreImpl vcore, Throwable at) {
        String reason = vcore.doing() + " " + at.getMessage() + culprit(at);
        requestEnd(new VmEnd(VMM_FAULT, reason, Failures.told(LOG, name, reason, at)));
    }

    /** A part at work that does not come back is lost, and the VM with it. */
    void failIfOverdue(PartFailure e) {
        if (e.getCause() instanceof PluginCalls.Overdue) {
            fail(e.getMessage() + ": " + e.getCause(), e);
        }
    }

    // What the guest asks for

    @Override
    public void powerOff() {
        requestEnd(new VmEnd(POWERED_OFF, "the guest powered off", ""));
    }

    @Override
    public void exit(int status) {
        requestEnd(new VmEnd(status & 0xff, "the guest ended with status " + (status & 0xff), ""));
    }

    @Override
    public void fail(String reason, Throwable cause) {
        requestEnd(new VmEnd(VMM_FAULT, reason, Failures.told(LOG, name, reason, cause)));
    }

    /** The reset button. */
    void resetFromOutside() throws HostRefusal {
        refuseOver();
        reset("from outside");
    }

    @Override
    public void reset(String reason) {
        if (configuration.noReboot()) {
            requestEnd(
                    new VmEnd(
                            RESET_REFUSED,
                            "the guest wants a reset (" + reason + "): no-reboot",
                            ""));
            return;
        }
        synchronized (endListeners) {
            if (resetPending) {
                return;
            }
            resetPending = true;
        }
        LOG.info("VM {} resets: {}", name, reason);
        note("reset", reason);
        machine.barrier().request();
        supervisor.submit(this::resetNow);
    }

    private void resetNow() {
        synchronized (transition) {
            try {
                machine.barrier().await(LIMIT);
            } catch (HostRefusal e) {
                LOG.info("VM {} was not reset: {}", name, e.getMessage());
                return;
            }
            synchronized (endListeners) {
                resetPending = false;
            }
            try {
                machine.reset();
                phases.reset();
            } catch (HostRefusal | ConfigurationException e) {
                fail("the guest can't be loaded again: " + e.getMessage(), e);
            } catch (RuntimeException e) {
                fail("reset failed: " + e.getMessage(), e);
            } finally {
                machine.barrier().leave();
            }
        }
    }

    @Override
    public void post(String source, Runnable action) {
        postGuarded(source, machine, action);
    }

    /**
     * @param guard is held while the action runs
     */
    void postGuarded(String source, Object guard, Runnable action) {
        machine.events().post(source, guard, action);
        machine.kickBoot();
    }

    /** Gives an event of the host to those who listen. */
    void deliver(String event) throws HostRefusal {
        List<EventListener> listening =
                eventListeners.stream().filter(l -> l.event.equals(event)).toList();
        if (listening.isEmpty()) {
            throw new HostRefusal(
                    "VM "
                            + name
                            + " takes no event '"
                            + event
                            + "'"
                            + (eventListeners.isEmpty()
                                    ? ""
                                    : org.alcazar.vmm.plugin.Spelling.suggest(
                                            event,
                                            eventListeners.stream().map(l -> l.event).toList())));
        }
        note("event", event);
        listening.forEach(listener -> post(event, listener.action));
    }

    void listen(EventListener listener) {
        eventListeners.add(listener);
    }

    void ignore(EventListener listener) {
        eventListeners.remove(listener);
    }

    // What it is made of

    @Override
    public int id() {
        return id;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public VmState state() {
        return state;
    }

    @Override
    public Architecture architecture() {
        return machine.architecture();
    }

    @Override
    public List<Vcore> vcores() {
        return List.copyOf(machine.vcores());
    }

    @Override
    public VmClock clock() {
        return machine.clock();
    }

    @Override
    public GuestMemory memory() {
        return machine.memory();
    }

    @Override
    public GuestPhysicalMap physicalMap() {
        return machine.map();
    }

    @Override
    public <T> Optional<T> find(Class<T> role) {
        return machine.roles().find(role);
    }

    VmConfiguration configuration() {
        return configuration;
    }

    Machine machine() {
        return machine;
    }

    PluginCalls calls() {
        return calls;
    }

    Phases phases() {
        return phases;
    }

    HostClock hostClock() {
        return host.clock();
    }

    HostProcessors processors() {
        return host.processors();
    }

    HookMaps hooks() {
        return machine.hooks();
    }

    Barrier barrier() {
        return machine.barrier();
    }

    EventQueue events() {
        return machine.events();
    }

    VmClock vmClock() {
        return machine.clock();
    }

    InterruptRouter router() {
        return machine.router();
    }

    Roles roles() {
        return machine.roles();
    }

    Backends backends() {
        return machine.backends();
    }

    List<MemoryRange> memoryMap() {
        return machine.memoryMap();
    }

    VcoreImpl bootCore() {
        return machine.vcores().getFirst();
    }

    int vcoreCount() {
        return configuration.cpus();
    }

    String engineName() {
        return machine.engineName();
    }

    @Override
    public boolean isVcoreThread() {
        return machine.isVcoreThread();
    }
}

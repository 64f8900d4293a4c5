package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.VmmControl;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.VmListener;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.core.DeviceManager.Succession;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.SwapPolicyType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** The VMM on one host: its VMs by number. Plain Java, usable without any framework. */
public final class Vmm implements VmmControl, VirtualMachines, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Vmm.class);

    /** How long a call into a plugin may take that is for no VM, in nanoseconds. */
    private static final long CALL_LIMIT = 10_000_000_000L;

    /** How long the framework may have to wait for changes of VMs. */
    private static final long PATIENCE_SECONDS = 2;

    /** The VMM, where it calls plugins for no VM. */
    private static final class Itself implements PluginCalls.Caller {
        @Override
        public int id() {
            return 0;
        }

        @Override
        public String name() {
            return "vmm";
        }

        @Override
        public boolean isVcoreThread() {
            return false;
        }

        @Override
        public void cameBack() {}
    }

    private final HostKernel host;
    private final PluginTypes types;
    private final TreeMap<Integer, Vm> vms = new TreeMap<>();
    private final Set<String> names = new HashSet<>();
    private final CopyOnWriteArrayList<VmListener> listeners = new CopyOnWriteArrayList<>();
    private final ReentrantLock structure = new ReentrantLock();
    private final Exchanges exchanges;
    private final Withdrawal withdrawal;
    private final StuckCalls stuck;
    private final Frames frames;
    private final History history = new History();
    private final Watchdog watchdog;
    private final PluginCalls calls;
    private int lastId;

    public Vmm(HostKernel host, PluginTypes types) {
        this.host = host;
        this.types = types;
        this.frames = new Frames(host.memory());
        SwapPolicies.all().forEach(type -> types.add(SwapPolicyType.class, type, 0));
        this.exchanges = new Exchanges(this, host.clock());
        this.withdrawal = new Withdrawal(this);
        this.stuck = new StuckCalls(host.clock());
        this.watchdog = new Watchdog(this, host.clock(), stuck);
        this.calls =
                new PluginCalls(new Itself(), host.processors(), host.clock(), stuck, CALL_LIMIT);
    }

    @Override
    public int create(Map<String, Object> configuration) throws HostRefusal {
        try (Held _ = hold()) {
            return orRefuse(() -> {
                Vm vm = make(VmConfiguration.of(configuration), true);
                vm.note("made", vm.vcoreCount() + " vcores, engine " + vm.engineName());
                return vm.id();
            });
        }
    }

    @Override
    public void start(int vm) throws HostRefusal {
        get(vm).start();
    }

    @Override
    public void pause(int vm) throws HostRefusal {
        get(vm).pause();
    }

    @Override
    public void resume(int vm) throws HostRefusal {
        get(vm).resume();
    }

    @Override
    public void reset(int vm) throws HostRefusal {
        get(vm).resetFromOutside();
    }

    @Override
    public void simulate(int vm, long nanos) throws HostRefusal {
        if (nanos <= 0) {
            throw new HostRefusal("a VM is simulated for at least 1 ns, not " + nanos);
        }
        get(vm).simulate(nanos);
    }

    @Override
    public void stop(int vm) throws HostRefusal {
        get(vm).stop("stopped");
    }

    @Override
    public void destroy(int vm) throws HostRefusal {
        try (Held _ = hold()) {
            Vm gone = get(vm);
            gone.destroy();
            synchronized (vms) {
                vms.remove(vm);
                names.remove(gone.name());
            }
            history.add(gone, "destroyed", "gave back what it held");
            history.forget(vm);
            restIfEmpty();
        }
    }

    /** Nobody is left to be looked after. */
    private void restIfEmpty() {
        if (all().isEmpty()) {
            watchdog.close();
        }
    }

    @Override
    public void save(int vm, String path) throws HostRefusal {
        Vm saved = get(vm);
        saved.requirePaused("save");
        orRefuse(() -> {
            saved.underBarrier(() -> {
                saved.requirePaused("save");
                new Checkpoint(host, types, saved.calls()).save(saved, path);
                saved.note("save", "to " + path);
                return path;
            });
            return path;
        });
    }

    @Override
    public int load(String path, Map<String, Object> overrides) throws HostRefusal {
        try (Held _ = hold()) {
            return orRefuse(() -> loadChecked(path, overrides));
        }
    }

    private int loadChecked(String path, Map<String, Object> overrides)
            throws HostRefusal, ConfigurationException {
        Checkpoint.Loaded saved = new Checkpoint(host, types, calls).read(path);
        VmConfiguration configuration = VmConfiguration.of(saved.configuration()).with(overrides);
        Vm vm = make(configuration, false);
        boolean done = false;
        try {
            saved.restore(vm);
            vm.note("made", "from " + path + ", engine " + vm.engineName());
            vm.restored();
            done = true;
            return vm.id();
        } finally {
            if (!done) {
                destroy(vm.id());
            }
        }
    }

    /** See {@code VmManagement.fork}. */
    ForkReport fork(int vm, String name) throws HostRefusal {
        try (Held _ = hold()) {
            return orRefuse(() -> new Forks(this, host, types, frames).fork(get(vm), name));
        }
    }

    /** The parts and the memory of all VMs. */
    public VmManagement management() {
        return new Management(this, types);
    }

    Frames frames() {
        return frames;
    }

    MemoryService memory() {
        return new MemoryService(this, host);
    }

    @Override
    public void moveCore(int vm, int core, int cpu) throws HostRefusal {
        get(vm).moveCore(core, cpu);
    }

    @Override
    public void stopCore(int vm, int core) throws HostRefusal {
        get(vm).stopCore(core);
    }

    @Override
    public void startCore(int vm, int core) throws HostRefusal {
        get(vm).startCore(core);
    }

    @Override
    public void deliver(int vm, String event) throws HostRefusal {
        get(vm).deliver(event);
    }

    @Override
    public Map<String, Object> statistics(int vm) throws HostRefusal {
        Vm asked = get(vm);
        Map<String, Object> tree =
                Statistics.of(
                        asked,
                        asked.machine().engines().paging().tablePages() * HostMemory.PAGE_SIZE,
                        host.memory().bytesInUse(asked.machine().owner()));
        Map<String, Object> ofHost = new LinkedHashMap<>();
        host.find(HostPrimitives.class).ifPresent(of -> ofHost.put("counts", of.counts()));
        host.find(HostNotes.class).ifPresent(of -> ofHost.put("notes", of.notes()));
        if (!ofHost.isEmpty()) {
            ofHost.put("name", host.name());
            tree.put("host", ofHost);
        }
        return tree;
    }

    @Override
    public void onEnd(int vm, Consumer<VmEnd> listener) throws HostRefusal {
        get(vm).onEnd(listener);
    }

    @Override
    public Map<String, Map<String, String>> types() {
        return types.describe();
    }

    @Override
    public List<VirtualMachine> all() {
        synchronized (vms) {
            return List.copyOf(vms.values());
        }
    }

    @Override
    public Optional<VirtualMachine> find(int id) {
        synchronized (vms) {
            return Optional.ofNullable(vms.get(id));
        }
    }

    @Override
    public Hook listen(VmListener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /** Ends and destroys all VMs. */
    @Override
    public void close() {
        watchdog.close();
        for (VirtualMachine vm : all()) {
            try {
                destroy(vm.id());
            } catch (HostRefusal e) {
                LOG.warn("{}", e.getMessage());
            }
        }
        calls.close();
    }

    /** The lock of the structure, held. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Takes the lock that is held while parts of VMs come, go and are exchanged: before a VM's own
     * locks and before the framework's.
     */
    Held hold() {
        structure.lock();
        return structure::unlock;
    }

    History history() {
        return history;
    }

    StuckCalls stuck() {
        return stuck;
    }

    Withdrawal withdrawal() {
        return withdrawal;
    }

    /** See {@link Exchanges#run}. */
    Exchanges.Done exchange(Succession succession) throws HostRefusal {
        try (Held _ = hold()) {
            return exchanges.run(succession);
        }
    }

    /** A type has come: it takes the place of an equal one that went and is still in use. */
    void arrived(PluginType type) {
        soon(() -> withdrawal.succeed(type, types, exchanges));
    }

    /** A type has gone: VMs that use it follow their policies. */
    void gone(PluginType type) {
        soon(() -> withdrawal.gone(type));
    }

    /**
     * For calls of the framework, which may hold its locks: whoever holds the structure may wait
     * for those, so this does not wait for long and is done later then.
     */
    private void soon(Runnable action) {
        boolean held = false;
        try {
            held = structure.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (held) {
                action.run();
            } else {
                host.processors().start("vmm/later", HostThread.ANY_CPU, () -> later(action));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (HostRefusal e) {
            LOG.error("VMs do not follow what a bundle did: {}", e.getMessage());
        } finally {
            if (held) {
                structure.unlock();
            }
        }
    }

    private void later(Runnable action) {
        try (Held _ = hold()) {
            action.run();
        }
    }

    /** VMs that have not ended, in the order of their numbers. */
    List<Vm> living() {
        synchronized (vms) {
            return vms.values().stream().filter(vm -> !vm.isEnding()).toList();
        }
    }

    /** A VM that plugins of this process work with, as the core sees it. */
    Vm get(int id) throws HostRefusal {
        synchronized (vms) {
            Vm vm = vms.get(id);
            if (vm == null) {
                throw new HostRefusal(
                        "there is no VM "
                                + id
                                + (vms.isEmpty() ? "" : "; there are: " + vms.keySet()));
            }
            return vm;
        }
    }

    private Vm make(VmConfiguration configuration, boolean boot)
            throws HostRefusal, ConfigurationException {
        return make(configuration, new Machine.Making(frames, Optional.empty(), boot));
    }

    Vm make(VmConfiguration configuration, Machine.Making making)
            throws HostRefusal, ConfigurationException {
        int id;
        String name;
        synchronized (vms) {
            id = ++lastId;
            name = configuration.name().isEmpty() ? "vm-" + id : configuration.name();
            if (!names.add(name)) {
                throw new ConfigurationException("there is a VM '" + name + "' already");
            }
        }
        boolean made = false;
        try {
            watchdog.begin();
            Vm vm = new Vm(id, name, configuration, host, types, changes(), stuck, making);
            synchronized (vms) {
                vms.put(id, vm);
            }
            made = true;
            return vm;
        } catch (PartFailure e) {
            throw new HostRefusal(e.getMessage() + ": " + e.getCause(), e);
        } catch (RuntimeException e) { // of the host, or ours: a line, and nothing is left
            LOG.error("VM {} can't be made", name, e);
            throw new HostRefusal("VM " + name + " can't be made: " + e, e);
        } finally {
            if (!made) {
                synchronized (vms) {
                    names.remove(name);
                }
                restIfEmpty();
            }
        }
    }

    private Vm.Changes changes() {
        return new Vm.Changes() {
            @Override
            public void changed(Vm vm, VmState from, VmState to) {
                Vmm.this.changed(vm, from, to);
            }

            @Override
            public void happened(Vm vm, String kind, String text) {
                history.add(vm, kind, text);
            }
        };
    }

    private void changed(Vm vm, VmState from, VmState to) {
        for (VmListener listener : listeners) {
            try {
                listener.stateChanged(vm, from, to);
            } catch (RuntimeException e) {
                LOG.error("a listener failed at {}: {} to {}", vm.name(), from, to, e);
            }
        }
    }

    interface Work<T> {
        T run() throws HostRefusal, ConfigurationException;
    }

    /** To a host, a wrong configuration is a refusal. */
    static <T> T orRefuse(Work<T> work) throws HostRefusal {
        try {
            return work.run();
        } catch (ConfigurationException e) {
            throw new HostRefusal(String.valueOf(e.getMessage()), e);
        } catch (PartFailure e) {
            throw new HostRefusal(e.getMessage() + ": " + e.getCause(), e);
        }
    }
}

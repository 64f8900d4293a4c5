package org.alcazar.vmm.core;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.device.Agent;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType.ExtensionContext;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** What one device or extension has of its VM; takes all of it back at {@link #close}. */
final class DeviceContextImpl implements ExtensionContext {
    private final Vm vm;
    private final String name;
    private final Deque<Hook> owned = new ArrayDeque<>();
    private final Map<String, Counter> counters = new ConcurrentHashMap<>();
    private final GuestClock clock = new OwnedClock(0);

    /** Held while the core calls into the device, where more than one thread may. */
    private final Object guard = new Object();

    private volatile boolean closed;

    DeviceContextImpl(Vm vm, String name) {
        this.vm = vm;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public GuestClock clock() {
        return clock;
    }

    @Override
    public GuestMemory memory() {
        return vm.memory();
    }

    @Override
    public List<Vcore> vcores() {
        return vm.vcores();
    }

    @Override
    public VirtualMachine machine() {
        return vm;
    }

    @Override
    public VirtualMachine vm() {
        return vm;
    }

    @Override
    public List<MemoryRange> memoryMap() {
        return vm.memoryMap();
    }

    @Override
    public Hook hookPorts(int first, int count, BusDevice device) throws ConfigurationException {
        return own(vm.hooks().hookPorts(guarded(first, count, AccessHook.of(device))));
    }

    @Override
    public Hook hookMemory(long start, long bytes, BusDevice device) throws ConfigurationException {
        return own(vm.hooks().hookMemory(guarded(start, bytes, AccessHook.of(device))));
    }

    @Override
    public Hook hookMemory(long start, long bytes, VcoreMemory handler)
            throws ConfigurationException {
        return own(vm.hooks().hookMemory(new AccessHook(name, start, bytes, handler)));
    }

    @Override
    public Hook hookRegisters(long first, long count, RegisterHandler handler)
            throws ConfigurationException {
        return own(
                vm.hooks()
                        .hookRegisters(new AccessHook(name, first, count, AccessHook.of(handler))));
    }

    @Override
    public Hook hookHypercall(long first, long last, HypercallHandler handler) {
        try {
            return own(
                    vm.hooks()
                            .hookCalls(
                                    guarded(
                                            first,
                                            last - first + 1,
                                            AccessHook.of(handler, first))));
        } catch (ConfigurationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public Hook hookFeature(long first, long last, HypercallHandler handler) {
        try {
            return own(
                    vm.hooks()
                            .hookFeatures(
                                    guarded(
                                            first,
                                            last - first + 1,
                                            AccessHook.of(handler, first))));
        } catch (ConfigurationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public InterruptLine interruptLine(int number) {
        InterruptRouter.Wire wire = vm.router().wire(name, number);
        own(wire::cut);
        return wire;
    }

    @Override
    public void interruptInput(int number, InterruptLine input) {
        vm.router().connect(number, input);
        own(() -> vm.router().disconnect(number, input));
    }

    @Override
    public <T> void provide(Class<T> role, T service) throws ConfigurationException {
        vm.roles().provide(name, role, service);
        own(() -> vm.roles().withdraw(role, service));
    }

    @Override
    public <T> Optional<T> find(Class<T> role) {
        return vm.roles().find(role);
    }

    @Override
    public <T> T require(Class<T> role) throws ConfigurationException {
        return find(role)
                .orElseThrow(() ->
                        new ConfigurationException(
                                "device "
                                        + name
                                        + " needs a device that offers "
                                        + role.getSimpleName()
                                        + "; the platform has none before it"));
    }

    @Override
    public CharacterBackend characterBackend(String backend) throws ConfigurationException {
        Counter dropped = counter("input-dropped");
        CharacterBackend opened =
                switch (backend) {
                    case "console" -> vm.backends().console(this::post, dropped);
                    case "none", "" -> Backends.none();
                    default ->
                            Backends.queued(
                                    vm.backends()
                                            .open(
                                                    "device " + name,
                                                    backend,
                                                    CharacterBackend.class),
                                    this::post,
                                    dropped);
                };
        own(opened::close);
        return opened;
    }

    @Override
    public BlockBackend blockBackend(String backend) throws ConfigurationException {
        BlockBackend opened = vm.backends().open("device " + name, backend, BlockBackend.class);
        own(opened::close);
        return opened;
    }

    @Override
    public NetworkBackend networkBackend(String backend) throws ConfigurationException {
        NetworkBackend opened =
                Backends.queued(
                        vm.backends().open("device " + name, backend, NetworkBackend.class),
                        this::post);
        own(opened::close);
        return opened;
    }

    @Override
    public Counter counter(String counter) {
        return counters.computeIfAbsent(counter, key -> new Counter());
    }

    @Override
    public Hook onEvent(String event, Runnable action) {
        Runnable guarded =
                () -> {
                    synchronized (guard) {
                        action.run();
                    }
                };
        return own(vm.listen(event, guarded));
    }

    @Override
    public Hook addAgent(Agent agent) {
        vm.barrier().addAgent(agent);
        return own(() -> vm.barrier().removeAgent(agent));
    }

    Map<String, Counter> counters() {
        return new TreeMap<>(counters);
    }

    /** Takes back everything, the last first. */
    void close() {
        closed = true;
        while (true) {
            Hook last;
            synchronized (owned) {
                if (owned.isEmpty()) {
                    return;
                }
                last = owned.pop();
            }
            last.close();
        }
    }

    private void post(String source, Runnable action) {
        vm.postGuarded(
                source + "." + name,
                guard,
                () -> {
                    if (!closed) {
                        action.run();
                    }
                });
    }

    private AccessHook guarded(long first, long count, VcoreMemory handler) {
        return new AccessHook(
                name,
                first,
                count,
                vm.vcoreCount() > 1 ? AccessHook.guarded(guard, handler) : handler);
    }

    private Hook own(Hook hook) {
        Hook once = new OwnedHook(hook);
        synchronized (owned) {
            owned.push(once);
        }
        return once;
    }

    /** Closes once, and forgets itself. */
    private final class OwnedHook implements Hook {
        private final Hook inner;
        private boolean gone;

        OwnedHook(Hook inner) {
            this.inner = inner;
        }

        @Override
        public void close() {
            synchronized (owned) {
                if (gone) {
                    return;
                }
                gone = true;
                owned.remove(this);
            }
            inner.close();
        }
    }

    /** The VM's clock, whose timers belong to the device. */
    private final class OwnedClock implements GuestClock {
        private final int vcore;

        OwnedClock(int vcore) {
            this.vcore = vcore;
        }

        @Override
        public long nanos() {
            return vm.vmClock().nanos();
        }

        @Override
        public long epochNanos() {
            return vm.vmClock().epochNanos();
        }

        @Override
        public long counterFrequency() {
            return vm.vmClock().counterFrequency();
        }

        @Override
        public GuestClock on(Vcore vcore) {
            return new OwnedClock(vcore.index());
        }

        @Override
        public GuestTimer timer(String timer, Runnable action) {
            GuestTimer made = vm.vmClock().timers(vcore).add(name + "." + timer, guard, action);
            own(made::close);
            return made;
        }
    }
}

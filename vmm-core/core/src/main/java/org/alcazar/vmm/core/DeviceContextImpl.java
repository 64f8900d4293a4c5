package org.alcazar.vmm.core;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.InterruptSource;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.WriteWatcher;
import org.alcazar.vmm.device.Agent;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType.ExtensionContext;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * What one device or extension has of its VM: a list of claims. A device that is made on trial only
 * states them; they are taken when it goes to work, and can be given back and taken again.
 */
final class DeviceContextImpl implements ExtensionContext {
    /** When a claim is taken, and how far a device has come with it. */
    private enum Stage {
        /** Nothing is taken. */
        ASIDE,
        /** What is taken before the state is restored. */
        FIRST,
        /** All is taken: with the state restored, also what other devices see. */
        LAST
    }

    private interface Taking {
        void take() throws ConfigurationException;
    }

    /**
     * Something that a device has of its VM.
     *
     * @param dispose what is left to do when it has been given back for good
     */
    private record Claim(Stage when, Taking taking, Runnable giveBack, Runnable dispose) {}

    private final Vm vm;
    private final String name;

    /** Place in the order of devices: where several claim one thing, the last has it. */
    private final long order;

    /** Held while the core calls into the device, where more than one thread may. */
    private final Object guard;

    private final List<Claim> claims = new ArrayList<>();
    private final List<BackendPort<?>> ports = new ArrayList<>();
    private final List<BackendPort<?>> inherited = new ArrayList<>();
    private final List<AccessHook> hooks = new ArrayList<>();
    private final Map<String, Counter> counters = new ConcurrentHashMap<>();
    private final GuestClock clock = new OwnedClock(0);
    private final Entropy trialEntropy;
    private volatile Stage stage;

    private DeviceContextImpl(Vm vm, String name, long order, Object guard, Stage stage) {
        this.vm = vm;
        this.name = name;
        this.order = order;
        this.guard = guard;
        this.stage = stage;
        this.trialEntropy = vm.machine().entropy().copy();
    }

    /**
     * For a device that goes to work while it is made.
     *
     * @param order higher for later devices
     */
    static DeviceContextImpl working(Vm vm, String name, long order) {
        return new DeviceContextImpl(vm, name, order, new Object(), Stage.LAST);
    }

    /** For a device that is to take the place of this one's. */
    DeviceContextImpl successor() {
        DeviceContextImpl out = new DeviceContextImpl(vm, name, order, guard, Stage.ASIDE);
        out.inherited.addAll(ports);
        return out;
    }

    /** Takes what comes before the restore of a state. */
    void takeFirst() throws ConfigurationException {
        take(Stage.FIRST);
    }

    /** Takes the rest; the device works. */
    void takeLast() throws ConfigurationException {
        take(Stage.LAST);
    }

    private void take(Stage when) throws ConfigurationException {
        stage = when;
        for (Claim claim : snapshot()) {
            if (claim.when == when) {
                claim.taking.take();
            }
        }
    }

    /** Gives everything back, the last first; it can be taken again. */
    void giveBack() {
        stage = Stage.ASIDE;
        List<Claim> all = snapshot();
        for (Stage when : List.of(Stage.LAST, Stage.FIRST)) {
            for (Claim claim : all.reversed()) {
                if (claim.when == when) {
                    claim.giveBack.run();
                }
            }
        }
    }

    /** The device is gone. */
    void close() {
        giveBack();
        dispose();
    }

    /** The end, when all has been given back. */
    void dispose() {
        List<Claim> all = snapshot();
        synchronized (claims) {
            claims.clear();
        }
        all.reversed().forEach(claim -> claim.dispose.run());
    }

    private List<Claim> snapshot() {
        synchronized (claims) {
            return List.copyOf(claims);
        }
    }

    private Hook claim(Claim claim) throws ConfigurationException {
        if (isTaken(claim)) {
            claim.taking.take();
        }
        synchronized (claims) {
            claims.add(claim);
        }
        return () -> forget(claim);
    }

    private void forget(Claim claim) {
        boolean known;
        synchronized (claims) {
            known = claims.remove(claim);
        }
        if (known) {
            if (isTaken(claim)) {
                claim.giveBack.run();
            }
            claim.dispose.run();
        }
    }

    private boolean isTaken(Claim claim) {
        return claim.when.compareTo(stage) <= 0;
    }

    /** For claims that nothing stands against. */
    private Hook claimFree(Runnable taking, Runnable giveBack, Runnable dispose) {
        try {
            return claim(new Claim(Stage.FIRST, taking::run, giveBack, dispose));
        } catch (ConfigurationException e) {
            throw new IllegalStateException(e);
        }
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

    private interface Hooking {
        void hook(AccessHook hook) throws ConfigurationException;
    }

    private Hook hook(AccessHook hook, Hooking hooking, Consumer<AccessHook> unhooking)
            throws ConfigurationException {
        Hook taken =
                claim(
                        new Claim(
                                Stage.FIRST,
                                () -> hooking.hook(hook),
                                () -> unhooking.accept(hook),
                                () -> remove(hook)));
        synchronized (hooks) {
            hooks.add(hook);
        }
        return taken;
    }

    private void remove(AccessHook hook) {
        synchronized (hooks) {
            hooks.remove(hook);
        }
    }

    @Override
    public Hook hookPorts(int first, int count, BusDevice device) throws ConfigurationException {
        HookMaps maps = vm.hooks();
        return hook(
                guarded(first, count, AccessHook.of(device)), maps::hookPorts, maps::unhookPorts);
    }

    @Override
    public Hook hookMemory(long start, long bytes, BusDevice device) throws ConfigurationException {
        HookMaps maps = vm.hooks();
        return hook(
                guarded(start, bytes, AccessHook.of(device)), maps::hookMemory, maps::unhookMemory);
    }

    @Override
    public Hook hookMemory(long start, long bytes, VcoreMemory handler)
            throws ConfigurationException {
        HookMaps maps = vm.hooks();
        return hook(
                new AccessHook(name, start, bytes, handler), maps::hookMemory, maps::unhookMemory);
    }

    @Override
    public Hook hookRegisters(long first, long count, RegisterHandler handler)
            throws ConfigurationException {
        HookMaps maps = vm.hooks();
        return hook(
                new AccessHook(name, first, count, AccessHook.of(handler)),
                maps::hookRegisters,
                maps::unhookRegisters);
    }

    @Override
    public Hook hookHypercall(long first, long last, HypercallHandler handler) {
        HookMaps maps = vm.hooks();
        return numbers(first, last, handler, maps::hookCalls, maps::unhookCalls);
    }

    @Override
    public Hook hookFeature(long first, long last, HypercallHandler handler) {
        HookMaps maps = vm.hooks();
        return numbers(first, last, handler, maps::hookFeatures, maps::unhookFeatures);
    }

    @Override
    public Hook observePaging(PagingObserver observer) {
        HookMaps maps = vm.hooks();
        return claimFree(() -> maps.observe(observer), () -> maps.unobserve(observer), () -> {});
    }

    @Override
    public Hook watchWrites(long start, long bytes, WriteWatcher watcher)
            throws ConfigurationException {
        WriteWatch watch = new WriteWatch(start, bytes, guarded(watcher));
        watch.check(name, vm);
        return claimFree(() -> watch.begin(vm), () -> watch.end(vm), () -> {});
    }

    private WriteWatcher guarded(WriteWatcher watcher) {
        if (vm.vcoreCount() == 1) {
            return watcher;
        }
        return (vcore, address, bytes) -> {
            synchronized (guard) {
                return watcher.write(vcore, address, bytes);
            }
        };
    }

    private Hook numbers(
            long first,
            long last,
            HypercallHandler handler,
            Hooking hooking,
            Consumer<AccessHook> unhooking) {
        try {
            return hook(
                    guarded(first, last - first + 1, AccessHook.of(handler, first)),
                    hooking,
                    unhooking);
        } catch (ConfigurationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public InterruptLine interruptLine(int number) {
        InterruptRouter.Wire wire = vm.router().wire(name, number);
        claimFree(wire::connect, wire::disconnect, () -> {});
        return wire;
    }

    @Override
    public void interruptInput(int number, InterruptLine input) {
        claimFree(
                () -> vm.router().connect(number, input),
                () -> vm.router().disconnect(number, input),
                () -> {});
    }

    @Override
    public void interruptSource(Vcore vcore, InterruptSource source) {
        VcoreImpl core = vm.machine().vcores().get(vcore.index());
        claimFree(() -> core.addSource(order, source), () -> core.removeSource(source), () -> {});
    }

    @Override
    public <T> void provide(Class<T> role, T service) throws ConfigurationException {
        claim(
                new Claim(
                        Stage.LAST,
                        () -> vm.roles().provide(name, role, service),
                        () -> vm.roles().withdraw(role, service),
                        () -> {}));
    }

    @Override
    public <T> Hook connect(Class<T> role, Connector<T> connector) throws ConfigurationException {
        return connect(role, connector, false);
    }

    @Override
    public <T> Hook require(Class<T> role, Connector<T> connector) throws ConfigurationException {
        return connect(role, connector, true);
    }

    private <T> Hook connect(Class<T> role, Connector<T> connector, boolean needed)
            throws ConfigurationException {
        Roles.Connection<T> connection = vm.roles().connection(name, role, needed, connector);
        return claim(new Claim(Stage.LAST, connection::begin, connection::stop, () -> {}));
    }

    @Override
    public CharacterBackend characterBackend(String backend) throws ConfigurationException {
        BackendPort.CharacterPort port =
                port(
                        backend,
                        BackendPort.CharacterPort.class,
                        () -> vm.backends().character("device " + name, backend, this::post));
        BackendPort.CharacterPort.CharacterView view = port.view(counter("input-dropped"));
        claimView(view);
        return view;
    }

    @Override
    public BlockBackend blockBackend(String backend) throws ConfigurationException {
        BackendPort.BlockPort port =
                port(
                        backend,
                        BackendPort.BlockPort.class,
                        () -> vm.backends().block("device " + name, backend));
        BackendPort.BlockPort.BlockView view = port.view();
        claimView(view);
        return view;
    }

    @Override
    public NetworkBackend networkBackend(String backend) throws ConfigurationException {
        BackendPort.NetworkPort port =
                port(
                        backend,
                        BackendPort.NetworkPort.class,
                        () -> vm.backends().network("device " + name, backend, this::post));
        BackendPort.NetworkPort.NetworkView view = port.view();
        claimView(view);
        return view;
    }

    private interface Opening<P> {
        P open() throws ConfigurationException;
    }

    /** The predecessor's port of this name, or a new one. */
    private <P extends BackendPort<?>> P port(String backend, Class<P> kind, Opening<P> opening)
            throws ConfigurationException {
        for (BackendPort<?> port : inherited) {
            if (port.name.equals(backend) && kind.isInstance(port)) {
                inherited.remove(port);
                ports.add(port);
                return kind.cast(port);
            }
        }
        P opened = opening.open();
        ports.add(opened);
        return opened;
    }

    private void claimView(BackendPort.View view) {
        claimFree(view::connect, view::disconnect, view::close);
    }

    @Override
    public long entropy() {
        // What is tried and dropped takes no number of the VM's.
        return (stage == Stage.ASIDE ? trialEntropy : vm.machine().entropy()).next();
    }

    @Override
    public Counter counter(String counter) {
        return counters.computeIfAbsent(counter, key -> new Counter());
    }

    @Override
    public Hook onEvent(String event, Runnable action) {
        Vm.EventListener listener =
                new Vm.EventListener(
                        event,
                        () -> {
                            synchronized (guard) {
                                action.run();
                            }
                        });
        return claimFree(() -> vm.listen(listener), () -> vm.ignore(listener), () -> {});
    }

    @Override
    public Hook addAgent(Agent agent) {
        return claimFree(
                () -> vm.barrier().addAgent(agent),
                () -> vm.barrier().removeAgent(agent),
                () -> {});
    }

    Map<String, Counter> counters() {
        return new TreeMap<>(counters);
    }

    /** Counts on where the predecessor was; what the trial has counted is forgotten. */
    void countsOf(DeviceContextImpl predecessor) {
        counters.values().forEach(counter -> counter.add(-counter.value()));
        predecessor.counters.forEach((key, before) -> counter(key).add(before.value()));
        for (AccessHook hook : hooks) {
            predecessor.hooks.stream().filter(hook::isLike).findFirst().ifPresent(hook::countsOf);
        }
    }

    List<BackendPort<?>> ports() {
        return List.copyOf(ports);
    }

    /** Input goes to whoever has the port when it is taken. */
    private void post(String source, Runnable action) {
        vm.postGuarded(source + "." + name, guard, action);
    }

    private AccessHook guarded(long first, long count, VcoreMemory handler) {
        return new AccessHook(
                name,
                first,
                count,
                vm.vcoreCount() > 1 ? AccessHook.guarded(guard, handler) : handler);
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
            TimerQueue.Timer made =
                    vm.vmClock().timers(vcore).add(name + "." + timer, guard, action);
            made.hold();
            claimFree(made::release, made::hold, made::close);
            return made;
        }
    }
}

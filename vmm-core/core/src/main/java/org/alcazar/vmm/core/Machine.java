package org.alcazar.vmm.core;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.VirtualCore;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.Platform;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * What a VM is made of. {@link #build} takes one thing after the other from the host and the
 * plugins; {@link #release} gives them back in the reverse order, from wherever building has come
 * to.
 */
final class Machine {
    private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

    /**
     * Pauses in a row after which a core is taken to spin in vain: some microseconds, as much as it
     * costs the host to run another thread.
     */
    private static final int PAUSES = 100;

    /** Instructions between two of them at most: loops that wait are short. */
    private static final int PAUSE_DISTANCE = 64;

    private final Vm vm;
    private final HostKernel host;
    private final PluginTypes types;
    private final VmConfiguration configuration;
    private final String owner;
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private final GuestPhysicalMap map = new GuestPhysicalMap();
    private final GuestMemory memory;
    private final Pages pages;
    private final AccessTracker access;
    private final Optional<Vm> parent;
    private final HookMaps hooks = new HookMaps(map);
    private final InterruptRouter router = new InterruptRouter();
    private final Roles roles = new Roles();
    private final Entropy entropy;
    private final DeviceManager devices;
    private final List<VcoreImpl> vcores = new ArrayList<>();
    private final Engines engines;
    private final List<VcoreThread> threads = new CopyOnWriteArrayList<>();
    private List<MemoryRange> memoryMap = List.of();
    private long exitRegisters;
    private @Nullable Plan plan;
    private @Nullable VmClock clock;
    private @Nullable EventQueue events;
    private @Nullable Barrier barrier;
    private @Nullable Backends backends;
    private @Nullable ConsoleTap console;

    /** What a {@link Platform} says: it is asked once, while its bundle is there. */
    private record Plan(
            List<MemoryRange> ram,
            List<MemoryRange> memoryMap,
            List<DeviceSpec> devices,
            long counterFrequency) {}

    /** What a VM is made with beside its configuration. */
    record Making(Frames frames, Optional<Vm> parent, boolean boot) {}

    Machine(Vm vm, Supervisor supervisor, HostKernel host, PluginTypes types, Making making) {
        this.vm = vm;
        this.host = host;
        this.types = types;
        this.configuration = vm.configuration();
        this.owner = "vm:" + vm.name();
        this.entropy = repeats() ? Entropy.of(configuration.seed()) : Entropy.ofHost();
        this.devices = new DeviceManager(vm, types);
        this.engines = new Engines(vm, types, map, host.memory(), owner, vcores);
        Accesses accesses = new Accesses(engines::drainAccessed);
        this.access = new AccessTracker(vm, host.processors(), accesses);
        this.parent = making.parent();
        this.pages =
                new Pages(
                        map,
                        making.frames(),
                        owner,
                        engines::changed,
                        () -> vm.pauseSoon(List.of()),
                        supervisor::submit,
                        accesses);
        this.memory = new RamView(map, pages, this::refused, this::forget);
    }

    private long forget(long start, long bytes) {
        boolean inPlace = engines.pagingType().wantsOnePiece();
        return inPlace ? 0 : pages.forget(start, bytes) * Pages.PAGE;
    }

    void build() throws HostRefusal, ConfigurationException {
        makePlatform();
        undo.push(pages::close);
        new MachineRam(vm, host, types, pages, parent, plan().ram, pagingType(), owner).take();
        makeEngine();
        List<ControlBlock> blocks = new ArrayList<>();
        for (int i = 0; i < configuration.cpus(); i++) {
            blocks.add(new ControlBlock(architecture()));
        }
        makePaging(blocks);
        makeClock(blocks.getFirst());
        exitRegisters = exitRegisters(blocks.getFirst());
        makeVcores(blocks);
        openConsole();
        makeDevices();
        devices.reset(); // power-on
        plan = null;
    }

    void load() throws HostRefusal, ConfigurationException {
        new GuestBoot(vm, host, types).load();
    }

    /** Starts the vcores' threads; they wait at the barrier. */
    void startThreads() throws HostRefusal {
        if (clock() instanceof InstructionClock instructions) {
            List<VcoreImpl> all = List.copyOf(vcores);
            start(new InstructionThread(vm, all, instructions), all, cpu(0));
            return;
        }
        for (VcoreImpl vcore : vcores) {
            start(new HostVcoreThread(vm, vcore), List.of(vcore), cpu(vcore.index()));
        }
    }

    /** Where a vcore is to run. */
    private int cpu(int vcore) {
        return configuration.pin().cpu(vcore, host.processors().count());
    }

    private void start(VcoreThread thread, List<VcoreImpl> cores, int cpu) throws HostRefusal {
        threads.add(thread);
        cores.forEach(vcore -> vcore.thread(thread));
        Optional<HostExitPortal> apart = host.find(HostExitPortal.class);
        if (apart.isEmpty()) {
            thread.start(cpu, Optional.empty());
            return;
        }
        ExitPortal portal = new ExitPortal(thread, cores, map, exitRegisters);
        portal.open(apart.get(), owner, vm.name() + "/" + thread.name + "/guest", cpu);
        cores.forEach(vcore -> vcore.portal(portal));
        thread.start(cpu, Optional.of(portal));
    }

    /** The groups of registers that are to travel with exits, as a mask. */
    private long exitRegisters(ControlBlock block) throws ConfigurationException {
        List<String> names = configuration.exitRegisters();
        if (names.isEmpty()) {
            return 0;
        }
        String key = VmConfiguration.EXIT_REGISTERS + "=" + String.join(",", names);
        if (host.find(HostExitPortal.class).isEmpty()) {
            throw new ConfigurationException(
                    key + ": on host " + host.name() + " exits are no messages; leave it out");
        }
        long mask = 0;
        List<RegisterGroup> groups = architecture().groups();
        for (String name : names) {
            List<String> known = groups.stream().map(RegisterGroup::name).toList();
            if (!known.contains(name)) {
                throw new ConfigurationException(
                        "%s: there is no group '%s'; there are %s"
                                .formatted(key, name, String.join(", ", known)));
            }
            mask |= groups.get(known.indexOf(name)).mask();
        }
        int words = ExitPortal.words(block, mask);
        if (words > ExitPortal.REGISTER_WORDS) {
            throw new ConfigurationException(
                    "%s: that is %d words, and a message has room for %d"
                            .formatted(key, words, ExitPortal.REGISTER_WORDS));
        }
        return mask;
    }

    /** Devices and cores as after power-on, and the guest loaded again. In the barrier. */
    void reset() throws HostRefusal, ConfigurationException {
        long now = clock().nanos();
        devices.reset();
        engines.resetCores();
        // Cores count their instructions anew; time goes on.
        clock().set(now);
        engines.enterPaging();
        load();
    }

    // Building

    private void makePlatform() throws HostRefusal, ConfigurationException {
        PlatformType type =
                types.choose(
                        PlatformType.class,
                        "platform",
                        configuration.platform().type(),
                        List.of("pc"));
        String what = "platform " + type.name();
        String title = types.title(what, type);
        Settings settings =
                Settings.check(
                        what, vm.calls().schema(title, type), configuration.platform().settings());
        Plan made = vm.calls().call("creation of " + title, () -> plan(type, settings));
        plan = made;
        memoryMap = made.memoryMap;
        engines.choose(chooseEngine(type));
    }

    private Plan plan(PlatformType type, Settings settings) throws ConfigurationException {
        Platform made = type.create(configuration.memory(), configuration.cpus(), settings);
        return new Plan(
                List.copyOf(made.ram()),
                List.copyOf(made.memoryMap()),
                List.copyOf(made.devices()),
                made.counterFrequency());
    }

    private EngineType chooseEngine(PlatformType forPlatform) throws ConfigurationException {
        EngineType type =
                types.choose(
                        EngineType.class,
                        "engine",
                        configuration.engine().type(),
                        List.of("translator", "interpreter"));
        if (!type.architecture().name().equals(forPlatform.architecture())) {
            throw new ConfigurationException(
                    "platform "
                            + forPlatform.name()
                            + " is of architecture "
                            + forPlatform.architecture()
                            + ", engine "
                            + type.name()
                            + " of "
                            + type.architecture().name());
        }
        return type;
    }

    PagingModeType pagingType() throws ConfigurationException {
        return types.choose(
                PagingModeType.class,
                "paging mode",
                configuration.paging().type(),
                List.of("nested", "direct"));
    }

    private void makeEngine() throws HostRefusal, ConfigurationException {
        EngineType type = engines.engineType();
        Map<String, Object> keys = new LinkedHashMap<>(configuration.engine().settings());
        Schema schema = engines.schema();
        if (schema.keys().stream().anyMatch(k -> k.name().equals("seed"))) {
            keys.putIfAbsent("seed", seed());
        }
        engines.makeEngine(keys);
        undo.push(engines::closeEngine);
    }

    /** The VM's; without one, a VM on the host's time differs from run to run anyhow. */
    private long seed() {
        return repeats() ? configuration.seed() : new SecureRandom().nextLong();
    }

    /** Whether randomness comes from the seed. */
    private boolean repeats() {
        return configuration.instructionClock() || configuration.tree().containsKey("seed");
    }

    /** For the devices. */
    Entropy entropy() {
        return entropy;
    }

    private void makePaging(List<ControlBlock> blocks) throws HostRefusal, ConfigurationException {
        engines.makePaging(pagingType(), configuration.paging().settings());
        undo.push(engines::closePaging);
        undo.push(map::stopDirtyLog);
        undo.push(access::stop);
        engines.enterPaging(blocks);
    }

    private void makeClock(ControlBlock first) {
        long asked = plan().counterFrequency;
        long frequency = asked == 0 ? GuestClock.NANOS_PER_SECOND : asked;
        VmClock made;
        if (configuration.instructionClock()) {
            made = new InstructionClock(frequency, configuration.epoch().orElse(0L), first);
        } else {
            made =
                    new HostDrivenClock(
                            host.clock(), frequency, owner, configuration.cpus(), this::timerDue);
            configuration.epoch().ifPresent(epoch -> made.epoch = epoch);
        }
        clock = made;
        undo.push(made::close);
        events = new EventQueue(made);
        barrier =
                new Barrier(
                        host.clock(),
                        made,
                        this::kickAll,
                        pages::standing,
                        (part, e) -> vm.fail(part + " failed: " + e, e));
    }

    private void makeVcores(List<ControlBlock> blocks) throws HostRefusal, ConfigurationException {
        for (ControlBlock block : blocks) {
            block.time = clock().counter();
            if (blocks.size() > 1) {
                // Alone, a core that spins waits for nobody who could run instead.
                block.pauseCount = PAUSES;
                block.pauseThreshold = PAUSE_DISTANCE;
            }
            VirtualCore core = engines.newCore(vcores.size(), block);
            VcoreImpl vcore = new VcoreImpl(vm, vcores.size(), block, core, engines.paging());
            vcores.add(vcore);
            undo.push(() -> engines.closeCore(vcore));
        }
    }

    private void openConsole() throws HostRefusal, ConfigurationException {
        Optional<HostConsoles> consoles = host.find(HostConsoles.class);
        if (consoles.isEmpty() && configuration.console().startsWith("file:")) {
            throw new ConfigurationException(
                    "console="
                            + configuration.console()
                            + ": host "
                            + host.name()
                            + " has no consoles; use console=none");
        }
        ConsoleTap opened =
                new ConsoleTap(
                        consoles.orElse(name -> new SilentConsole()).open(configuration.console()));
        console = opened;
        undo.push(opened::close);
        backends = new Backends(vm, host, types, opened);
    }

    private void makeDevices() throws ConfigurationException {
        undo.push(devices::closeAll);
        for (DeviceSpec spec : DeviceManager.plan(plan().devices, configuration.devices())) {
            devices.attach(spec);
        }
        for (DeviceSpec spec : configuration.extensions()) {
            devices.extend(spec);
        }
        enterExtensions();
    }

    /** The host has no memory for what the guest's needs: this VM has failed. */
    void refused(HostRefusal e) {
        vm.fail("the host refuses what the guest's memory needs: " + e.getMessage(), e);
    }

    /** Has the vcores call the extensions that there are now. */
    void enterExtensions() {
        vcores.forEach(vcore -> vcore.extensions(devices.extensions()));
    }

    // The end

    /**
     * Ends the threads, then gives everything back; a second call goes on where the first stopped.
     *
     * @return false if a thread or a plugin's call is still out, which may touch what is left
     */
    boolean release(long limitNanos) {
        if (barrier != null) {
            barrier.end();
            if (!joinThreads(limitNanos)) {
                LOG.error("VM {}: a vcore does not end; its memory stays in use", vm.name());
                return false;
            }
        }
        while (!undo.isEmpty()) {
            if (vm.calls().isOut()) {
                LOG.error(
                        "VM {}: a plugin's call has not come back; its memory stays in use",
                        vm.name());
                return false;
            }
            try {
                undo.pop().run();
            } catch (RuntimeException e) {
                LOG.error("VM {}: a part could not be given back", vm.name(), e);
            }
        }
        return true;
    }

    boolean joinThreads(long limitNanos) {
        boolean all = true;
        for (VcoreThread thread : threads) {
            all &= thread.isCurrent() || thread.join(limitNanos);
        }
        return all;
    }

    /** A line for each vcore if there are several, after a line's end; when their threads ended. */
    String overview() {
        return vcores.size() == 1
                ? ""
                : vcores.stream()
                        .map(VcoreImpl::summary)
                        .collect(Collectors.joining("\n", "\n", "\n"));
    }

    boolean threadsDone() {
        return joinThreads(1);
    }

    /** At the end, which must come even if the host's console fails. */
    void flush() {
        ConsoleTap open = console;
        if (open != null) {
            try {
                open.flush();
            } catch (RuntimeException e) {
                LOG.warn("VM {}: the end of the console's output may be lost: {}", vm.name(), e);
            }
        }
    }

    // Threads

    void move(int vcore, int cpu) throws HostRefusal {
        if (threads.size() < vcores.size()) {
            throw new HostRefusal(
                    "VM "
                            + vm.name()
                            + " runs all vcores on one thread (clock: instructions); a single one"
                            + " can't be moved");
        }
        threads.get(vcore).move(cpu);
    }

    /** Whose turn it is on the clock of instructions; empty on the host's. While all stands. */
    long[] turn() {
        return threads.getFirst() instanceof InstructionThread all ? all.save() : new long[0];
    }

    /** Goes on within a turn; nothing if it was saved or goes on with the host's clock. */
    void turn(long[] saved) {
        if (saved.length != 0 && threads.getFirst() instanceof InstructionThread all) {
            all.restore(saved);
        }
    }

    /** Where a vcore was put, or ANY_CPU. */
    int placeOf(int vcore) {
        return threads.get(Math.min(vcore, threads.size() - 1)).cpu();
    }

    List<VcoreThread> threads() {
        return threads;
    }

    boolean isVcoreThread() {
        for (VcoreThread thread : threads) {
            if (thread.isCurrent()) {
                return true;
            }
        }
        return false;
    }

    void kickAll() {
        threads.forEach(VcoreThread::kick);
    }

    /** Makes the thread that delivers events look at them. */
    void kickBoot() {
        if (!threads.isEmpty() && !threads.getFirst().isCurrent()) {
            threads.getFirst().kick();
        }
    }

    private void timerDue(int vcore) {
        if (threads.get(vcore) instanceof HostVcoreThread thread) {
            thread.timersDue();
        }
    }

    long idleNanos() {
        return threads.stream().mapToLong(VcoreThread::idleNanos).sum();
    }

    // Parts

    static <T> T there(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("the VM is not built that far yet");
        }
        return part;
    }

    private Plan plan() {
        return there(plan);
    }

    Engines engines() {
        return engines;
    }

    VmClock clock() {
        return there(clock);
    }

    EventQueue events() {
        return there(events);
    }

    Barrier barrier() {
        return there(barrier);
    }

    Backends backends() {
        return there(backends);
    }

    /** Lets go of handlers that were hooked once. While the vcores stand. */
    void forgetHooks() {
        vcores.forEach(VcoreImpl::forgetHooks);
    }

    ConsoleTap console() {
        return there(console);
    }

    /** Engine, paging mode, devices, extensions. */
    List<PartInfo> parts() {
        List<PartInfo> out = new ArrayList<>(engines.parts());
        out.addAll(devices.parts());
        return out;
    }

    /** The part whose classes are nearest to the point of a failure, for messages; else empty. */
    String culprit(Throwable failure) {
        for (StackTraceElement frame : failure.getStackTrace()) {
            String device = devices.culprit(frame);
            String found = device.isEmpty() ? engines.culprit(frame) : device;
            if (!found.isEmpty()) {
                return found;
            }
        }
        return "";
    }

    DeviceManager devices() {
        return devices;
    }

    List<VcoreImpl> vcores() {
        return vcores;
    }

    GuestPhysicalMap map() {
        return map;
    }

    AccessTracker access() {
        return access;
    }

    Pages pages() {
        return pages;
    }

    GuestMemory memory() {
        return memory;
    }

    HookMaps hooks() {
        return hooks;
    }

    InterruptRouter router() {
        return router;
    }

    Roles roles() {
        return roles;
    }

    List<MemoryRange> memoryMap() {
        return memoryMap;
    }

    Architecture architecture() {
        return engines.engine().architecture();
    }

    String engineName() {
        return engines.engineType().name();
    }

    String owner() {
        return owner;
    }
}

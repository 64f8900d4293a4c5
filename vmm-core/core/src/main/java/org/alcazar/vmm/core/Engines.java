package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Scope;
import org.alcazar.machine.VirtualCore;
import org.alcazar.vmm.PagingAction;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A VM's engine and paging mode: made, tried, and exchanged for others. Calls into them are given
 * up like those into devices; one at work that does not come back fails the VM.
 */
final class Engines {
    private static final Logger LOG = LoggerFactory.getLogger(Engines.class);

    private final Vm vm;
    private final PluginTypes types;
    private final GuestPhysicalMap map;
    private final HostMemory memory;
    private final String owner;

    /** The machine's own: it grows while that is built. */
    private final List<VcoreImpl> vcores;

    private Map<String, Object> keys = Map.of();
    private Map<String, Object> pagingKeys = Map.of();
    private @Nullable EngineType engineType;
    private @Nullable Engine engine;
    private @Nullable PagingModeType pagingType;
    private @Nullable PagingMode paging;

    Engines(
            Vm vm,
            PluginTypes types,
            GuestPhysicalMap map,
            HostMemory memory,
            String owner,
            List<VcoreImpl> vcores) {
        this.vm = vm;
        this.types = types;
        this.map = map;
        this.memory = memory;
        this.owner = owner;
        this.vcores = vcores;
    }

    // Building

    /** Says which type it will be, so that the platform is known to fit. */
    void choose(EngineType type) {
        engineType = type;
    }

    /**
     * @param settings keys of the engine's schema
     */
    void makeEngine(Map<String, Object> settings) throws HostRefusal, ConfigurationException {
        keys = settings;
        engine = create(engineType());
    }

    /**
     * @param settings keys of the type's schema
     */
    void makePaging(PagingModeType type, Map<String, Object> settings)
            throws HostRefusal, ConfigurationException {
        paging = create(type, settings, engine());
        pagingType = type;
        pagingKeys = settings;
    }

    /** Sets translation and root in blocks that are no vcores' yet. */
    void enterPaging(List<ControlBlock> blocks) throws HostRefusal, ConfigurationException {
        for (int i = 0; i < blocks.size(); i++) {
            int core = i;
            run("entry of " + title(pagingType()), () -> enter(paging(), core, blocks.get(core)));
        }
    }

    VirtualCore newCore(int index, ControlBlock block) throws HostRefusal, ConfigurationException {
        return newCore(engineType(), engine(), index, block);
    }

    private VirtualCore newCore(EngineType type, Engine by, int index, ControlBlock block)
            throws HostRefusal, ConfigurationException {
        return vm.calls()
                .call(
                        "creation of core " + index + " of " + title(type),
                        () -> by.newCore(index, block));
    }

    private Engine create(EngineType type) throws HostRefusal, ConfigurationException {
        String what = "engine " + type.name();
        Schema schema = vm.calls().schema(title(type), type);
        Map<String, Object> own = new LinkedHashMap<>(keys);
        if (!type.name().equals(engineType().name())) {
            // In place of another: what only that one knows is not for this one.
            List<String> known = schema.keys().stream().map(Key::name).toList();
            own.keySet().retainAll(known);
        }
        Settings settings = Settings.check(what, schema, own);
        Map<String, String> options = new LinkedHashMap<>();
        settings.values().forEach((key, value) -> options.put(key, String.valueOf(value)));
        return vm.calls()
                .call("creation of " + title(type), () -> type.create(new PhysicalBus(), options));
    }

    private static void enter(PagingMode mode, int core, ControlBlock block) {
        block.instructions = mode.intercepts();
        mode.enter(core, block);
    }

    private PagingMode create(PagingModeType type, Map<String, Object> settings, Engine by)
            throws HostRefusal, ConfigurationException {
        if (type.wantsOnePiece() && !isOnePiece()) {
            throw new ConfigurationException(
                    "paging %s needs the memory of VM %s in one piece of the host's, which only a VM"
                                    .formatted(type.name(), vm.name())
                            + " that starts with it is sure to have");
        }
        Schema schema = vm.calls().schema(title(type), type);
        Settings checked = Settings.check("paging " + type.name(), schema, settings);
        Context context = new Context(map, memory, owner, by, vm.configuration().cpus());
        return vm.calls().call("creation of " + title(type), () -> type.create(context, checked));
    }

    private boolean isOnePiece() {
        long next = -1;
        long guest = 0;
        for (GuestPhysicalMap.Range range : map.ranges()) {
            if (range.ram() && range.paged()) {
                return false;
            }
            if (range.ram()) {
                long hole = MachineRam.hole(guest, range.start());
                if (next >= 0 && range.host() != next + hole) {
                    return false;
                }
                next = range.host() + range.bytes();
                guest = range.end();
            }
        }
        return true;
    }

    private record Context(
            GuestPhysicalMap map, HostMemory memory, String owner, Engine engine, int cores)
            implements PagingModeType.PagingContext {}

    /** The keys of the engine's type. */
    Schema schema() throws HostRefusal, ConfigurationException {
        return vm.calls().schema(title(engineType()), engineType());
    }

    // At work

    /** Sets translation and root in all cores' blocks, after a reset. While all stand. */
    void enterPaging() throws HostRefusal, ConfigurationException {
        PagingMode with = paging();
        for (VcoreImpl vcore : vcores) {
            atWork(
                    "entry of " + title(pagingType()),
                    () -> enter(with, vcore.index(), vcore.block()));
        }
    }

    /** Cores as after power-on. While all stand. */
    void resetCores() throws HostRefusal, ConfigurationException {
        for (VcoreImpl vcore : vcores) {
            atWork("reset of core " + vcore.index() + " of " + title(engineType()), vcore::reset);
        }
    }

    /** All that the cores hold, in the order of their numbers. While all stand. */
    List<SavedState> saveCores() throws HostRefusal, ConfigurationException {
        List<SavedState> out = new ArrayList<>();
        for (VcoreImpl vcore : vcores) {
            atWork(
                    "save of core " + vcore.index() + " of " + title(engineType()),
                    () -> out.add(Checkpoint.vcore(vcore)));
        }
        return out;
    }

    /** Restores one. While all stand. */
    void restoreCore(VcoreImpl vcore, SavedState state) throws HostRefusal, ConfigurationException {
        try {
            atWork(
                    "restore of core " + vcore.index() + " of " + title(engineType()),
                    () -> Checkpoint.restoreCore(vcore, state));
        } catch (PartFailure e) {
            if (e.getCause() instanceof IncompatibleStateException wrong) {
                throw wrong;
            }
            throw e;
        }
    }

    /** Has the cores' blocks hold all that the cores hold. While all stand. */
    void fetchCores() throws HostRefusal, ConfigurationException {
        for (VcoreImpl vcore : vcores) {
            atWork(
                    "state of core " + vcore.index() + " of " + title(engineType()),
                    () -> vcore.fetch(vcore.block().architecture().allGroups()));
        }
    }

    /** A call into what the VM can't do without: if it does not come back, the VM has failed. */
    private void atWork(String what, Runnable call) throws HostRefusal, ConfigurationException {
        try {
            run(what, call);
        } catch (PartFailure e) {
            vm.failIfOverdue(e);
            throw e;
        }
    }

    private void run(String what, Runnable call) throws HostRefusal, ConfigurationException {
        vm.calls()
                .call(
                        what,
                        () -> {
                            call.run();
                            return what;
                        });
    }

    // Exchange

    /** Makes an engine with its cores and throws it away: what is wrong with it shows now. */
    void tryOut(EngineType type) throws HostRefusal, ConfigurationException {
        Engine tried = create(type);
        List<VirtualCore> cores = new ArrayList<>();
        try {
            for (VcoreImpl vcore : vcores) {
                ControlBlock block = new ControlBlock(tried.architecture());
                cores.add(newCore(type, tried, vcore.index(), block));
            }
        } finally {
            dispose(type, tried, cores);
        }
    }

    /** As the other, with the settings that there are if the paging mode has the same name. */
    void exchange(EngineType toEngine, PagingModeType toPaging)
            throws HostRefusal, ConfigurationException {
        boolean named = toPaging.name().equals(pagingType().name());
        exchange(toEngine, toPaging, named ? pagingKeys : Map.of());
    }

    /**
     * Goes on with another engine, or another paging mode, or both. In the barrier. If this throws,
     * the old ones are at work as before, or the VM has failed.
     *
     * @param settings keys of the paging mode's schema
     */
    void exchange(EngineType toEngine, PagingModeType toPaging, Map<String, Object> settings)
            throws HostRefusal, ConfigurationException {
        Set old = new Set(engineType(), engine(), pagingType(), pagingKeys, paging(), cores());
        boolean same = toEngine == old.engineType;
        long now = vm.vmClock().nanos();
        List<SavedState> states = same ? List.of() : saveCores();
        Set gone = old;
        boolean done = false;
        try {
            Set fresh = same ? make(old, toPaging, settings) : make(toEngine, toPaging, settings);
            gone = fresh;
            tell(true, PagingAction.SWITCH, 0, 0);
            enter(fresh, states);
            gone = old;
            done = true;
            tell(false, PagingAction.SWITCH, 0, 0);
        } finally {
            if (!done) {
                // New cores have had the blocks that the old ones go on with.
                takeBack(old, states);
            }
            vm.vmClock().set(now);
            if (gone != old || done) {
                dispose(gone, same);
            }
        }
    }

    private void tell(boolean before, PagingAction action, long address, long detail) {
        for (PagingObserver observer : vm.hooks().paging) {
            if (before) {
                observer.before(action, PagingObserver.NO_CORE, address, detail);
            } else {
                observer.after(action, PagingObserver.NO_CORE, address, detail);
            }
        }
    }

    /** An engine, its cores and a paging mode that go together. */
    private record Set(
            EngineType engineType,
            Engine engine,
            PagingModeType pagingType,
            Map<String, Object> pagingKeys,
            PagingMode paging,
            List<VirtualCore> cores) {}

    private List<VirtualCore> cores() {
        return vcores.stream().map(VcoreImpl::core).toList();
    }

    /** Another paging mode for the engine that there is. */
    private Set make(Set old, PagingModeType type, Map<String, Object> settings)
            throws HostRefusal, ConfigurationException {
        PagingMode made = create(type, settings, old.engine);
        return new Set(old.engineType, old.engine, type, settings, made, old.cores);
    }

    private Set make(EngineType type, PagingModeType pagingMode, Map<String, Object> settings)
            throws HostRefusal, ConfigurationException {
        Engine made = create(type);
        List<VirtualCore> cores = new ArrayList<>();
        boolean whole = false;
        try {
            PagingMode with = create(pagingMode, settings, made);
            try {
                for (VcoreImpl vcore : vcores) {
                    cores.add(newCore(type, made, vcore.index(), vcore.block()));
                }
                whole = true;
                return new Set(type, made, pagingMode, settings, with, cores);
            } finally {
                if (!whole) {
                    close(title(pagingMode), with::close);
                }
            }
        } finally {
            if (!whole) {
                dispose(type, made, cores);
            }
        }
    }

    private void enter(Set with, List<SavedState> states)
            throws HostRefusal, ConfigurationException {
        engineType = with.engineType;
        engine = with.engine;
        pagingType = with.pagingType;
        pagingKeys = with.pagingKeys;
        paging = with.paging;
        vcores.forEach(vcore -> vcore.core(with.cores.get(vcore.index())));
        vcores.forEach(vcore -> vcore.paging(with.paging));
        enterPaging();
        for (int i = 0; i < states.size(); i++) {
            restoreCore(vcores.get(i), states.get(i));
        }
        atWork(
                "invalidation by " + title(engineType()),
                () -> with.engine.invalidate(Scope.ALL, 0, 0));
    }

    /** What can't be taken back fails the VM, and hides no reason. */
    private void takeBack(Set old, List<SavedState> states) {
        try {
            enter(old, states);
        } catch (HostRefusal | ConfigurationException | RuntimeException e) {
            vm.fail(title(old.engineType) + " can't go on: " + e.getMessage(), e);
        }
    }

    /**
     * @param pagingAlone whether engine and cores are the ones at work
     */
    private void dispose(Set gone, boolean pagingAlone) {
        if (!pagingAlone) {
            gone.cores.forEach(core -> close("core of " + title(gone.engineType), core::close));
        }
        close(title(gone.pagingType), gone.paging::close);
        if (!pagingAlone) {
            close(title(gone.engineType), gone.engine::close);
        }
    }

    private void dispose(EngineType type, Engine gone, List<VirtualCore> cores) {
        cores.forEach(core -> close("core of " + title(type), core::close));
        close(title(type), gone::close);
    }

    /** It is not at work: what it throws at its end changes nothing any more. */
    private void close(String what, Runnable close) {
        try {
            run("end of " + what, close);
        } catch (HostRefusal | ConfigurationException | PartFailure e) {
            LOG.warn("VM {}: {} failed to close", vm.name(), what, e);
        }
    }

    // The end

    void closeEngine() {
        close(title(engineType()), engine()::close);
    }

    void closePaging() {
        close(title(pagingType()), paging()::close);
    }

    void closeCore(VcoreImpl vcore) {
        close("core of " + title(engineType()), vcore::close);
    }

    /** The map says something else of these pages, or less. Any thread. */
    void changed(long start, long bytes) {
        PagingMode mode = paging;
        if (mode != null) {
            tell(true, PagingAction.CHANGE, start, bytes);
            mode.changed(start, bytes);
            tell(false, PagingAction.CHANGE, start, bytes);
        }
    }

    /** Which pages the guest has used since the last time. In the barrier. */
    void drainAccessed(PagingModeType.AccessSink sink) {
        PagingMode mode = paging;
        if (mode != null) {
            mode.drainAccessed(sink);
        }
    }

    /**
     * @param what would be done with guest memory
     * @throws HostRefusal if the paging mode needs that where it is
     */
    void refuseInPlace(String what) throws HostRefusal {
        if (pagingType().wantsOnePiece()) {
            throw new HostRefusal(
                    "VM %s: its memory can't %s, for paging mode %s needs it in one piece; `vm:paging` can change that"
                            .formatted(vm.name(), what, pagingType().name()));
        }
    }

    // What there is

    private String title(EngineType type) {
        return types.title("engine " + type.name(), type);
    }

    private String title(PagingModeType type) {
        return types.title("paging mode " + type.name(), type);
    }

    /** Engine or paging mode, if its classes are nearest to the point of a failure; else empty. */
    String culprit(StackTraceElement frame) {
        if (engine != null && isOf(frame, engine)) {
            return title(engineType());
        }
        return paging != null && isOf(frame, paging) ? title(pagingType()) : "";
    }

    private static boolean isOf(StackTraceElement frame, Object instance) {
        return frame.getClassName().startsWith(instance.getClass().getPackageName() + ".");
    }

    List<PartInfo> parts() {
        return List.of(
                part("engine", engineType(), engine()), part("paging", pagingType(), paging()));
    }

    private PartInfo part(String kind, PluginType type, Object instance) {
        return new PartInfo(
                kind, kind, type.name(), instance.getClass().getName(), types.source(type).rank());
    }

    EngineType engineType() {
        return Machine.there(engineType);
    }

    Engine engine() {
        return Machine.there(engine);
    }

    PagingModeType pagingType() {
        return Machine.there(pagingType);
    }

    /** Keys of the paging mode's schema that were given. */
    Map<String, Object> pagingSettings() {
        return pagingKeys;
    }

    PagingMode paging() {
        return Machine.there(paging);
    }
}

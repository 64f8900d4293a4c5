package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.core.PluginTypes.Source;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.Handover;
import org.alcazar.vmm.device.Part;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.ExtensionType.Extension;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.Spelling;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Devices and extensions of one VM, in the order of their creation. Changes happen in the pause
 * barrier.
 */
final class DeviceManager {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceManager.class);

    /**
     * A part of the machine.
     *
     * @param kind {@code device} or {@code extension}
     * @param source where the type comes from
     */
    private record Entry<P extends Part>(
            String kind,
            DeviceSpec spec,
            PluginType type,
            Source source,
            P part,
            DeviceContextImpl context) {
        String name() {
            return spec.name();
        }

        PartInfo info() {
            return new PartInfo(
                    kind, name(), spec.type(), part.getClass().getName(), source.rank());
        }

        String title() {
            return kind + " " + name() + " (" + part.getClass().getName() + source.from() + ")";
        }
    }

    private static final String DEVICE = "device", EXTENSION = "extension";

    private final Vm vm;
    private final PluginTypes types;
    private final List<Entry<Device>> devices = new CopyOnWriteArrayList<>();
    private final List<Entry<Extension>> extensions = new CopyOnWriteArrayList<>();
    private long orders;

    DeviceManager(Vm vm, PluginTypes types) {
        this.vm = vm;
        this.types = types;
    }

    /**
     * Standard devices with the configured ones: one of the same name replaces settings, others
     * follow.
     */
    static List<DeviceSpec> plan(List<DeviceSpec> standard, List<DeviceSpec> configured) {
        Map<String, DeviceSpec> out = new LinkedHashMap<>();
        standard.forEach(spec -> out.put(spec.name(), spec));
        for (DeviceSpec spec : configured) {
            DeviceSpec before = out.get(spec.name());
            if (before != null && before.type().equals(spec.type())) {
                Map<String, Object> settings = new LinkedHashMap<>(before.settings());
                settings.putAll(spec.settings());
                out.put(spec.name(), new DeviceSpec(spec.type(), spec.name(), settings));
            } else {
                out.put(spec.name(), spec);
            }
        }
        return List.copyOf(out.values());
    }

    /** Makes a device; if that fails, nothing of it is left. */
    void attach(DeviceSpec spec) throws ConfigurationException {
        if (devices.stream().anyMatch(d -> d.name().equals(spec.name()))) {
            throw new ConfigurationException("device " + spec.name() + " is there twice");
        }
        DeviceType type = types.require(DeviceType.class, "device", spec.type());
        devices.add(make(DEVICE, spec, type, context(spec), DeviceType::create));
        LOG.debug("device {} ({}) attached", spec.name(), spec.type());
    }

    void extend(DeviceSpec spec) throws ConfigurationException {
        ExtensionType type = types.require(ExtensionType.class, "extension", spec.type());
        extensions.add(make(EXTENSION, spec, type, context(spec), ExtensionType::create));
    }

    private DeviceContextImpl context(DeviceSpec spec) {
        return DeviceContextImpl.working(vm, spec.name(), orders++);
    }

    private interface Maker<T, P> {
        P make(T type, DeviceContextImpl context, Settings settings) throws ConfigurationException;
    }

    private <T extends PluginType, P extends Part> Entry<P> make(
            String kind, DeviceSpec spec, T type, DeviceContextImpl context, Maker<T, P> maker)
            throws ConfigurationException {
        boolean made = false;
        try {
            String what = kind + " " + spec.name();
            String title = types.title(what, type);
            Schema schema = call("configuration of " + title, type::configuration);
            Settings settings = Settings.check(what, schema, spec.settings());
            Source source = types.source(type);
            P part = call("making " + title, () -> maker.make(type, context, settings));
            made = true;
            return new Entry<>(kind, spec, type, source, part, context);
        } finally {
            if (!made) {
                context.close();
            }
        }
    }

    /** Adds a device to a machine that has been built, as after power-on. In the barrier. */
    void plug(DeviceSpec spec) throws ConfigurationException {
        attach(spec);
        Entry<Device> entry = devices.getLast();
        boolean done = false;
        try {
            reset(entry);
            done = true;
        } finally {
            if (!done) {
                remove(entry);
            }
        }
    }

    /** Takes a device out. In the barrier. */
    void unplug(String name) throws ConfigurationException {
        Entry<Device> entry =
                devices.stream()
                        .filter(d -> d.name().equals(name))
                        .findFirst()
                        .orElseThrow(() -> unknown("device", name, names()));
        List<String> dependents = vm.roles().dependents(name);
        if (!dependents.isEmpty()) {
            throw new ConfigurationException(
                    "device " + name + " is needed by " + String.join(", ", dependents));
        }
        remove(entry);
    }

    private void remove(Entry<Device> entry) {
        devices.remove(entry);
        close(entry);
        vm.machine().forgetHooks();
    }

    private ConfigurationException unknown(String what, String name, List<String> there) {
        return new ConfigurationException(
                "VM "
                        + vm.name()
                        + " has no "
                        + what
                        + " '"
                        + name
                        + "'"
                        + Spelling.suggest(name, there));
    }

    /** What a checkpoint would have of a part. In the barrier. */
    SavedState state(String name) throws ConfigurationException {
        List<Entry<?>> all = all();
        Entry<?> entry =
                all.stream()
                        .filter(e -> e.name().equals(name))
                        .findFirst()
                        .orElseThrow(() ->
                                unknown(
                                        "device or extension",
                                        name,
                                        all.stream().map(Entry::name).toList()));
        return save(entry);
    }

    private List<Entry<?>> all() {
        return Stream.<Entry<?>>concat(devices.stream(), extensions.stream()).toList();
    }

    List<PartInfo> parts() {
        return all().stream().map(Entry::info).toList();
    }

    Extension[] extensions() {
        return extensions.stream().map(Entry::part).toArray(Extension[]::new);
    }

    Optional<Device> device(String name) {
        return devices.stream().filter(d -> d.name().equals(name)).map(Entry::part).findFirst();
    }

    // Hot-swap

    /** A part and the one that is to take its place. */
    private record Successor<P extends Part>(Entry<P> old, Entry<P> fresh) {}

    /** Parts of a new version of a bundle that wait to be exchanged for the old ones. */
    final class Trial {
        /** The new parts are in the place of the old ones. */
        private boolean committed;

        /** What old parts have given to new ones, and what of it is left. */
        private final Map<Successor<?>, Handover> handovers = new LinkedHashMap<>();

        private final List<Successor<Device>> newDevices = new ArrayList<>();
        private final List<Successor<Extension>> newExtensions = new ArrayList<>();

        private List<Successor<?>> all() {
            return Stream.<Successor<?>>concat(newDevices.stream(), newExtensions.stream())
                    .toList();
        }

        boolean isEmpty() {
            return all().isEmpty();
        }

        List<String> names() {
            return all().stream().map(s -> s.old.name()).toList();
        }

        /** Restores the states that the old parts have had; changes the new ones alone. */
        void restore(Map<String, SavedState> states) throws ConfigurationException {
            for (Successor<?> successor : all()) {
                SavedState state =
                        states.getOrDefault(key(successor.old), new SavedState("none", 1));
                DeviceManager.this.restore(successor.fresh, state);
            }
        }

        /**
         * Exchanges the parts with their present states. In the barrier, which is held until {@link
         * #finish} or {@link #revert}. If this throws, the old ones are at work as before.
         */
        void commit() throws ConfigurationException {
            Map<String, SavedState> states = new LinkedHashMap<>();
            for (Successor<?> successor : all()) {
                states.put(key(successor.old), save(successor.old));
            }
            quietly(() -> {
                boolean done = false;
                try {
                    all().reversed().forEach(s -> s.old.context.giveBack());
                    exchange(states);
                    done = true;
                } finally {
                    if (!done) {
                        takeBack();
                    }
                }
            });
            all().forEach(s -> s.fresh.context.countsOf(s.old.context));
            newDevices.forEach(s -> replace(devices, s.old, s.fresh));
            newExtensions.forEach(s -> replace(extensions, s.old, s.fresh));
            vm.machine().enterExtensions();
            committed = true;
        }

        /** The old parts go: there is no way back. What they throw changes nothing any more. */
        void finish() {
            for (Successor<?> successor : all()) {
                try {
                    end(successor.old);
                } catch (RuntimeException | Error e) {
                    LOG.warn("the old {} did not end well", successor.old.title(), e);
                }
            }
            handovers.values().forEach(Handover::close);
        }

        /** Takes a commit back: the guest has not run since, so the old parts are as they were. */
        void revert() throws ConfigurationException {
            quietly(this::takeBack);
            newDevices.forEach(s -> replace(devices, s.fresh, s.old));
            newExtensions.forEach(s -> replace(extensions, s.fresh, s.old));
            vm.machine().enterExtensions();
            committed = false;
        }

        /** Wires that change hands tell the controllers what has become of them, and no more. */
        private void quietly(Change change) throws ConfigurationException {
            InterruptRouter router = vm.router();
            router.quiet(true);
            Map<Integer, Boolean> levels = router.levels();
            try {
                change.run();
            } finally {
                router.quiet(false);
                router.tellChanges(levels);
                vm.machine().forgetHooks();
            }
        }

        private void exchange(Map<String, SavedState> states) throws ConfigurationException {
            for (Successor<?> successor : all()) {
                successor.fresh.context.takeFirst();
            }
            for (Successor<?> successor : all()) {
                Handover handover = new Handover();
                handovers.put(successor, handover);
                hand(successor.old, successor.fresh, handover);
            }
            restore(states);
            for (Successor<?> successor : all()) {
                connect(successor.fresh);
            }
        }

        private void connect(Entry<?> entry) throws ConfigurationException {
            call(
                    "connections of " + entry.title(),
                    () -> {
                        entry.context.takeLast();
                        return entry;
                    });
        }

        private void hand(Entry<?> from, Entry<?> to, Handover handover)
                throws ConfigurationException {
            run("handover of " + from.title(), () -> from.part.handOver(handover));
            run("takeover of " + to.title(), () -> to.part.takeOver(handover));
        }

        private void takeBack() {
            for (Successor<?> successor : all().reversed()) {
                successor.fresh.context.giveBack();
            }
            handovers.forEach((successor, handover) -> {
                try (handover) {
                    hand(successor.fresh, successor.old, handover);
                } catch (ConfigurationException | PartFailure e) {
                    LOG.warn("{}", e.getMessage(), e);
                }
            });
            handovers.clear();
            for (Successor<?> successor : all()) {
                try {
                    successor.old.context.takeFirst();
                } catch (ConfigurationException e) {
                    vm.fail(successor.old.title() + " can't go on: " + e.getMessage(), e);
                }
            }
            for (Successor<?> successor : all()) {
                try {
                    connect(successor.old);
                } catch (ConfigurationException | PartFailure e) {
                    vm.fail(successor.old.title() + " can't go on: " + e.getMessage(), e);
                }
            }
        }

        private static <P extends Part> void replace(
                List<Entry<P>> entries, Entry<P> gone, Entry<P> come) {
            entries.set(entries.indexOf(gone), come);
        }

        /** Drops the new parts, unless they are at work. */
        void drop() {
            if (!committed) {
                all().reversed().forEach(s -> end(s.fresh));
            }
        }

        private void end(Entry<?> entry) {
            closePart(entry);
            entry.context.dispose();
        }
    }

    private interface Change {
        void run() throws ConfigurationException;
    }

    /** Finds the type that takes the place of another one. */
    interface Succession {
        /** Whether parts of this type are to be exchanged. */
        boolean ends(PluginType type);

        /** The type whose parts take over. */
        <T extends PluginType> T successor(Class<T> family, String word, String name)
                throws ConfigurationException;
    }

    /** Makes a successor for each part whose type has one; none of them is at work. */
    Trial prepare(Succession succession) throws ConfigurationException {
        Trial trial = new Trial();
        boolean made = false;
        try {
            for (Entry<Device> entry : devices) {
                if (succession.ends(entry.type)) {
                    DeviceType type =
                            succession.successor(DeviceType.class, DEVICE, entry.spec.type());
                    trial.newDevices.add(successor(entry, type, DeviceType::create));
                }
            }
            for (Entry<Extension> entry : extensions) {
                if (succession.ends(entry.type)) {
                    ExtensionType type =
                            succession.successor(ExtensionType.class, EXTENSION, entry.spec.type());
                    trial.newExtensions.add(successor(entry, type, ExtensionType::create));
                }
            }
            made = true;
            return trial;
        } finally {
            if (!made) {
                trial.drop();
            }
        }
    }

    private <T extends PluginType, P extends Part> Successor<P> successor(
            Entry<P> old, T type, Maker<T, P> maker) throws ConfigurationException {
        return new Successor<>(old, make(old.kind, old.spec, type, old.context.successor(), maker));
    }

    /** States of the parts that end, by {@link #key}. In the barrier. */
    Map<String, SavedState> states(Succession succession) {
        Map<String, SavedState> out = new LinkedHashMap<>();
        for (Entry<?> entry : all()) {
            if (succession.ends(entry.type)) {
                out.put(key(entry), save(entry));
            }
        }
        return out;
    }

    /** Names of the parts that are of one of some types. */
    List<String> partsOf(Predicate<PluginType> asked) {
        return all().stream().filter(e -> asked.test(e.type)).map(Entry::name).toList();
    }

    /** Takes the devices of some types out, where no others need them. In the barrier. */
    List<String> unplug(Predicate<PluginType> asked) throws ConfigurationException {
        List<String> gone = new ArrayList<>();
        for (Entry<Device> entry : devices.reversed()) {
            if (asked.test(entry.type)) {
                unplug(entry.name());
                gone.add(entry.name());
            }
        }
        return gone;
    }

    private static String key(Entry<?> entry) {
        return entry.kind + "/" + entry.name();
    }

    List<BackendPort<?>> ports() {
        return all().stream().flatMap(entry -> entry.context.ports().stream()).toList();
    }

    // Life

    /** Calls into a part. */
    private <T> T call(String what, PluginCalls.Call<T> call) throws ConfigurationException {
        try {
            return vm.calls().call(what, call);
        } catch (HostRefusal e) {
            throw new ConfigurationException(what + ": " + e.getMessage(), e);
        }
    }

    /** The same for what neither returns nor refuses anything. */
    private void run(String what, Runnable call) {
        try {
            call(
                    what,
                    () -> {
                        call.run();
                        return this;
                    });
        } catch (ConfigurationException e) {
            throw new PartFailure(what, e);
        }
    }

    private void reset(Entry<Device> entry) {
        String what = "reset of " + entry.title();
        try {
            run(what, entry.part::reset);
        } catch (PartFailure e) {
            vm.failIfOverdue(e);
            throw e;
        }
    }

    void reset() {
        devices.forEach(this::reset);
    }

    /** States by name, in the order of creation. */
    Map<String, SavedState> saveDevices() {
        return save(devices);
    }

    Map<String, SavedState> saveExtensions() {
        return save(extensions);
    }

    void restoreDevices(Map<String, SavedState> states) throws ConfigurationException {
        restore("device", devices, states);
    }

    void restoreExtensions(Map<String, SavedState> states) throws ConfigurationException {
        restore("extension", extensions, states);
    }

    private Map<String, SavedState> save(List<? extends Entry<?>> entries) {
        Map<String, SavedState> out = new LinkedHashMap<>();
        entries.forEach(entry -> out.put(entry.name(), save(entry)));
        return out;
    }

    private SavedState save(Entry<?> entry) {
        String what = "save of " + entry.title();
        try {
            return call(what, entry.part::save);
        } catch (ConfigurationException e) {
            throw new PartFailure(what, e);
        } catch (PartFailure e) {
            vm.failIfOverdue(e);
            throw e;
        }
    }

    private void restore(Entry<?> entry, SavedState state) throws ConfigurationException {
        try {
            run("restore of " + entry.title(), () -> entry.part.restore(entry.type.migrate(state)));
        } catch (PartFailure e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ConfigurationException(
                    entry.title() + " can't be restored: " + cause.getMessage(), e);
        }
    }

    private void restore(
            String word, List<? extends Entry<?>> entries, Map<String, SavedState> states)
            throws ConfigurationException {
        List<String> unused = new ArrayList<>(states.keySet());
        for (Entry<?> entry : entries) {
            SavedState state = states.get(entry.name());
            unused.remove(entry.name());
            if (state == null) {
                throw new ConfigurationException(
                        "the saved VM has no " + word + " '" + entry.name() + "'");
            }
            restore(entry, state);
        }
        if (!unused.isEmpty()) {
            throw new ConfigurationException(
                    "the saved VM has a "
                            + word
                            + " '"
                            + unused.getFirst()
                            + "' that this configuration lacks");
        }
    }

    /** The devices in the form that a configuration has them in. */
    List<Map<String, Object>> specs() {
        List<Map<String, Object>> out = new ArrayList<>();
        for (Entry<Device> entry : devices) {
            Map<String, Object> spec = new TreeMap<>(entry.spec.settings());
            spec.put("type", entry.spec.type());
            spec.put("name", entry.name());
            out.add(spec);
        }
        return out;
    }

    /** Counters as {@code device.name}. */
    Map<String, Object> counters() {
        Map<String, Object> out = new LinkedHashMap<>();
        for (Entry<?> entry : all()) {
            entry.context
                    .counters()
                    .forEach(
                            (name, counter) -> out.put(entry.name() + "." + name, counter.value()));
        }
        return out;
    }

    /** Names of devices in the order of creation. */
    List<String> names() {
        return devices.stream().map(Entry::name).toList();
    }

    /** The part of whose classes a frame is, for messages; else empty. */
    String culprit(StackTraceElement frame) {
        for (Entry<?> entry : all()) {
            if (frame.getClassName().startsWith(entry.part.getClass().getPackageName() + ".")) {
                return entry.title();
            }
        }
        return "";
    }

    void closeAll() {
        extensions.reversed().forEach(this::close);
        extensions.clear();
        devices.reversed().forEach(this::close);
        devices.clear();
    }

    private void close(Entry<?> entry) {
        closePart(entry);
        entry.context.close();
    }

    private void closePart(Entry<?> entry) {
        try {
            run("end of " + entry.title(), entry.part::close);
        } catch (PartFailure e) {
            LOG.warn("{} failed to close", entry.title(), e);
        }
    }
}

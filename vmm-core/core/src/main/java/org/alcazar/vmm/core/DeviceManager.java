package org.alcazar.vmm.core;

import org.alcazar.machine.SavedState;
import org.alcazar.machine.Stateful;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.ExtensionType.Extension;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.Spelling;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Devices and extensions of one VM, in the order of their creation. Changes happen in the pause
 * barrier.
 */
final class DeviceManager {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceManager.class);

    /** A part of the machine at work. */
    private record Part<P extends Stateful>(
            String name,
            String type,
            P part,
            DeviceContextImpl context,
            Runnable closer,
            long bundle) {
        PartInfo info(String kind) {
            return new PartInfo(kind, name, type, part.getClass().getName(), bundle);
        }
    }

    private final Vm vm;
    private final PluginTypes types;
    private final List<Part<Device>> devices = new CopyOnWriteArrayList<>();
    private final List<Part<Extension>> extensions = new CopyOnWriteArrayList<>();

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
        if (devices.stream().anyMatch(d -> d.name.equals(spec.name()))) {
            throw new ConfigurationException("device " + spec.name() + " is there twice");
        }
        DeviceType type = types.require(DeviceType.class, "device", spec.type());
        Settings settings = settings("device", spec, type);
        DeviceContextImpl context = new DeviceContextImpl(vm, spec.name());
        devices.add(
                create(
                        "device",
                        types.rank(type),
                        spec,
                        context,
                        () -> type.create(context, settings),
                        Device::close));
        LOG.debug("device {} ({}) attached", spec.name(), spec.type());
    }

    void extend(DeviceSpec spec) throws ConfigurationException {
        ExtensionType type = types.require(ExtensionType.class, "extension", spec.type());
        Settings settings = settings("extension", spec, type);
        DeviceContextImpl context = new DeviceContextImpl(vm, spec.name());
        extensions.add(
                create(
                        "extension",
                        types.rank(type),
                        spec,
                        context,
                        () -> type.create(context, settings),
                        Extension::close));
    }

    private static Settings settings(String word, DeviceSpec spec, PluginType type)
            throws ConfigurationException {
        return Settings.check(word + " " + spec.name(), type.configuration(), spec.settings());
    }

    private interface Maker<P> {
        P make() throws ConfigurationException;
    }

    private static <P extends Stateful> Part<P> create(
            String word,
            long bundle,
            DeviceSpec spec,
            DeviceContextImpl context,
            Maker<P> maker,
            Consumer<P> closer)
            throws ConfigurationException {
        boolean made = false;
        try {
            P part = maker.make();
            made = true;
            return new Part<>(
                    spec.name(), spec.type(), part, context, () -> closer.accept(part), bundle);
        } catch (RuntimeException e) {
            throw new PartFailure(word + " " + spec.name() + " could not be made", e);
        } finally {
            if (!made) {
                context.close();
            }
        }
    }

    /** Takes a device out. @return whether there was one */
    boolean detach(String name) {
        for (Part<Device> part : devices) {
            if (part.name.equals(name)) {
                devices.remove(part);
                close(part);
                return true;
            }
        }
        return false;
    }

    /** Adds a device to a machine that has been built, as after power-on. */
    void plug(DeviceSpec spec) throws ConfigurationException {
        attach(spec);
        try {
            devices.getLast().part.reset();
        } catch (RuntimeException e) {
            detach(spec.name());
            throw new PartFailure("reset of device " + spec.name(), e);
        }
    }

    void unplug(String name) throws ConfigurationException {
        if (!detach(name)) {
            throw new ConfigurationException(
                    "VM "
                            + vm.name()
                            + " has no device '"
                            + name
                            + "'"
                            + Spelling.suggest(name, names()));
        }
    }

    /** What a checkpoint would have of a part. */
    SavedState state(String name) throws ConfigurationException {
        for (Part<?> part : all()) {
            if (part.name.equals(name)) {
                try {
                    return part.part.save();
                } catch (RuntimeException e) {
                    throw new PartFailure("save of " + title(part), e);
                }
            }
        }
        throw new ConfigurationException(
                "VM "
                        + vm.name()
                        + " has no device or extension '"
                        + name
                        + "'"
                        + Spelling.suggest(name, all().stream().map(Part::name).toList()));
    }

    private List<Part<?>> all() {
        return Stream.<Part<?>>concat(devices.stream(), extensions.stream()).toList();
    }

    List<PartInfo> parts() {
        List<PartInfo> out = new ArrayList<>();
        devices.forEach(part -> out.add(part.info("device")));
        extensions.forEach(part -> out.add(part.info("extension")));
        return out;
    }

    Extension[] extensions() {
        return extensions.stream().map(Part::part).toArray(Extension[]::new);
    }

    Optional<Device> device(String name) {
        return devices.stream().filter(d -> d.name.equals(name)).map(Part::part).findFirst();
    }

    void reset() {
        for (Part<Device> part : devices) {
            try {
                part.part.reset();
            } catch (RuntimeException e) {
                throw new PartFailure("reset of " + title(part), e);
            }
        }
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

    private static <P extends Stateful> Map<String, SavedState> save(List<Part<P>> parts) {
        Map<String, SavedState> out = new LinkedHashMap<>();
        for (Part<P> part : parts) {
            try {
                out.put(part.name, part.part.save());
            } catch (RuntimeException e) {
                throw new PartFailure("save of " + title(part), e);
            }
        }
        return out;
    }

    private static <P extends Stateful> void restore(
            String word, List<Part<P>> parts, Map<String, SavedState> states)
            throws ConfigurationException {
        List<String> unused = new ArrayList<>(states.keySet());
        for (Part<P> part : parts) {
            SavedState state = states.get(part.name);
            unused.remove(part.name);
            if (state == null) {
                throw new ConfigurationException(
                        "the saved VM has no " + word + " '" + part.name + "'");
            }
            try {
                part.part.restore(state);
            } catch (RuntimeException e) {
                throw new ConfigurationException(
                        word + " " + part.name + " can't be restored: " + e.getMessage(), e);
            }
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

    /** Counters as {@code device.name}. */
    Map<String, Object> counters() {
        Map<String, Object> out = new LinkedHashMap<>();
        devices.forEach(d -> counters(d, out));
        extensions.forEach(e -> counters(e, out));
        return out;
    }

    private static void counters(Part<?> part, Map<String, Object> out) {
        part.context
                .counters()
                .forEach((name, counter) -> out.put(part.name + "." + name, counter.value()));
    }

    /** Names and types in the order of creation. */
    List<String> names() {
        return devices.stream().map(Part::name).toList();
    }

    /** The part whose classes are nearest to the point of a failure, for messages. */
    String culprit(Throwable failure) {
        for (StackTraceElement frame : failure.getStackTrace()) {
            for (Part<Device> part : devices) {
                if (samePackage(frame.getClassName(), part.part.getClass())) {
                    return title(part);
                }
            }
            for (Part<Extension> part : extensions) {
                if (samePackage(frame.getClassName(), part.part.getClass())) {
                    return title(part);
                }
            }
        }
        return "";
    }

    void closeAll() {
        for (int i = extensions.size() - 1; i >= 0; i--) {
            close(extensions.get(i));
        }
        extensions.clear();
        for (int i = devices.size() - 1; i >= 0; i--) {
            close(devices.get(i));
        }
        devices.clear();
    }

    private static void close(Part<?> part) {
        try {
            part.closer.run();
        } catch (RuntimeException e) {
            LOG.warn("{} failed to close", title(part), e);
        }
        part.context.close();
    }

    private static String title(Part<?> part) {
        return part.name + " (" + part.part.getClass().getName() + ")";
    }

    private static boolean samePackage(String frame, Class<?> part) {
        return frame.startsWith(part.getPackageName() + ".");
    }
}

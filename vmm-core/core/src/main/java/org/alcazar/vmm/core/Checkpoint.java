package org.alcazar.vmm.core;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Requests;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A VM in a file, or in a {@link CheckpointStore}: sections {@code machine} (configuration, clock,
 * memory layout), {@code lines}, {@code vcore/N}, {@code device/NAME}, {@code extension/NAME} and
 * any number of {@code ram}. The file is written atomically, and read once from end to end before
 * anything is done with it.
 */
final class Checkpoint {
    private static final int VERSION = 1;
    private static final int BUFFER = 1 << 16;
    private static final String MACHINE = "machine";
    private static final String LINES = "lines";
    private static final String VCORE = "vcore/";
    private static final String DEVICE = "device/";
    private static final String EXTENSION = "extension/";

    /** Requests that belong to the guest's machine and not to the VMM or the engine. */
    private static final int SAVED_REQUESTS =
            Requests.INTERRUPT | Requests.NMI | Requests.INIT | Requests.STARTUP;

    private final HostKernel host;
    private final PluginTypes types;
    private final PluginCalls calls;

    /**
     * @param calls those of the VM, or of the VMM as long as there is none
     */
    Checkpoint(HostKernel host, PluginTypes types, PluginCalls calls) {
        this.host = host;
        this.types = types;
        this.calls = calls;
    }

    /** The store of {@code TYPE:NAME} where there is such a type, else the host's files. */
    private Place place(String path) throws HostRefusal {
        int colon = path.indexOf(':');
        Optional<CheckpointStore> store =
                colon <= 0 || colon + 1 == path.length()
                        ? Optional.empty()
                        : types.find(CheckpointStore.class, path.substring(0, colon));
        if (store.isPresent()) {
            return new Stored(calls, host, store.get(), path.substring(colon + 1));
        }
        HostFiles files =
                host.find(HostFiles.class)
                        .orElseThrow(() ->
                                new HostRefusal(path + ": host " + host.name() + " has no files"));
        return new Filed(files, path);
    }

    /** Where a saved VM is kept. */
    private sealed interface Place {
        void read(Reader reader) throws IOException, HostRefusal, ConfigurationException;

        void write(HostFiles.Writer writer) throws IOException, HostRefusal, ConfigurationException;
    }

    private interface Reader {
        void from(InputStream in) throws IOException, HostRefusal, ConfigurationException;
    }

    private record Filed(HostFiles files, String path) implements Place {
        @Override
        public void read(Reader reader) throws IOException, HostRefusal, ConfigurationException {
            try (InputStream in = files.read(path)) {
                reader.from(in);
            }
        }

        @Override
        public void write(HostFiles.Writer writer) throws IOException {
            files.write(path, writer);
        }
    }

    /**
     * A store that throws what it may not, or does not get on, has failed, and no VM with it: what
     * is asked of it ends, and it gets and gives no more.
     */
    private record Stored(PluginCalls calls, HostKernel host, CheckpointStore store, String name)
            implements Place {
        @Override
        public void read(Reader reader) throws IOException, HostRefusal, ConfigurationException {
            limited(progress -> {
                try (InputStream in = progress.over(store.read(host, name))) {
                    reader.from(in);
                }
            });
        }

        @Override
        public void write(HostFiles.Writer writer)
                throws IOException, HostRefusal, ConfigurationException {
            limited(progress -> store.write(host, name, out -> writer.writeTo(progress.over(out))));
        }

        private void limited(Work work) throws IOException, HostRefusal, ConfigurationException {
            Progress progress = new Progress();
            try {
                Optional<IOException> failed =
                        calls.call("store " + store.name(), progress, () -> work.run(progress));
                if (failed.isPresent()) {
                    throw failed.get();
                }
            } catch (PartFailure e) {
                throw new IOException(
                        "store %s (%s) failed: %s"
                                .formatted(store.name(), store.getClass().getName(), e.getCause()),
                        e);
            } finally {
                progress.end();
            }
        }
    }

    /** What may fail as input and output do. */
    private interface Work {
        void with(Progress progress) throws IOException, HostRefusal, ConfigurationException;

        default Optional<IOException> run(Progress progress)
                throws HostRefusal, ConfigurationException {
            try {
                with(progress);
                return Optional.empty();
            } catch (IOException e) {
                return Optional.of(e);
            }
        }
    }

    /** Writes a VM that stands. */
    void save(Vm vm, String path) throws HostRefusal, ConfigurationException {
        Map<String, SavedState> states = states(vm);
        try {
            place(path)
                    .write(stream -> {
                        BufferedOutputStream out = new BufferedOutputStream(stream, BUFFER);
                        SectionWriter sections = new SectionWriter(out);
                        for (Map.Entry<String, SavedState> entry : states.entrySet()) {
                            byte[] bytes = StateCodec.encode(entry.getValue());
                            sections.write(entry.getKey(), VERSION, bytes, bytes.length);
                        }
                        RamSections.write(vm.physicalMap(), sections);
                        sections.finish();
                        out.flush();
                    });
        } catch (IOException e) {
            throw new HostRefusal(
                    "VM " + vm.name() + " can't be saved to " + path + ": " + GuestBoot.reason(e),
                    e);
        }
    }

    /** What a VM that stands would save, but for its RAM. */
    Loaded taken(Vm vm) throws HostRefusal, ConfigurationException {
        return new Loaded("copy of VM " + vm.name(), vm.name(), states(vm));
    }

    private static Map<String, SavedState> states(Vm vm)
            throws HostRefusal, ConfigurationException {
        Map<String, SavedState> out = new LinkedHashMap<>();
        try {
            out.put(MACHINE, machine(vm));
            out.put(LINES, vm.router().save());
            List<SavedState> cores = vm.machine().engines().saveCores();
            for (int i = 0; i < cores.size(); i++) {
                out.put(VCORE + i, cores.get(i));
            }
            vm.machine().devices().saveDevices().forEach((n, s) -> out.put(DEVICE + n, s));
            vm.machine().devices().saveExtensions().forEach((n, s) -> out.put(EXTENSION + n, s));
        } catch (PartFailure e) {
            throw new HostRefusal(
                    "VM " + vm.name() + ": " + e.getMessage() + ": " + e.getCause(), e);
        }
        return out;
    }

    private static SavedState machine(Vm vm) {
        return new SavedState(MACHINE, VERSION)
                .put("configuration", JdkTree.savable(configuration(vm)))
                .put("architecture", vm.architecture().name())
                .put("engine", vm.engineName())
                .put("frequency", vm.vmClock().counterFrequency())
                .put("nanos", vm.vmClock().nanos())
                .put("epoch", vm.vmClock().epoch)
                .put("turn", vm.machine().turn())
                .put("entropy", vm.machine().entropy().state())
                .put("ram", RamSections.layout(vm.physicalMap()));
    }

    /**
     * What the VM was made from, with the devices that it has now. Sorted, so that equal VMs make
     * equal files.
     */
    static Map<String, Object> configuration(Vm vm) {
        Map<String, Object> out = new TreeMap<>(vm.configuration().tree());
        out.put(VmConfiguration.DEVICES, vm.machine().devices().specs());
        return out;
    }

    /** All register groups of a core, hidden state included. */
    static SavedState vcore(VcoreImpl vcore) {
        SavedState out = new SavedState("vcore", VERSION);
        vcore.fetch(vcore.block().architecture().allGroups());
        Map<String, Object> groups = new LinkedHashMap<>();
        for (RegisterGroup group : vcore.block().architecture().groups()) {
            groups.put(group.name(), registers(group, vcore.block().group(group.id())));
        }
        return out.put("groups", groups)
                .put("retired", vcore.block().retired)
                .put("requests", vcore.requests().pending() & SAVED_REQUESTS)
                .put("startup", vcore.requests().startupVector())
                .put("pauses-left", vcore.block().pausesLeft)
                .put("paused-at", vcore.block().pausedAt);
    }

    /** A group by the names of its registers, so that an architecture can grow. */
    private static SavedState registers(RegisterGroup group, long[] values) {
        SavedState out = new SavedState(group.name(), VERSION);
        for (RegisterField field : group.fields()) {
            if (field.words() == 1) {
                out.put(field.name(), values[field.index()]);
            } else {
                int end = field.index() + field.words();
                out.put(field.name(), Arrays.copyOfRange(values, field.index(), end));
            }
        }
        return out;
    }

    /**
     * A register that the file does not know yet keeps its value after reset; one that the
     * architecture does not know can't be dropped.
     */
    private static void restore(VcoreImpl vcore, RegisterGroup group, SavedState saved) {
        long[] into = vcore.block().group(group.id());
        Set<String> unknown = new TreeSet<>(saved.values().keySet());
        for (RegisterField field : group.fields()) {
            if (unknown.remove(field.name()) && field.words() == 1) {
                into[field.index()] = saved.getLong(field.name());
            } else if (saved.has(field.name())) {
                long[] words = saved.getLongs(field.name());
                if (words.length != field.words()) {
                    throw new IncompatibleStateException(
                            "vcore %d has %d words of register '%s', wanted %d"
                                    .formatted(
                                            vcore.index(),
                                            words.length,
                                            field.name(),
                                            field.words()));
                }
                System.arraycopy(words, 0, into, field.index(), words.length);
            }
        }
        if (!unknown.isEmpty()) {
            throw new IncompatibleStateException(
                    "vcore %d has registers that this architecture lacks: %s"
                            .formatted(vcore.index(), String.join(", ", unknown)));
        }
    }

    /** Puts a core's saved state into it. */
    static void restoreCore(VcoreImpl vcore, SavedState state) {
        state.require("vcore", VERSION);
        vcore.fetch(vcore.block().architecture().allGroups());
        Map<String, Object> groups = state.getMap("groups");
        for (RegisterGroup group : vcore.block().architecture().groups()) {
            if (!(groups.get(group.name()) instanceof SavedState saved)) {
                throw new IncompatibleStateException(
                        "vcore " + vcore.index() + " lacks registers '" + group.name() + "'");
            }
            restore(vcore, group, saved.require(group.name(), VERSION));
        }
        vcore.block().valid = vcore.block().architecture().allGroups();
        vcore.block().dirty = vcore.block().valid;
        vcore.block().retired = state.getLong("retired");
        vcore.block().pausesLeft = state.getInt("pauses-left");
        vcore.block().pausedAt = state.getLong("paused-at");
        int requests = state.getInt("requests");
        if ((requests & Requests.STARTUP) != 0) {
            vcore.requests().postStartup(state.getInt("startup"));
        }
        vcore.requests().post(requests & SAVED_REQUESTS);
    }

    /** Reads and checks a file; the RAM in it is left for {@link Loaded#restore}. */
    Loaded read(String path) throws HostRefusal, ConfigurationException {
        Map<String, SavedState> states = new LinkedHashMap<>();
        scan(
                path,
                (name, version, contents) -> {
                    checkVersion(path, name, version);
                    if (!name.equals(RamSections.NAME)) {
                        try {
                            states.put(name, StateCodec.decode(contents));
                        } catch (IncompatibleStateException e) {
                            throw new ConfigurationException(
                                    "saved VM "
                                            + path
                                            + ", section '"
                                            + name
                                            + "': "
                                            + e.getMessage(),
                                    e);
                        }
                    }
                });
        if (!states.containsKey(MACHINE) || !states.containsKey(LINES)) {
            throw new ConfigurationException("saved VM " + path + " lacks its section 'machine'");
        }
        return new Loaded("saved VM " + path, path, states);
    }

    private static void checkVersion(String path, String name, int version)
            throws ConfigurationException {
        if (version != VERSION) {
            throw new ConfigurationException(
                    "saved VM "
                            + path
                            + ": section '"
                            + name
                            + "' has version "
                            + version
                            + ", wanted "
                            + VERSION);
        }
    }

    private void scan(String path, SectionReader.Sink sink)
            throws HostRefusal, ConfigurationException {
        try {
            place(path)
                    .read(in ->
                            new SectionReader(path, new BufferedInputStream(in, BUFFER))
                                    .read(sink));
        } catch (IOException e) {
            throw new HostRefusal("saved VM " + path + " can't be read: " + GuestBoot.reason(e), e);
        }
    }

    /** A file that was checked, or what would be in it. */
    final class Loaded {
        private final String title;
        private final String path;
        private final Map<String, SavedState> states;

        /**
         * @param title for messages
         */
        Loaded(String title, String path, Map<String, SavedState> states) {
            this.title = title;
            this.path = path;
            this.states = states;
        }

        Map<String, Object> configuration() throws ConfigurationException {
            try {
                return state(MACHINE).require(MACHINE, VERSION).getMap("configuration");
            } catch (IncompatibleStateException e) {
                throw wrong(e);
            }
        }

        /** Puts the saved state into a VM of the same shape that stands. */
        void restore(Vm vm) throws HostRefusal, ConfigurationException {
            try {
                checkShape(vm);
                RamSections.clear(vm.physicalMap(), vm.memory());
                new Checkpoint(host, types, vm.calls())
                        .scan(
                                path,
                                (name, version, contents) -> {
                                    if (name.equals(RamSections.NAME)) {
                                        RamSections.read(vm.memory(), contents);
                                    }
                                });
                restoreParts(vm);
                vm.machine().entropy().restore(state(MACHINE).getLong("entropy"));
            } catch (IncompatibleStateException | ClassCastException e) {
                throw wrong(e);
            } catch (ConfigurationException e) {
                throw String.valueOf(e.getMessage()).startsWith(title) ? e : wrong(e);
            }
        }

        /** The same for a VM that has the RAM already, and randomness of its own. */
        void restoreFork(Vm vm) throws HostRefusal, ConfigurationException {
            try {
                checkShape(vm);
                restoreParts(vm);
            } catch (IncompatibleStateException | ClassCastException e) {
                throw wrong(e);
            }
        }

        private void restoreParts(Vm vm) throws HostRefusal, ConfigurationException {
            SavedState machine = state(MACHINE);
            vm.vmClock().set(machine.getLong("nanos"));
            vm.vmClock().epoch = machine.getLong("epoch");
            for (VcoreImpl vcore : vm.machine().vcores()) {
                vm.machine().engines().restoreCore(vcore, state(VCORE + vcore.index()));
                vcore.restored();
            }
            // The instruction clock counts on from what its vcore has retired now.
            vm.vmClock().set(machine.getLong("nanos"));
            vm.machine().turn(machine.getLongs("turn"));
            vm.router().quiet(true);
            try {
                vm.machine().devices().restoreDevices(under(DEVICE));
                vm.router().restore(state(LINES));
            } finally {
                vm.router().quiet(false);
            }
            vm.machine().devices().restoreExtensions(under(EXTENSION));
        }

        private void checkShape(Vm vm) throws ConfigurationException {
            SavedState machine = state(MACHINE);
            String architecture = machine.getString("architecture");
            if (!architecture.equals(vm.architecture().name())) {
                throw new ConfigurationException(
                        "it is of architecture "
                                + architecture
                                + ", engine "
                                + vm.engineName()
                                + " of "
                                + vm.architecture().name());
            }
            if (!machine.getList("ram", Long.class).equals(RamSections.layout(vm.physicalMap()))) {
                throw new ConfigurationException("its memory is laid out in another way");
            }
            if (machine.getLong("frequency") != vm.vmClock().counterFrequency()) {
                throw new ConfigurationException("its time-stamp counter has another frequency");
            }
            long saved = states.keySet().stream().filter(n -> n.startsWith(VCORE)).count();
            if (saved != vm.vcoreCount()) {
                throw new ConfigurationException(
                        "it has " + saved + " vcores, the configuration " + vm.vcoreCount());
            }
        }

        private Map<String, SavedState> under(String prefix) {
            Map<String, SavedState> out = new LinkedHashMap<>();
            states.forEach((name, state) -> {
                if (name.startsWith(prefix)) {
                    out.put(name.substring(prefix.length()), state);
                }
            });
            return out;
        }

        private SavedState state(String name) throws ConfigurationException {
            SavedState state = states.get(name);
            if (state == null) {
                throw new ConfigurationException(title + " lacks section '" + name + "'");
            }
            return state;
        }

        private ConfigurationException wrong(Exception e) {
            return new ConfigurationException(title + ": " + e.getMessage(), e);
        }
    }

    /** Trees of JDK types as saved state knows them. */
    static final class JdkTree {
        private JdkTree() {}

        static Map<String, Object> savable(Map<String, Object> tree) {
            Map<String, Object> out = new LinkedHashMap<>();
            tree.forEach((key, value) -> out.put(key, value(value)));
            return out;
        }

        private static Object value(Object value) {
            return switch (value) {
                case Integer number -> number.longValue();
                case Long number -> number;
                case Double number -> number;
                case List<?> list -> {
                    List<Object> out = new ArrayList<>();
                    list.forEach(element -> out.add(value(element)));
                    yield out;
                }
                case Map<?, ?> map -> {
                    Map<String, Object> out = new LinkedHashMap<>();
                    map.forEach((key, inner) -> out.put(String.valueOf(key), value(inner)));
                    yield out;
                }
                default -> value.toString();
            };
        }
    }
}

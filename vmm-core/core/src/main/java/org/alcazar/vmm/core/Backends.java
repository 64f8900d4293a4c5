package org.alcazar.vmm.core;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.core.BackendPort.Origin;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.BlockBackend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.Handover;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/** Opens what settings name. */
final class Backends {
    static final String CONSOLE = "console";

    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

    /** What character devices have without a bundle. */
    private static final List<String> BUILT_IN = List.of(CONSOLE, "none");

    private final Vm vm;
    private final HostKernel host;
    private final PluginTypes types;
    private final ConsoleTap console;

    Backends(Vm vm, HostKernel host, PluginTypes types, ConsoleTap console) {
        this.vm = vm;
        this.host = host;
        this.types = types;
        this.console = console;
    }

    /** The VM's console as a backend; closing it leaves the console open. */
    private CharacterBackend console() {
        return new CharacterBackend() {
            private @Nullable IntConsumer asked;

            @Override
            public void write(int octet) {
                console.write(octet);
            }

            @Override
            public void flush() {
                console.flush();
            }

            @Override
            public void onInput(IntConsumer sink) {
                asked = sink;
                console.onInput(sink);
            }

            @Override
            public void close() {
                if (asked != null) {
                    console.noInput(asked);
                }
                console.flush();
            }
        };
    }

    /** Swallows output and has no input. */
    private static CharacterBackend none() {
        return new CharacterBackend() {
            @Override
            public void write(int octet) {}

            @Override
            public void flush() {}

            @Override
            public void onInput(IntConsumer sink) {}

            @Override
            public void close() {}
        };
    }

    /**
     * Opens the console, nothing, or what a bundle offers.
     *
     * @param where for messages, such as {@code device com1}
     */
    BackendPort.CharacterPort character(String where, String name, BackendPort.Poster poster)
            throws ConfigurationException {
        return switch (name) {
            case CONSOLE ->
                    new BackendPort.CharacterPort(
                            name, Optional.empty(), console(), poster, this::close);
            case "none", "" ->
                    new BackendPort.CharacterPort(
                            name, Optional.empty(), none(), poster, this::close);
            default -> {
                Origin origin = origin(where, name, CharacterBackend.class);
                yield new BackendPort.CharacterPort(
                        name,
                        Optional.of(origin),
                        open(where, origin, CharacterBackend.class),
                        poster,
                        this::close);
            }
        };
    }

    BackendPort.NetworkPort network(String where, String name, BackendPort.Poster poster)
            throws ConfigurationException {
        Origin origin = origin(where, name, NetworkBackend.class);
        return new BackendPort.NetworkPort(
                name,
                Optional.of(origin),
                open(where, origin, NetworkBackend.class),
                poster,
                this::close);
    }

    BackendPort.BlockPort block(String where, String name) throws ConfigurationException {
        Origin origin = origin(where, name, BlockBackend.class);
        return new BackendPort.BlockPort(
                name, Optional.of(origin), open(where, origin, BlockBackend.class), this::close);
    }

    /**
     * Reads {@code TYPE:arguments}; arguments are {@code key=value} with commas between, the first
     * may be a bare value of the type's first key.
     */
    private Origin origin(String where, String name, Class<?> kind) throws ConfigurationException {
        int colon = name.indexOf(':');
        String typeName = colon < 0 ? name : name.substring(0, colon);
        BackendType type =
                types.find(BackendType.class, typeName)
                        .orElseThrow(() -> unknown(where, name, kind));
        return new Origin(
                type, arguments(schema(where, type), colon < 0 ? "" : name.substring(colon + 1)));
    }

    private <T extends Backend> T open(String where, Origin origin, Class<T> kind)
            throws ConfigurationException {
        String typeName = origin.type().name();
        try {
            Settings settings = settings(where, origin);
            Backend backend =
                    vm.calls()
                            .call(
                                    "opening of " + title(origin),
                                    () -> origin.type().open(host, settings));
            if (kind.isInstance(backend)) {
                return kind.cast(backend);
            }
            close(title(origin), backend);
            throw new ConfigurationException(
                    where + ": backend '" + typeName + "' is no " + kind.getSimpleName());
        } catch (HostRefusal e) {
            throw new ConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    private Settings settings(String where, Origin origin) throws ConfigurationException {
        return Settings.check(
                where + ": backend " + origin.type().name(),
                schema(where, origin.type()),
                origin.settings());
    }

    private Schema schema(String where, BackendType type) throws ConfigurationException {
        try {
            return vm.calls().schema(types.title("backend " + type.name(), type), type);
        } catch (HostRefusal e) {
            throw new ConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    /**
     * Exchanges what stands behind a port for what a newer version of its type makes of it. In the
     * barrier; a backend that does not come back fails the VM.
     */
    void exchange(BackendPort<?> port, BackendType successor)
            throws HostRefusal, ConfigurationException {
        Origin old = port.origin().orElseThrow();
        Origin fresh = new Origin(successor, old.settings());
        Backend before = port.inner();
        boolean done = false;
        try (Handover handover = new Handover()) {
            call(
                    "handover of " + title(old),
                    () -> {
                        before.handOver(handover);
                        return before;
                    });
            try {
                install(port, takeOver(fresh, handover), fresh);
                done = true;
            } finally {
                if (!done && !handover.isEmpty()) {
                    // It has given away what it needs: one of its type takes that over.
                    install(port, takeOver(old, handover), old);
                }
            }
        } finally {
            if (port.inner() != before) {
                close(title(old), before);
            }
        }
    }

    private void install(BackendPort<?> port, Backend made, Origin origin)
            throws HostRefusal, ConfigurationException {
        boolean done = false;
        try {
            port.put(made, origin);
            call(
                    "input of " + title(origin),
                    () -> {
                        port.listen();
                        return made;
                    });
            done = true;
        } finally {
            if (!done && port.inner() != made) {
                close(title(origin), made);
            }
        }
    }

    private void close(BackendPort<?> port) {
        String what = port.origin().map(this::title).orElse("backend " + port.name);
        close(what, port.inner());
    }

    /** It is not in use any more: what it throws at its end changes nothing. */
    private void close(String what, Backend backend) {
        try {
            vm.calls()
                    .call(
                            "end of " + what,
                            () -> {
                                backend.close();
                                return what;
                            });
        } catch (HostRefusal | ConfigurationException | PartFailure e) {
            LOG.warn("VM {}: {} failed to close", vm.name(), what, e);
        }
    }

    private String title(Origin origin) {
        BackendType type = origin.type();
        return types.title("backend " + type.name(), type);
    }

    private Backend takeOver(Origin origin, Handover handover)
            throws HostRefusal, ConfigurationException {
        Settings settings = settings("exchange", origin);
        return call(
                "takeover by " + title(origin),
                () -> origin.type().takeOver(host, settings, handover));
    }

    private <T> T call(String what, PluginCalls.Call<T> call)
            throws HostRefusal, ConfigurationException {
        try {
            return vm.calls().call(what, call);
        } catch (PartFailure e) {
            vm.failIfOverdue(e);
            throw e;
        }
    }

    private ConfigurationException unknown(String where, String name, Class<?> kind) {
        Set<String> known = new TreeSet<>(types.all(BackendType.class).keySet());
        if (kind == CharacterBackend.class) {
            known.addAll(BUILT_IN);
        }
        return new ConfigurationException(
                where
                        + ": backend="
                        + name
                        + ": unknown backend; "
                        + (known.isEmpty()
                                ? "no bundle offers any"
                                : "there are: " + String.join(", ", known)));
    }

    private static Map<String, Object> arguments(Schema schema, String text) {
        Map<String, Object> out = new LinkedHashMap<>();
        if (text.isEmpty()) {
            return out;
        }
        boolean first = true;
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 0 && first && !schema.keys().isEmpty()) {
                Key key = schema.keys().getFirst();
                out.put(key.name(), part);
            } else {
                out.put(
                        equals < 0 ? part : part.substring(0, equals),
                        equals < 0 ? "true" : part.substring(equals + 1));
            }
            first = false;
        }
        return out;
    }
}

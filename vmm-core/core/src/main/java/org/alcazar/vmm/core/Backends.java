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

    /** What character devices have without a bundle. */
    private static final List<String> BUILT_IN = List.of(CONSOLE, "none");

    private final HostKernel host;
    private final PluginTypes types;
    private final ConsoleTap console;

    Backends(HostKernel host, PluginTypes types, ConsoleTap console) {
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
                    new BackendPort.CharacterPort(name, Optional.empty(), console(), poster);
            case "none", "" ->
                    new BackendPort.CharacterPort(name, Optional.empty(), none(), poster);
            default -> {
                Origin origin = origin(where, name, CharacterBackend.class);
                yield new BackendPort.CharacterPort(
                        name,
                        Optional.of(origin),
                        open(where, origin, CharacterBackend.class),
                        poster);
            }
        };
    }

    BackendPort.NetworkPort network(String where, String name, BackendPort.Poster poster)
            throws ConfigurationException {
        Origin origin = origin(where, name, NetworkBackend.class);
        return new BackendPort.NetworkPort(
                name, Optional.of(origin), open(where, origin, NetworkBackend.class), poster);
    }

    BackendPort.BlockPort block(String where, String name) throws ConfigurationException {
        Origin origin = origin(where, name, BlockBackend.class);
        return new BackendPort.BlockPort(
                name, Optional.of(origin), open(where, origin, BlockBackend.class));
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
                type, arguments(type.configuration(), colon < 0 ? "" : name.substring(colon + 1)));
    }

    private <T extends Backend> T open(String where, Origin origin, Class<T> kind)
            throws ConfigurationException {
        String typeName = origin.type().name();
        try {
            Backend backend = origin.type().open(host, settings(where, origin));
            if (kind.isInstance(backend)) {
                return kind.cast(backend);
            }
            backend.close();
            throw new ConfigurationException(
                    where + ": backend '" + typeName + "' is no " + kind.getSimpleName());
        } catch (HostRefusal e) {
            throw new ConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    private static Settings settings(String where, Origin origin) throws ConfigurationException {
        return Settings.check(
                where + ": backend " + origin.type().name(),
                origin.type().configuration(),
                origin.settings());
    }

    /** Exchanges what stands behind a port for what a newer version of its type makes of it. */
    void exchange(BackendPort<?> port, BackendType successor) throws ConfigurationException {
        Origin origin = new Origin(successor, port.origin().map(Origin::settings).orElse(Map.of()));
        Settings settings = settings("backend " + port.name, origin);
        Optional<Origin> old = port.origin();
        boolean done = false;
        try (Handover handover = new Handover()) {
            port.inner().handOver(handover);
            try {
                port.exchange(successor.takeOver(host, settings, handover), origin);
                done = true;
            } finally {
                if (!done && !handover.isEmpty() && old.isPresent()) {
                    takeBack(port, old.get(), handover);
                }
            }
        } catch (HostRefusal e) {
            throw new ConfigurationException("backend " + port.name + ": " + e.getMessage(), e);
        }
    }

    /** The old backend has given away what it needs: one of its type takes it over. */
    private void takeBack(BackendPort<?> port, Origin old, Handover handover)
            throws ConfigurationException, HostRefusal {
        port.exchange(
                old.type().takeOver(host, settings("backend " + port.name, old), handover), old);
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

package org.alcazar.vmm.core;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.NetworkBackend;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/** Opens what settings name, and leads all input from outside through the VM's event queue. */
final class Backends {
    /** Posts input on behalf of a device. */
    interface Poster {
        void post(String source, Runnable action);
    }

    /** What character devices have without a bundle. */
    private static final List<String> BUILT_IN = List.of("console", "none");

    private final HostKernel host;
    private final PluginTypes types;
    private final HostConsoles.Console console;

    Backends(HostKernel host, PluginTypes types, HostConsoles.Console console) {
        this.host = host;
        this.types = types;
        this.console = console;
    }

    /** The VM's console as a backend; closing it leaves the console open. */
    CharacterBackend console(Poster poster, Counter dropped) {
        return new CharacterBackend() {
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
                InputBuffer buffer = new InputBuffer(dropped);
                console.onInput(octet -> {
                    if (buffer.offer(octet)) {
                        poster.post("console", () -> buffer.drain(sink));
                    }
                });
            }

            @Override
            public void close() {
                console.flush();
            }
        };
    }

    /** Swallows output and has no input. */
    static CharacterBackend none() {
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
     * Opens {@code TYPE:arguments}; arguments are {@code key=value} with commas between, the first
     * may be a bare value of the type's first key.
     *
     * @param where for messages, such as {@code device com1}
     */
    <T extends Backend> T open(String where, String name, Class<T> kind)
            throws ConfigurationException {
        int colon = name.indexOf(':');
        String typeName = colon < 0 ? name : name.substring(0, colon);
        BackendType type =
                types.find(BackendType.class, typeName)
                        .orElseThrow(() -> unknown(where, name, kind));
        Settings settings =
                Settings.check(
                        where + ": backend " + typeName,
                        type.configuration(),
                        arguments(
                                type.configuration(), colon < 0 ? "" : name.substring(colon + 1)));
        try {
            Backend backend = type.open(host, settings);
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

    static CharacterBackend queued(CharacterBackend inner, Poster poster, Counter dropped) {
        return new CharacterBackend() {
            @Override
            public void write(int octet) {
                inner.write(octet);
            }

            @Override
            public void flush() {
                inner.flush();
            }

            @Override
            public void onInput(IntConsumer sink) {
                InputBuffer buffer = new InputBuffer(dropped);
                inner.onInput(octet -> {
                    if (buffer.offer(octet)) {
                        poster.post("character", () -> buffer.drain(sink));
                    }
                });
            }

            @Override
            public void close() {
                inner.close();
            }
        };
    }

    static NetworkBackend queued(NetworkBackend inner, Poster poster) {
        return new NetworkBackend() {
            @Override
            public void send(byte[] frame, int offset, int bytes) {
                inner.send(frame, offset, bytes);
            }

            @Override
            public void onReceive(FrameSink sink) {
                inner.onReceive(frame -> {
                    poster.post("network", () -> sink.frame(frame));
                    return true;
                });
            }

            @Override
            public void close() {
                inner.close();
            }
        };
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
